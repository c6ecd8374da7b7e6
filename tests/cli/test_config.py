"""`mgw config`: run as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import mgw
from mgw.core.settings import keys

ROOT = Path(mgw.__path__[0]).parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mgw.yaml").write_text("als:\n  factors: 8\n")
    return tmp_path


def config(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}
    return subprocess.run(
        [sys.executable, "-m", "mgw", *arguments],
        cwd=folder, env={**inherited, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **environ},
        capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_show_tells_the_value_and_where_it_comes_from(project):
    done = config(project, "config", "show", MGW_DATABASE_URL="postgresql://ada:hunter2@h/d", MGW_THREADS="2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.strip()}
    assert lines["als.factors"] == ["8", "mgw.yaml:2"]
    assert lines["threads"] == ["2", "MGW_THREADS"]
    assert lines["als.epochs"] == [str(keys()["als.epochs"].default), "default"]
    assert lines["database.url"] == ["postgresql://ada:***@h/d", "MGW_DATABASE_URL"]
    assert lines["database.bin_dir"] == ["-", "default"]
    assert set(keys()) <= set(lines)


def test_show_as_json_is_one_document_without_secrets(project):
    done = config(project, "config", "show", "--json", MGW_DATABASE_URL="postgresql://ada:hunter2@h/d", MGW_X="1")
    assert done.returncode == 0
    assert "hunter2" not in done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert Path(document["file"]) == (project / "mgw.yaml").resolve()
    assert Path(document["project"]) == project.resolve()
    assert set(document["settings"]) == set(keys())
    assert document["settings"]["als.factors"] == {"value": 8, "source": "file", "where": "mgw.yaml:2"}
    assert document["settings"]["als.seed"] == {"value": 0, "source": "default", "where": None}
    assert document["warnings"] == ["the environment variable MGW_X is not a setting"]
    assert "MGW_X is not a setting" in done.stderr


def test_check_says_fine(project):
    done = config(project, "config", "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{(project / 'mgw.yaml').resolve()}: fine\n", "")


def test_check_without_a_file(tmp_path):
    done = config(tmp_path, "config", "check")
    assert (done.returncode, done.stdout) == (0, "no configuration file; the defaults apply: fine\n")


def test_check_lists_every_fault_on_stderr(project):
    (project / "mgw.yaml").write_text("als:\n  factors: 0\n  epohcs: 3\n")
    done = config(project, "config", "check", MGW_THREADS="many")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error[CONFIG_INVALID]: the configuration has 3 faults:",
        "  mgw.yaml:2:12: als.factors: expected a whole number of at least 1, got 0",
        "  mgw.yaml:3:3: unknown key 'epohcs' in the section `als`; did you mean `epochs`?",
        "  MGW_THREADS: threads: expected a whole number of at least 0, got the text 'many'",
        "  hint: `mgw init` writes a file that shows every key with its default and its unit",
    ]


def test_a_named_file_that_is_missing(project):
    done = config(project, "--config", "absent.yaml", "config", "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error[CONFIG_NOT_FOUND]: there is no configuration file absent.yaml\n")
