"""Model snapshots on disk: a folder of arrays with a JSON manifest, written aside and renamed into place.

    models/
      current                        name of the snapshot in use
      als-20260102T030405-1f3a9c/
        manifest.json                format, parameters, seed, data fingerprint, metrics, versions, and for each
                                     array its file, dtype, shape and SHA-256
        item_factors.npy …

Nothing is pickled: a snapshot from anywhere is safe to load. An array is checked against the manifest's checksum, dtype
and shape when it is read, so a damaged file is refused by name and an array that nobody reads costs nothing.
"""

from __future__ import annotations

import hashlib
import math
import re
import tokenize
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import msgspec
import numpy as np
from msgspec import Meta, Struct

from mgw.core.errors import FileUnreadable, ModelDamaged, ModelForeign, ModelInUse, ModelMissing, ModelNotFound
from mgw.core.files import directory_published_as, locked, remove_directory, storage_errors, sweep, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = "mgw-model"
FORMAT_VERSION = 1
_MANIFEST = "manifest.json"
_CURRENT = "current"
_LOCK = ".lock"  # between those who choose a model and those who delete one
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_STAMP = re.compile(r"-(\d{8}T\d{6})-")
_PUBLISHED = re.compile(r"[A-Za-z0-9_-]+-\d{8}T\d{6}-[0-9a-f]+")
_REWRITE = "`mgw models use NAME` writes it anew"
# What NumPy raises for a file that only looks like an array.
_UNREADABLE = (OSError, ValueError, TypeError, EOFError, OverflowError, SyntaxError, MemoryError, tokenize.TokenError)

# A file in the snapshot's own folder, whatever a manifest from elsewhere may say.
FileName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]+\.npy\Z")]


class ArrayEntry(Struct, frozen=True, kw_only=True):
    """What the manifest says of one array."""

    file: FileName
    dtype: str
    shape: tuple[int, ...]
    sha256: str


