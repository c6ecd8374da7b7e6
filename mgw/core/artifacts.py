"""Model snapshots on disk: a folder of arrays with a JSON manifest, written aside and renamed into place.

    models/
      current                        name of the snapshot in use
      als-20260102T030405-1f3a9c/
        manifest.json                format, parameters, seed, data fingerprint, metrics, versions, and for each
                                     array its file, dtype, shape and SHA-256
        item_factors.npy …

Nothing is pickled: a snapshot from anywhere is safe to load. An array is checked against the manifest's dtype, shape
and checksum when it is first read, so a damaged file is refused by name and an array that nobody reads costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct

from mgw.core.errors import FileUnreadable, ModelDamaged, ModelForeign, ModelInUse, ModelMissing, ModelNotFound
from mgw.core.files import directory_published_as, storage_errors, write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT = "mgw-model"
FORMAT_VERSION = 1
_MANIFEST = "manifest.json"
_NAME = re.compile(r"[a-z0-9][A-Za-z0-9_-]*")


class ArrayEntry(Struct, frozen=True, kw_only=True):
    """What the manifest says of one array."""

    file: str
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
    created_at: datetime
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
        """
        entry = self.manifest.arrays.get(name)
        if entry is None:
            raise ModelDamaged(f"model {self.manifest.name} has no array {name}", hint="train it again")
        path = self.path / entry.file
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ModelDamaged(f"model {self.manifest.name}: cannot read {entry.file}: {error}", hint=_AGAIN) from error
        if array.dtype.str != entry.dtype or array.shape != entry.shape or _sha256(path) != entry.sha256:
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
        """How much the snapshot takes on the disk."""
        return sum(file.stat().st_size for file in self.path.iterdir())


_AGAIN = "train it again, or `mgw models use` another and delete this one"


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
        """Write a snapshot aside, rename it into place and take it into use.

        A process that is killed in the middle leaves the snapshot that was in use before.

        Raises:
            DiskFull, ReadOnly: it could not be written.
        """
        created_at = datetime.now(UTC).replace(microsecond=0)
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values()))
        name = f"{kind}-{created_at:%Y%m%dT%H%M%S}-{digest.hexdigest()[:6]}"
        if not (self.root / name).exists():  # twice the same model within a second is the same snapshot
            with directory_published_as(self.root / name) as folder:
                entries = {key: _write_array(folder, key, array) for key, array in arrays.items()}
                manifest = Manifest(
                    format=FORMAT, format_version=FORMAT_VERSION, name=name, kind=kind, created_at=created_at,
                    parameters=parameters, data=data, metrics=metrics, versions=versions, arrays=entries,
                )  # fmt: skip
                (folder / _MANIFEST).write_bytes(_pretty(manifest))
        self.use(name)
        return self.open(name)

    def names(self) -> list[str]:
        """Return the names of all snapshots, damaged ones too, oldest first."""
        if not self.root.is_dir():
            return []
        with storage_errors(self.root):
            folders = [path for path in self.root.iterdir() if path.is_dir() and _NAME.fullmatch(path.name)]
            return [path.name for path in sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name))]

    def open(self, name: str) -> Snapshot:
        """Read a snapshot's manifest.

        Raises:
            ModelNotFound: there is no such snapshot.
            ModelDamaged: the manifest is missing or cannot be understood.
            ModelForeign: the folder is of another program or of another format version.
        """
        path = self.root / name
        if not _NAME.fullmatch(name) or not path.is_dir():
            raise ModelNotFound(f"there is no model {name}", hint="`mgw models list` shows those that are there")
        try:
            document = json.loads((path / _MANIFEST).read_bytes())
        except (OSError, ValueError) as error:
            raise ModelDamaged(f"model {name}: cannot read {_MANIFEST}: {error}", hint=_AGAIN) from error
        _check_format(name, document)
        try:
            return Snapshot(path, msgspec.convert(document, Manifest))
        except msgspec.ValidationError as error:
            raise ModelDamaged(f"model {name}: {_MANIFEST}: {error}", hint=_AGAIN) from error

    def current_name(self) -> str | None:
        """Return the name of the snapshot in use, or None before the first training."""
        try:
            return (self.root / "current").read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise FileUnreadable(
                f"{self.root / 'current'}: {error}", hint="`mgw models use NAME` writes it anew"
            ) from error

    def current(self) -> Snapshot:
        """Open the snapshot in use.

        Raises:
            ModelMissing: nothing has been trained yet.
        """
        name = self.current_name()
        if name is None:
            raise ModelMissing("no model has been trained yet", hint="run `mgw train als`")
        return self.open(name)

    def use(self, name: str) -> None:
        """Take a snapshot into use; it is read through before."""
        self.open(name).verify()
        write_atomic(self.root / "current", f"{name}\n".encode())

    def delete(self, name: str) -> None:
        """Remove a snapshot, a damaged one too.

        Raises:
            ModelNotFound: there is no such snapshot.
            ModelInUse: it is the one in use.
        """
        if name not in self.names():
            raise ModelNotFound(f"there is no model {name}", hint="`mgw models list` shows those that are there")
        if name == self.current_name():
            raise ModelInUse(f"model {name} is in use", hint="`mgw models use` another one first")
        with storage_errors(self.root):
            # Renamed first, so that a reader never finds half a snapshot under the name.
            gone = self.root / f".{name}.deleted"
            (self.root / name).rename(gone)
            shutil.rmtree(gone)


def _check_format(name: str, document: object) -> None:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ModelForeign(f"{name} is not a model snapshot of mgw", hint="move the folder away from the models")
    if document.get("format_version") != FORMAT_VERSION:
        raise ModelForeign(
            f"model {name} has format version {document.get('format_version')}, this program reads {FORMAT_VERSION}",
            hint="train it again, or use the version of mgw that made it",
        )


def _write_array(folder: Path, name: str, array: NDArray[Any]) -> ArrayEntry:
    path = folder / f"{name}.npy"
    np.save(path, np.ascontiguousarray(array), allow_pickle=False)
    return ArrayEntry(file=path.name, dtype=array.dtype.str, shape=array.shape, sha256=_sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pretty(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2) + b"\n"
