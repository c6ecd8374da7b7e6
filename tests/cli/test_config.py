"""`mgw config`: run as users run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import mgw

from mgw.core.settings import keys


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mgw.yaml").write_text("als:\n  factors: 8\n")
    return tmp_path


def test_show_tells_the_value_and_where_it_comes_from(project):
    done = mgw(project, "config", "show", MGW_DATABASE_URL="postgresql://ada:hunter2@h/d", MGW_THREADS="2")
    assert (done.code, done.err) == (0, "")
    lines = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if line.strip()}
    assert lines["als.factors"] == ["8", "mgw.yaml:2"]
    assert lines["threads"] == ["2", "MGW_THREADS"]
    assert lines["als.epochs"] == [str(keys()["als.epochs"].default), "default"]
    assert lines["database.url"] == ["postgresql://ada:***@h/d", "MGW_DATABASE_URL"]
    assert lines["database.bin_dir"] == ["-", "default"]
    assert set(keys()) <= set(lines)


def test_show_as_json_is_one_document_without_secrets(project):
    done = mgw(project, "config", "show", "--json", MGW_DATABASE_URL="postgresql://ada:hunter2@h/d", MGW_X="1")
    assert done.code == 0
    assert "hunter2" not in done.out + done.err
    document = json.loads(done.out)
    assert Path(document["file"]) == (project / "mgw.yaml").resolve()
    assert Path(document["project"]) == project.resolve()
    assert set(document["settings"]) == set(keys())
    assert document["settings"]["als.factors"] == {"value": 8, "source": "file", "where": "mgw.yaml:2"}
    assert document["settings"]["als.seed"] == {"value": 0, "source": "default", "where": None}
    assert document["warnings"] == ["the environment variable MGW_X is not a setting"]
    assert "MGW_X is not a setting" in done.err


def test_check_says_fine(project):
    done = mgw(project, "config", "check")
    assert done == (0, f"{(project / 'mgw.yaml').resolve()}: fine\n", "")


def test_check_without_a_file(tmp_path):
    done = mgw(tmp_path, "config", "check")
    assert (done.code, done.out) == (0, "no configuration file; the defaults apply: fine\n")


def test_check_lists_every_fault_on_stderr(project):
    (project / "mgw.yaml").write_text("als:\n  factors: 0\n  epohcs: 3\n")
    done = mgw(project, "config", "check", MGW_THREADS="many")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error[CONFIG_INVALID]: the configuration has 3 faults:",
        "  mgw.yaml:2:12: als.factors: expected a whole number of at least 1, got 0",
        "  mgw.yaml:3:3: unknown key 'epohcs' in the section `als`; did you mean `epochs`?",
        "  MGW_THREADS: threads: expected a whole number of at least 0, got the text 'many'",
        "  hint: `mgw init` writes a file that shows every key with its default and its unit",
    ]


def test_a_named_file_that_is_missing(project):
    done = mgw(project, "--config", "absent.yaml", "config", "check")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error[CONFIG_NOT_FOUND]: there is no configuration file absent.yaml\n")
