"""Model snapshots: what is published is what is read, and everything else is refused by name."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import subprocess
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from mgw.core import artifacts
from mgw.core.artifacts import ModelStore
from mgw.core.errors import (
    DiskFull,
    FileUnreadable,
    ModelDamaged,
    ModelError,
    ModelForeign,
    ModelInUse,
    ModelMissing,
    ModelNotFound,
    ReadOnly,
)
from mgw.core.files import storage_errors

FACTORS = np.arange(12, dtype=np.float32).reshape(4, 3)


def publish(store, *, seed=0, **arrays):
    return store.publish(
        "als", arrays or {"factors": FACTORS}, parameters={"seed": seed}, data={"events": 5}, metrics={}, versions={}
    )


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


@pytest.fixture
def snapshot(store):
    return publish(store)


def rewrite(snapshot, change) -> None:
    """Change the manifest: `change` gets the document and returns what to write."""
    path = snapshot.path / "manifest.json"
    document = json.loads(path.read_text())
    changed = change(document)
    path.write_bytes(changed if isinstance(changed, bytes) else json.dumps(changed or document).encode())


def forge(snapshot, content: bytes) -> None:
    """Put a file in the place of the array, with the checksum that belongs to it: not an accident, but an attack."""
    (snapshot.path / "factors.npy").write_bytes(content)
    rewrite(snapshot, lambda it: it["arrays"]["factors"].update(sha256=hashlib.sha256(content).hexdigest()))


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


DTYPES = arrays_of.boolean_dtypes() | arrays_of.integer_dtypes() | arrays_of.floating_dtypes(sizes=(32, 64))
SHAPES = arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@given(arrays_of.arrays(DTYPES | arrays_of.unicode_string_dtypes(max_len=4), SHAPES), st.booleans())
def test_what_is_published_is_what_is_read(tmp_path_factory, array, transposed):
    array = array.T if transposed else array
    published = publish(ModelStore(tmp_path_factory.mktemp("models")), one=array)
    read = ModelStore(published.path.parent).current().array("one")
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    assert read.tobytes() == array.tobytes()
    assert not read.flags.writeable
    assert read.flags.c_contiguous
    assert np.load(published.path / "one.npy", allow_pickle=False).shape == array.shape


def test_the_manifest_says_what_it_was_made_of(store, snapshot):
    manifest = store.open(snapshot.manifest.name).manifest
    assert (manifest.kind, manifest.parameters, manifest.data) == ("als", {"seed": 0}, {"events": 5})
    assert manifest.created_at.tzinfo is not None
    assert snapshot.size_bytes == sum(path.stat().st_size for path in snapshot.path.iterdir())
    assert (snapshot.path / "manifest.json").read_bytes().endswith(b"}\n")


def test_the_last_published_is_in_use_and_the_same_within_a_second_is_the_same(store):
    """Models that differ in one parameter only have different names, though they are published within a second."""
    names = [publish(store, seed=seed).manifest.name for seed in (1, 2, 1)]
    assert len(set(names)) in (2, 3), "3 where the clock went on between the first and the last"
    assert store.current_name() == names[-1]
    assert set(store.names()) == set(names)
    assert store.names() == sorted(set(names))


def test_no_model_yet(store):
    assert (store.names(), store.current_name()) == ([], None)
    with pytest.raises(ModelMissing):
        store.current()
    with pytest.raises(ModelNotFound):
        store.delete("als-1")


@pytest.mark.parametrize("name", ["nobody", "../models", "", ".", "a/b", "/etc", "a\n"])
def test_a_name_that_is_none(store, snapshot, name):
    for action in (store.open, store.use, store.delete):
        with pytest.raises(ModelNotFound):
            action(name)
    assert store.current().manifest == snapshot.manifest


def test_current_names_a_model_that_is_not_there(store, snapshot):
    (store.root / "current").write_text("als-gone\n")
    with pytest.raises(ModelNotFound, match=r"current names the model 'als-gone', which is not there") as caught:
        store.current()
    assert "mgw models use" in caught.value.hint
    store.use(snapshot.manifest.name)
    assert store.current().manifest == snapshot.manifest


def test_current_cannot_be_read(store, snapshot):
    (store.root / "current").write_bytes(b"\xff\xfe")
    with pytest.raises(FileUnreadable, match="current"):
        store.current()


def damage(path, kind: str) -> None:
    content = bytearray(path.read_bytes())
    if kind == "a flipped bit":
        content[-1] ^= 1
    elif kind == "a flipped bit in the header":
        content[20] ^= 1
    elif kind == "cut":
        del content[-1:]
    elif kind == "empty":
        content.clear()
    elif kind == "longer":
        content += b"\0"
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["a flipped bit", "a flipped bit in the header", "cut", "empty", "longer"])
def test_a_damaged_array(store, snapshot, kind):
    damage(snapshot.path / "factors.npy", kind)
    for read in (snapshot.verify, lambda: store.use(snapshot.manifest.name)):
        with pytest.raises(ModelDamaged, match=rf"{snapshot.manifest.name}: factors\.npy is not what") as caught:
            read()
        assert caught.value.hint


def test_a_missing_array(store, snapshot):
    (snapshot.path / "factors.npy").unlink()
    with pytest.raises(ModelDamaged, match=r"cannot read factors\.npy"):
        snapshot.verify()
    with pytest.raises(ModelDamaged, match="has no array items"):
        snapshot.array("items")


class Trap:
    """Whoever unpickles it says so."""

    def __reduce__(self):
        return (os.putenv, ("MGW_WAS_PICKLED", "1"))


def saved(array, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


FORGED = {
    "another dtype": saved(FACTORS.astype(np.float64)),
    "another shape": saved(FACTORS.reshape(3, 4)),
    "another order of bytes": saved(FACTORS.astype(">f4")),
    "objects": saved(np.array([Trap()], dtype=object), allow_pickle=True),
    "a zip": b"PK\x03\x04" + b"\0" * 200,
    "no array": b"factors",
    "a huge shape": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 3), }"),
    "a shape that overflows": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808, 4), }"),
    "a shape that wraps": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }"),
    "a negative shape": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 3), }", b"\0" * 48),
    "a deep header": npy("(" * 110),
    "a header that is none": npy("{'descr': '''"),
}


@pytest.mark.parametrize("content", FORGED.values(), ids=FORGED.keys())
def test_a_forged_array(store, snapshot, content):
    forge(snapshot, content)
    with pytest.raises(ModelDamaged, match=r"factors\.npy"):
        store.open(snapshot.manifest.name).verify()
    assert "MGW_WAS_PICKLED" not in os.environ


@given(st.integers(0, 127), st.binary(min_size=1, max_size=3))
def test_any_change_to_a_header(forged_snapshot, position, change):
    """With the checksum to match: refused, or a change that makes no difference, but nothing else."""
    content = bytearray(saved(FACTORS))
    content[position : position + len(change)] = change
    forge(forged_snapshot, bytes(content))
    snapshot = ModelStore(forged_snapshot.path.parent).open(forged_snapshot.manifest.name)
    try:
        read = snapshot.array("factors")
    except ModelDamaged:
        return
    assert (read.dtype.str, read.shape) == ("<f4", (4, 3))


@pytest.fixture(scope="module")
def forged_snapshot(tmp_path_factory):
    return publish(ModelStore(tmp_path_factory.mktemp("forged")))


BAD_MANIFESTS = {
    "no JSON": (lambda _: b"{", ModelDamaged, "cannot read manifest.json"),
    "not in UTF-8": (lambda _: b'{"format": "\xff"}', ModelDamaged, "cannot read manifest.json"),
    "empty": (lambda _: b"", ModelDamaged, "cannot read manifest.json"),
    "too deep": (lambda _: b"[" * 100_000, ModelDamaged, "cannot read manifest.json"),
    "a list": (lambda _: b"[]", ModelForeign, "is not a model snapshot of mgw"),
    "another program's": (lambda it: it.update(format="onnx"), ModelForeign, "is not a model snapshot of mgw"),
    "no format": (lambda it: it.pop("format") and None, ModelForeign, "is not a model snapshot of mgw"),
    "a later version": (lambda it: it.update(format_version=99), ModelForeign, "has format version 99"),
    "a key is missing": (lambda it: it.pop("arrays") and None, ModelDamaged, "arrays"),
    "a value of another kind": (lambda it: it.update(created_at="tomorrow"), ModelDamaged, "created_at"),
    "a time without an offset": (lambda it: it.update(created_at="2026-01-02T03:04:05"), ModelDamaged, "created_at"),
    "a folder that was renamed": (lambda it: it.update(name="als-other"), ModelDamaged, "holds the model als-other"),
}
PATHS = ["../../../etc/passwd", "/etc/passwd", "..", "", "a/b.npy", "a\\b.npy", "factors.npy\n", "factors.npz"]
for path in PATHS:
    BAD_MANIFESTS[f"the path {path!r}"] = (
        lambda it, path=path: it["arrays"]["factors"].update(file=path), ModelDamaged, "file"
    )  # fmt: skip


@pytest.mark.parametrize(("change", "error", "said"), BAD_MANIFESTS.values(), ids=BAD_MANIFESTS.keys())
def test_a_manifest_that_is_refused(store, snapshot, change, error, said):
    rewrite(snapshot, change)
    with pytest.raises(error, match=snapshot.manifest.name) as caught:
        store.current()
    assert said in caught.value.message
    assert caught.value.hint
    assert snapshot.manifest.name in store.names(), "it is listed, so that it can be deleted"


def test_a_damaged_model_is_not_taken_into_use_and_can_be_deleted(store, snapshot):
    newer = publish(store, seed=1)
    damage(snapshot.path / "factors.npy", "cut")
    with pytest.raises(ModelDamaged):
        store.use(snapshot.manifest.name)
    assert store.current_name() == newer.manifest.name
    (snapshot.path / "manifest.json").unlink()
    store.delete(snapshot.manifest.name)
    assert store.names() == [newer.manifest.name]
    with pytest.raises(ModelInUse):
        store.delete(newer.manifest.name)


def test_what_is_read_stays_while_it_is_deleted_and_what_is_opened_says_so(store, snapshot):
    reading = snapshot.array("factors")
    publish(store, seed=1)
    store.delete(snapshot.manifest.name)
    assert (reading == FACTORS).all()
    with pytest.raises(ModelNotFound, match="was deleted meanwhile"):
        snapshot.array("factors")
    with pytest.raises(FileUnreadable):
        snapshot.size_bytes  # noqa: B018 - the property is what is tested


def together(*actions) -> list[ModelError]:
    """Run the actions at the same time and return the errors that a user may meet; others end the test."""
    began, expected, others = threading.Barrier(len(actions)), [], []

    def run(action) -> None:
        began.wait()
        try:
            action()
        except ModelError as error:
            expected.append(error)
        except Exception as error:  # noqa: BLE001 - shown below
            others.append(error)

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert others == []
    return expected


def test_many_publish_at_once(store):
    """Some the same model, some another: all are there, complete, and one of them is in use."""
    actions = [lambda seed=seed: publish(store, seed=seed // 2) for seed in range(12)]
    assert together(*actions) == []
    assert 6 <= len(store.names()) <= 12
    for name in store.names():
        store.open(name).verify()
    assert store.current_name() in store.names()
    assert {path.name for path in store.root.iterdir() if path.name.startswith(".")} == {".lock"}


def test_a_model_is_chosen_and_deleted_at_once(store):
    """Whoever wins, the model in use is there."""
    for seed in range(0, 20, 2):
        first, second = publish(store, seed=seed), publish(store, seed=seed + 1)
        name = first.manifest.name
        errors = together(lambda: store.use(name), lambda: store.delete(name))  # noqa: B023 - runs within the turn
        assert len(errors) == 1
        assert store.current().manifest.name in {name, second.manifest.name}


def test_choosing_and_deleting_exclude_each_other(store, snapshot, monkeypatch):
    """While one of them acts upon what it has read, the other is locked out."""
    newer, seen = publish(store, seed=1), []

    def locked_out(*_) -> None:
        with (store.root / ".lock").open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(True)

    monkeypatch.setattr(artifacts, "remove_directory", locked_out)
    monkeypatch.setattr(artifacts, "write_atomic", locked_out)
    store.delete(snapshot.manifest.name)
    store.use(newer.manifest.name)
    assert seen == [True, True]


def test_a_full_disk_leaves_the_model_before_it(small_disk):
    store = ModelStore(small_disk / "models")
    snapshot = publish(store)
    with pytest.raises(DiskFull, match="no space left") as caught:
        publish(store, big=np.ones(1 << 20))
    assert caught.value.hint
    assert store.names() == [snapshot.manifest.name]
    assert {path.name for path in store.root.iterdir()} == {".lock", "current", snapshot.manifest.name}
    store.current().verify()


def test_a_disk_that_may_not_be_written(small_disk):
    store = ModelStore(small_disk / "models")
    snapshot, other = publish(store, seed=1), publish(store, seed=2)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for action in (
        lambda: publish(store, seed=3),
        lambda: store.use(snapshot.manifest.name),
        lambda: store.delete(snapshot.manifest.name),
    ):
        with pytest.raises(ReadOnly) as caught:
            action()
        assert caught.value.hint
    store.current().verify()
    assert store.current_name() == other.manifest.name


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_the_models_folder_is_a_file(store):
    store.root.write_text("")
    for action in (store.names, lambda: publish(store), store.current):
        with pytest.raises((FileUnreadable, ModelMissing)):
            action()


@pytest.mark.parametrize(
    ("number", "action", "expected"),
    [(28, "write", DiskFull), (122, "write", DiskFull), (13, "write", ReadOnly), (30, "write", ReadOnly),
     (13, "read", FileUnreadable), (5, "write", FileUnreadable)],
)  # fmt: skip
def test_what_the_disk_says(tmp_path, number, action, expected):
    with pytest.raises(expected, match="somewhere"), storage_errors(tmp_path, action):
        raise OSError(number, os.strerror(number), "somewhere")
