"""Files of events that somebody divided already, for `mgw evaluate` and `mgw tune als`."""

from __future__ import annotations

import pytest
from commands import mgw
from ports import free_port

COMMANDS = [
    ("evaluate", "--train", "a.csv", "--test", "b.csv"),
    ("tune", "als", "--train", "a.csv", "--validation", "b.csv"),
]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project without a database: the files are all there is."""
    monkeypatch.setenv("MGW_DATABASE_URL", f"postgresql://mgw@127.0.0.1:{free_port()}/x")
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes("user,content,geschätzt\nada,löwe,1\n".encode("latin-1"))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=["evaluate", "tune"])
def test_the_encoding_that_the_hint_speaks_of_can_be_said(project, command):
    code, _, beside = mgw(project, *command)
    assert (code, "SOURCE_INVALID" in beside, "--encoding latin-1" in beside) == (2, True, True)
    code, _, beside = mgw(project, *command, "--encoding", "latin-1")
    assert (code, "NOTHING_TO_EVALUATE" in beside) == (1, True)  # they are read


@pytest.mark.parametrize("command", [("evaluate",), ("tune", "als")], ids=["evaluate", "tune"])
def test_an_encoding_without_files_is_refused(project, command):
    code, _, beside = mgw(project, *command, "--encoding", "latin-1")
    assert (code, "--encoding is of files" in beside) == (2, True)
