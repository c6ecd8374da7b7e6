"""`mgw init`: run as users run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from commands import Done, mgw

from mgw.cli.init import _write_new
from mgw.core.errors import ConfigExists
from mgw.core.resources import resource
from mgw.core.settings import Settings, load_settings

if TYPE_CHECKING:
    from pathlib import Path

DEFAULTS = (resource("configs") / "mgw.yaml").read_bytes()


def init(folder: Path, *arguments: str) -> Done:
    return mgw(folder, "init", *arguments)


def test_it_writes_the_defaults_here(tmp_path):
    done = init(tmp_path)
    assert done == (0, "wrote mgw.yaml\n", "")
    assert (tmp_path / "mgw.yaml").read_bytes() == DEFAULTS
    assert load_settings(start=tmp_path, environ={}).settings == Settings()


def test_it_makes_the_folder(tmp_path):
    done = init(tmp_path, "a/b")
    assert (done.code, done.out) == (0, "wrote a/b/mgw.yaml\n")
    assert (tmp_path / "a" / "b" / "mgw.yaml").read_bytes() == DEFAULTS


@pytest.mark.parametrize("name", ["mgw.yaml", "configs/mgw.yaml"])
def test_it_does_not_touch_what_is_there(tmp_path, name):
    (tmp_path / "configs").mkdir()
    (tmp_path / name).write_text("threads: 3")
    done = init(tmp_path)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error[CONFIG_EXISTS]: {name} is there already\n")
    assert (tmp_path / name).read_text() == "threads: 3"
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == ["mgw.yaml"]


def test_a_link_that_leads_nowhere_is_there_too(tmp_path):
    (tmp_path / "mgw.yaml").symlink_to(tmp_path / "elsewhere")
    assert init(tmp_path).code == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_appeared_meanwhile_stays(tmp_path):
    file = tmp_path / "mgw.yaml"
    file.write_text("threads: 3")
    with pytest.raises(ConfigExists):
        _write_new(file, DEFAULTS)
    assert file.read_text() == "threads: 3"


def test_force_keeps_every_former_file(tmp_path):
    file = tmp_path / "mgw.yaml"
    for number, kept in enumerate(["mgw.yaml.bak", "mgw.yaml.bak2", "mgw.yaml.bak3"]):
        file.write_text(f"threads: {number}")
        done = init(tmp_path, "--force")
        assert (done.code, done.out) == (0, "wrote mgw.yaml\n")
        assert done.err == f"kept the former configuration as {kept}\n"
        assert (tmp_path / kept).read_text() == f"threads: {number}"
        assert file.read_bytes() == DEFAULTS
    assert (tmp_path / "mgw.yaml.bak").read_text() == "threads: 0"


def test_force_says_which_file_is_not_read_any_more(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "mgw.yaml").write_text("threads: 3")
    done = init(tmp_path, "--force")
    assert (done.code, done.err) == (0, "configs/mgw.yaml is not read any more: mgw.yaml comes before it\n")
    assert (tmp_path / "configs" / "mgw.yaml").read_text() == "threads: 3"


def test_a_file_is_not_a_folder(tmp_path):
    (tmp_path / "file").write_text("kept")
    done = init(tmp_path, "file")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error[FILE_UNREADABLE]: file is a file, not a folder\n")
    assert (tmp_path / "file").read_text() == "kept"
