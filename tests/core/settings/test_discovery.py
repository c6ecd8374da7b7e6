"""Which file applies, and which folder is the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mgw.core.errors import ConfigInvalid, ConfigNotFound, FileUnreadable
from mgw.core.settings import load_settings, resolve_path
from mgw.core.settings.discovery import locate


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with both files, and a folder two levels below."""
    root = (tmp_path / "project").resolve()
    (root / "a" / "b").mkdir(parents=True)
    (root / "configs").mkdir()
    (root / "mgw.yaml").write_text("threads: 1")
    (root / "configs" / "mgw.yaml").write_text("threads: 2")
    return root


def test_mgw_yaml_comes_before_configs(tree):
    assert locate(None, tree, {}).file == tree / "mgw.yaml"
    (tree / "mgw.yaml").unlink()
    found = locate(None, tree, {})
    assert (found.file, found.project, found.shown_as) == (tree / "configs" / "mgw.yaml", tree, "configs/mgw.yaml")


def test_the_nearest_folder_comes_first(tree):
    found = locate(None, tree / "a" / "b", {})
    assert (found.file, found.project, found.shown_as) == (tree / "mgw.yaml", tree, str(tree / "mgw.yaml"))
    (tree / "a" / "configs").mkdir()
    (tree / "a" / "configs" / "mgw.yaml").write_text("")
    assert locate(None, tree / "a" / "b", {}).project == tree / "a"


def test_a_folder_of_that_name_is_not_a_file(tree):
    (tree / "a" / "mgw.yaml").mkdir()
    assert locate(None, tree / "a", {}).project == tree


def test_the_flag_comes_before_the_variable_and_both_before_the_search(tree, tmp_path):
    (tmp_path / "flag.yaml").touch()
    (tmp_path / "variable.yaml").touch()
    environ = {"MGW_CONFIG": "../variable.yaml"}
    assert locate(Path("../flag.yaml"), tree, environ).file == tmp_path.resolve() / "flag.yaml"
    assert locate(None, tree, environ).file == tmp_path.resolve() / "variable.yaml"
    assert locate(None, tree, {"MGW_CONFIG": ""}).file == tree / "mgw.yaml"


def test_a_named_file_makes_its_folder_the_project(tree):
    assert locate(Path("mgw.yaml"), tree, {}).project == tree
    assert locate(Path("configs/mgw.yaml"), tree, {}).project == tree
    assert locate(tree / "configs" / ".." / "configs" / "mgw.yaml", tree / "a", {}).project == tree


def test_a_linked_file_belongs_to_the_folder_of_the_link(tree):
    link = tree / "a" / "mgw.yaml"
    link.symlink_to(tree / "mgw.yaml")
    assert locate(None, tree / "a", {}).project == tree / "a"


def test_a_named_file_that_is_missing_is_an_error(tree):
    with pytest.raises(ConfigNotFound, match=r"absent\.yaml"):
        load_settings(config=Path("absent.yaml"), start=tree, environ={})
    with pytest.raises(ConfigNotFound, match=r"absent\.yaml"):
        load_settings(start=tree, environ={"MGW_CONFIG": "absent.yaml"})


def test_without_a_file_the_project_is_where_one_stands(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = locate(None, None, {})
    # A file in a parent of the temporary folder would be ours to find, too.
    assert found.file is None
    assert found.project == tmp_path.resolve()


def test_a_working_folder_that_is_gone(monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileUnreadable, match="working folder"):
        locate(None, None, {})
    os.chdir(tmp_path)


def test_paths_are_meant_from_the_project(tree, monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    loaded = load_settings(start=tree / "a", environ={})
    assert resolve_path(loaded, ".mgw") == tree / ".mgw"
    assert resolve_path(loaded, "/var/mgw") == Path("/var/mgw")
    assert resolve_path(loaded, "~/mgw") == Path("/home/ada/mgw")
    with pytest.raises(ConfigInvalid, match="no such home folder"):
        resolve_path(loaded, "~nobody-of-that-name/mgw")