class Manifest(Struct, frozen=True, kw_only=True):
    """Everything about a snapshot but its arrays.

    Attributes:
        format: always "mgw-model".
        format_version: of the folder's layout.
        name: of the snapshot, and of its folder.
        kind: the model, e.g. "als".
        created_at: when it was published, in UTC.
        parameters: what it was trained with, the seed among them.
        data: what it was trained on: counts and a fingerprint of the interactions.
        metrics: what was measured of it; empty where nothing was.
        versions: of the program and the libraries that made it.
        arrays: by name.
    """

    format: str
    format_version: int
    name: str
    kind: str
    created_at: Annotated[datetime, Meta(tz=True)]
    parameters: dict[str, Any]
    data: dict[str, Any]
    metrics: dict[str, Any]
    versions: dict[str, str]
    arrays: dict[str, ArrayEntry]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot whose manifest has been read and found to be ours."""

    path: Path
    manifest: Manifest

    def array(self, name: str) -> NDArray[Any]:
        """Read one array, memory-mapped and read-only.

        Raises:
            ModelDamaged: the file is missing, or is not what the manifest says.
            ModelNotFound: the snapshot was deleted meanwhile.
        """
        entry = self.manifest.arrays.get(name)
        if entry is None:
            raise ModelDamaged(f"model {self.manifest.name} has no array {name}", hint=_AGAIN)
        try:
            array = _read_array(self.path / entry.file, entry)
        except _UNREADABLE as error:
            if not self.path.is_dir():
                raise ModelNotFound(f"model {self.manifest.name} was deleted meanwhile", hint=_LISTED) from error
            raise ModelDamaged(f"model {self.manifest.name}: cannot read {entry.file}: {error}", hint=_AGAIN) from error
        if array is None:
            raise ModelDamaged(f"model {self.manifest.name}: {entry.file} is not what was published", hint=_AGAIN)
        return array

    def verify(self) -> None:
        """Read every array once.

        Raises:
            ModelDamaged: one of them is not what was published.
        """
        for name in self.manifest.arrays:
            self.array(name)

    @property
    def size_bytes(self) -> int:
        """How much the snapshot takes on the disk.

        Raises:
            FileUnreadable: it cannot be looked at, or was deleted meanwhile.
        """
        with storage_errors(self.path, "read"):
            return sum(file.stat().st_size for file in self.path.iterdir())


_AGAIN = "train it again, or `mgw models use` another and delete this one"
_LISTED = "`mgw models list` shows those that are there"


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The snapshots of a project, and which of them is in use."""

    root: Path

    def publish(
        self,
        kind: str,
        arrays: Mapping[str, NDArray[Any]],
        *,
        parameters: dict[str, Any],
        data: dict[str, Any],
        metrics: dict[str, Any],
        versions: dict[str, str],
    ) -> Snapshot:
        """Write a snapshot and take it into use: `add` and `use` in one.

        Raises:
            DiskFull, ReadOnly: it could not be written.
        """
        snapshot = self.add(kind, arrays, parameters=parameters, data=data, metrics=metrics, versions=versions)
        self.use(snapshot.manifest.name)
        return snapshot

    def add(
        self,
        kind: str,
        arrays: Mapping[str, NDArray[Any]],
        *,
        parameters: dict[str, Any],
        data: dict[str, Any],
        metrics: dict[str, Any],
        versions: dict[str, str],
    ) -> Snapshot:
        """Write a snapshot aside and rename it into place; the one that is in use stays so.

        A process that is killed in the middle leaves the snapshot that was in use before, and perhaps a hidden folder,
        which the next one to publish removes.

        Raises:
            DiskFull, ReadOnly: it could not be written.
        """
        sweep(self.root)
        created_at = datetime.now(UTC).replace(microsecond=0)
        # Whatever differs, be it one parameter, differs in the digest: what has the same name is the same snapshot.
        described = msgspec.json.encode([parameters, data, metrics, versions], order="sorted")
        name = f"{kind}-{created_at:%Y%m%dT%H%M%S}-{_digest(arrays, described)}"
        try:
            with directory_published_as(self.root / name) as folder:
                entries = {key: _write_array(folder, key, array) for key, array in arrays.items()}
                manifest = Manifest(
                    format=FORMAT, format_version=FORMAT_VERSION, name=name, kind=kind, created_at=created_at,
                    parameters=parameters, data=data, metrics=metrics, versions=versions, arrays=entries,
                )  # fmt: skip
                (folder / _MANIFEST).write_bytes(_pretty(manifest))
        except FileUnreadable:
            if not (self.root / name / _MANIFEST).is_file():  # somebody else published the same within this second
                raise
        return self.open(name)

    def names(self) -> list[str]:
        """Return the names of all snapshots, damaged ones too, oldest first."""
        with storage_errors(self.root, "read"):
            try:
                folders = [path for path in self.root.iterdir() if path.is_dir() and _NAME.fullmatch(path.name)]
            except FileNotFoundError:
                return []
        return sorted((path.name for path in folders), key=lambda name: (_STAMP.findall(name)[-1:], name))

    def published_names(self) -> list[str]:
        """Return the names that `add` gave, damaged ones too, oldest first; other folders are somebody's own."""
        return [name for name in self.names() if _PUBLISHED.fullmatch(name)]

    def open(self, name: str) -> Snapshot:
        """Read a snapshot's manifest.

        Raises:
            ModelNotFound: there is no such snapshot.
            ModelDamaged: the manifest is missing or cannot be understood.
            ModelForeign: the folder is of another program or of another format version.
        """
        path = self.root / name
        if not _NAME.fullmatch(name) or not path.is_dir():
            raise ModelNotFound(f"there is no model {name}", hint=_LISTED)
        try:
            document = msgspec.json.decode((path / _MANIFEST).read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise ModelDamaged(f"model {name}: cannot read {_MANIFEST}: {error}", hint=_AGAIN) from error
        _check_format(name, document)
        try:
            manifest = msgspec.convert(document, Manifest)
        except msgspec.ValidationError as error:
            raise ModelDamaged(f"model {name}: {_MANIFEST}: {error}", hint=_AGAIN) from error
        if manifest.name != name:
            raise ModelDamaged(
                f"the folder {path} holds the model {manifest.name}", hint=f"rename the folder to {manifest.name}"
            )
        return Snapshot(path, manifest)

    def current_name(self) -> str | None:
        """Return the name of the snapshot in use, or None before the first training."""
        try:
            return (self.root / _CURRENT).read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnreadable(f"{self.root / _CURRENT}: {error}", hint=_REWRITE) from error

    def current(self) -> Snapshot:
        """Open the snapshot in use.

        Raises:
            ModelMissing: nothing has been trained yet.
            ModelNotFound: the one that was in use is not there.
        """
        name = self.current_name()
        if name is None:
            raise ModelMissing("no model has been trained yet", hint="run `mgw train als`")
        try:
            return self.open(name)
        except ModelNotFound as error:
            raise ModelNotFound(
                f"{self.root / _CURRENT} names the model {name!r}, which is not there",
                hint="`mgw models use` another one, or run `mgw train als`",
            ) from error

    def use(self, name: str) -> None:
        """Take a snapshot into use; it is read through before.

        Raises:
            ModelNotFound, ModelDamaged, ModelForeign: it is not there or not fit for use.
            StorageError: it could not be noted down.
        """
        self.open(name).verify()
        with storage_errors(self.root), locked(self.root / _LOCK):
            self.open(name)  # not deleted meanwhile
            write_atomic(self.root / _CURRENT, f"{name}\n".encode())

    def delete(self, name: str) -> None:
        """Remove a snapshot, a damaged one too. Who reads it already can go on reading.

        Raises:
            ModelNotFound: there is no such snapshot.
            ModelInUse: it is the one in use.
            StorageError: it could not be removed.
        """
        if name not in self.names():
            raise ModelNotFound(f"there is no model {name}", hint=_LISTED)
        with storage_errors(self.root), locked(self.root / _LOCK):
            if name == self.current_name():
                raise ModelInUse(f"model {name} is in use", hint="`mgw models use` another one first")
            try:
                remove_directory(self.root / name)
            except FileNotFoundError as error:  # somebody else was faster
                raise ModelNotFound(f"there is no model {name}", hint=_LISTED) from error


def _check_format(name: str, document: object) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelForeign(f"{name} is not a model snapshot of mgw", hint="move the folder away from the models")
    if document.get("format_version") != FORMAT_VERSION:
        raise ModelForeign(
            f"model {name} has format version {document.get('format_version')}, this program reads {FORMAT_VERSION}",
            hint="train it again, or use the version of mgw that made it",
        )


class _HashingFile:
    """What `np.save` writes to: hashes on the way, and lets the file's own errors through.

    To a real file NumPy writes in C, and reports a full disk without its error number.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.digest.update(content)
        return self._file.write(content)


def _write_array(folder: Path, name: str, array: NDArray[Any]) -> ArrayEntry:
    path = folder / f"{name}.npy"
    with path.open("wb") as file:
        hashing = _HashingFile(file)
        np.lib.format.write_array(hashing, np.asarray(array, order="C"), version=(1, 0), allow_pickle=False)
    return ArrayEntry(file=path.name, dtype=array.dtype.str, shape=array.shape, sha256=hashing.digest.hexdigest())


def _read_array(path: Path, entry: ArrayEntry) -> NDArray[Any] | None:
    """Return the array, or None where the file is not what the manifest says.

    The checksum comes first, so that the header of a file that is damaged or exchanged is not even parsed; NumPy maps
    only what has the length that its header promises.
    """
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != entry.sha256:
            return None
        file.seek(0)
        if np.lib.format.read_magic(file) != (1, 0):
            return None
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        length = math.prod(shape) * dtype.itemsize
        if (dtype.str, shape, file.tell() + length) != (entry.dtype, entry.shape, path.stat().st_size):
            return None
    mapped: NDArray[Any] = np.lib.format.open_memmap(path, mode="r")  # refuses what would have to be unpickled
    return mapped.view(np.ndarray)  # still mapped, but a slice of it is not made in Python


def _digest(arrays: Mapping[str, NDArray[Any]], described: bytes) -> str:
    digest = hashlib.sha256(described)
    for name, array in arrays.items():
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:8]


def _pretty(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
