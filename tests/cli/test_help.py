"""The help of `mgw`, and the pages of errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import typer.main
from commands import mgw

from mgw.cli.app import app
from mgw.cli.explain_error import errors_with_codes
from mgw.cli.grouped_help import GROUPS

ROOT = Path(__file__).parents[2]


def test_every_command_is_in_one_group_and_fits_its_line():
    commands = set(typer.main.get_command(app).commands)
    placed = [name for names in GROUPS.values() for name in names]
    assert sorted(placed) == sorted(commands)
    code, said, _ = mgw(None, "--help")
    assert code == 0
    for title in GROUPS:
        assert f"\n{title}:\n" in said
    assert "Other:" not in said
    assert "..." not in said.split("Begin:")[1]


def test_a_command_in_no_group_is_shown_all_the_same(monkeypatch):
    monkeypatch.setitem(GROUPS, "Begin", ())
    command = typer.main.get_command(app)
    with command.make_context("mgw", [], resilient_parsing=True) as ctx:
        help_text = command.get_help(ctx)
    assert "Begin:" not in help_text
    assert re.search(r"Other:\n(  .*\n)*  demo ", help_text)


def test_every_error_has_its_page():
    documented = re.findall(r"^## ([A-Z0-9_]+)$", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    assert [error.code for error in errors_with_codes()] == documented
    code, said, _ = mgw(None, "explain-error", "--json")
    assert (code, [each["code"] for each in json.loads(said)["errors"]]) == (0, documented)
    assert all(len(each["text"]) > 20 for each in json.loads(said)["errors"])
    code, said, _ = mgw(None, "explain-error", "disk_full")
    assert (code, said.splitlines()[0]) == (0, "DISK_FULL, exit code 2")
    code, said, beside = mgw(None, "explain-error", "DISK_FUL")
    assert (code, said, "did you mean DISK_FULL?" in beside) == (2, "", True)
