"""Written aside and renamed: killed at any step, old or new, never a part; and what a kill leaves is cleaned up."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import mgw
from mgw.core.artifacts import ModelStore
from mgw.core.errors import FileUnreadable
from mgw.core.files import directory_published_as, held, remove_directory, replace_file, sweep, write_atomic

# Publishes again and again in a child that is killed at its first, second, third … access to the file system, until
# one gets through; after each kill it says what is in use and whether it is complete. (The interpreter tells of its
# accesses in "audit events"; the kill is a real one.)
KILLER = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from mgw.core.artifacts import ModelStore
from mgw.core.errors import ModelError

store = ModelStore(Path(sys.argv[1]))
left = None

def count(event, arguments):
    global left
    if left is not None and event.partition(".")[0] in ("open", "os", "fcntl", "shutil", "mmap"):
        left -= 1
        if left == -1:
            os.kill(os.getpid(), signal.SIGKILL)

def publish(seed):
    store.publish("als", {"a": np.full(3, seed), "b": np.zeros(2)}, parameters={"seed": seed}, data={}, metrics={},
                  versions={})

publish(0)
sys.addaudithook(count)
for step in range(1000):
    child = os.fork()
    if child == 0:
        left = step
        publish(step + 1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    current = store.current()
    current.verify()
    names = store.names()
    for name in names:
        store.open(name).verify()
    print(json.dumps({"killed": status == signal.SIGKILL, "seed": current.manifest.parameters["seed"], "step": step,
                      "names": len(names), "left": len(list(store.root.glob(".*.part")))}))
    if status == 0:
        break
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """What the killer reported, turn by turn, and its folder."""
    folder = tmp_path_factory.mktemp("killed") / "models"
    environ = {**os.environ, "PYTHONPATH": str(Path(mgw.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(folder)], capture_output=True, text=True, check=False, env=environ
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder, [json.loads(line) for line in done.stdout.splitlines()]


def test_killed_between_any_two_steps_a_publisher_leaves_the_model_before_it_or_its_own(killed):
    _, turns = killed
    *deaths, last = turns
    assert len(deaths) > 20, "there are that many steps at least"
    assert all(turn["killed"] for turn in deaths)
    assert not last["killed"]
    before = 0
    for turn in turns:
        assert turn["seed"] in {before, turn["step"] + 1}
        before = turn["seed"]
    assert last["seed"] == last["step"] + 1
    assert any(turn["left"] for turn in deaths), "some were killed in the middle of writing"
    assert any(now["names"] > before["names"] for before, now in itertools.pairwise(turns))


def test_the_next_to_publish_removes_what_a_killed_one_left(killed):
    folder, turns = killed
    assert max(turn["left"] for turn in turns) == 1, "no more than its own"
    assert turns[-1]["left"] == 0
    assert {path.name for path in folder.iterdir() if path.name.startswith(".")} == {".lock"}
    ModelStore(folder).current().verify()


def test_a_sweep_leaves_alone_what_is_being_written_and_what_is_not_ours(tmp_path):
    (tmp_path / ".model.01234567.part").mkdir()
    (tmp_path / ".model.01234567.part" / "a.npy").touch()
    (tmp_path / ".current.01234567.part").touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "model.part").mkdir()
    with directory_published_as(tmp_path / "model") as folder, (folder / "a").open("w"):
        sweep(tmp_path)
        assert (folder / "a").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "model", "model.part"]


def test_a_sweep_follows_no_link_and_needs_no_folder(tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / ".link.01234567.part").symlink_to(tmp_path / "precious")
    sweep(tmp_path)
    sweep(tmp_path / "absent")
    assert (tmp_path / "precious").is_dir()


def test_without_locks_everything_works_but_nothing_is_swept(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(9, "Bad file descriptor")  # what NFS says of a folder

    monkeypatch.setattr(fcntl, "flock", refuse)
    (tmp_path / ".old.01234567.part").mkdir()
    write_atomic(tmp_path / "file", b"new")
    with directory_published_as(tmp_path / "folder"):
        sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".old.01234567.part", "file", "folder"]


def test_a_file_is_replaced_or_stays(tmp_path):
    file = tmp_path / "deep" / "file"
    write_atomic(file, b"one")
    write_atomic(file, b"two")
    assert file.read_bytes() == b"two"
    (tmp_path / "folder" / "in the way").mkdir(parents=True)
    with pytest.raises(FileUnreadable, match="folder"):
        write_atomic(tmp_path / "folder", b"three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "folder"]
    assert [path.name for path in file.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("below", ["x", "x/y"])
@pytest.mark.parametrize(
    "publish", [lambda path: write_atomic(path, b""), lambda path: directory_published_as(path).__enter__()]
)
def test_below_a_file_there_is_nothing_to_write(tmp_path, below, publish):
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(FileUnreadable, match=r"file is a file, not a folder$") as caught:
        publish(file / below)
    assert caught.value.hint
    assert file.read_text() == "mine"


def test_a_folder_whose_block_fails_was_never_there(tmp_path):
    with pytest.raises(FileUnreadable), directory_published_as(tmp_path / "model") as folder:
        (folder / "in" / "nothing").touch()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_published_over_another(tmp_path):
    with directory_published_as(tmp_path / "model") as folder:
        (folder / "a").write_text("first")
    with pytest.raises(FileUnreadable, match="model"), directory_published_as(tmp_path / "model"):
        pass
    assert (tmp_path / "model" / "a").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_umask_is_respected(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "file", b"")
        write_atomic(tmp_path / "private", b"", mode=0o600)
        with directory_published_as(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"file": 0o640, "private": 0o600, "folder": 0o750}


def test_a_folder_is_removed_in_one_step(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").touch()
    remove_directory(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        remove_directory(tmp_path / "model")


def test_a_lock_is_held_once_and_is_not_waited_for(tmp_path):
    for _ in range(2):
        with held(tmp_path / "lock") as first, held(tmp_path / "lock") as second:
            assert (first, second) == (True, False)
    with held(tmp_path / "lock") as again:
        assert again


def test_of_a_link_to_a_folder_the_link_is_removed(tmp_path):
    store = ModelStore(tmp_path / "models")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "manifest.json").touch()
    store.root.mkdir()
    (store.root / "linked").symlink_to(tmp_path / "elsewhere")
    (name,) = store.names()
    store.delete(name)
    assert [path.name for path in store.root.iterdir()] == [".lock"]
    assert (tmp_path / "elsewhere" / "manifest.json").exists()


def test_a_file_is_replaced_without_waiting_for_the_disk_and_a_failure_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("nobody waits"))
    replaced = tmp_path / "file"
    replace_file(replaced, b"one")
    opened = replaced.open("rb")
    replace_file(replaced, b"two")
    with opened:
        assert (opened.read(), replaced.read_bytes()) == (b"one", b"two"), "who reads the old one reads all of it"
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(tmp_path / "folder", b"three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
