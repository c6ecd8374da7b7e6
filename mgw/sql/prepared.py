"""`queries/.prepared`: a file for each description, so that two branches that add queries never conflict.

The first entry of a file is the checksum of everything behind it: a description that was edited by hand is found
without parsing it. Keys are sorted and the file ends with a line end. What did not change is not written.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from mgw.core.files import replace_file, storage_errors
from mgw.sql.description import FORMAT, Description
from mgw.sql.source import PREPARED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENDING = ".json"
_OPENING = b'{\n  "checksum": "'
_CHECKSUM_LENGTH = 64
_BODY = len(_OPENING) + _CHECKSUM_LENGTH
Damage: TypeAlias = Literal["edited", "foreign"]


_decode = msgspec.json.Decoder(Description).decode


@dataclass(frozen=True, slots=True)
class Prepared:
    """A description as it is kept.

    Attributes:
        name: of the query.
        path: the file.
        checksum: of the content.
        description: None where it cannot be used.
        damage: why not: it was edited by hand, or has a format that is not known here.
    """

    name: str
    path: Path
    checksum: str
    description: Description | None
    damage: Damage | None = None


def encode(description: Description) -> bytes:
    """Return the content of the file of a description."""
    plain = msgspec.json.encode(description, order="sorted")
    body = msgspec.json.format(plain, indent=2).removeprefix(b"{\n") + b"\n"
    tail = b'",\n' + body
    return _OPENING + hashlib.sha256(tail).hexdigest().encode() + tail


def checksum_of(content: bytes) -> str:
    """Return the checksum that the file of a description begins with."""
    return content[len(_OPENING) : _BODY].decode("ascii", "replace")


def decode(name: str, path: Path, content: bytes) -> Prepared:
    """Read the content of a file."""
    if b"\r\n" in content:  # as Git may have written it on another machine
        content = content.replace(b"\r\n", b"\n")
    claimed, actual = content[len(_OPENING) : _BODY], hashlib.sha256(content[_BODY:]).hexdigest()
    if not content.startswith(_OPENING) or claimed != actual.encode():
        return Prepared(name, path, actual, None, "edited")
    try:
        description = _decode(content)
    except msgspec.MsgspecError:
        return Prepared(name, path, actual, None, "foreign")
    if description.format != FORMAT:
        return Prepared(name, path, actual, None, "foreign")
    if description.name != name:
        return Prepared(name, path, actual, None, "edited")
    return Prepared(name, path, actual, description)


def read_prepared(queries: Path) -> dict[str, Prepared]:
    """Read what is kept beside a folder of queries, by name, in order."""
    folder = queries / PREPARED
    found = {}
    with storage_errors(folder, "read"):
        for name, path in sorted(_paths(str(folder), "")):
            with open(path, "rb") as file:  # noqa: PTH123 - a third of the time, and there may be thousands
                found[name] = decode(name, Path(path), file.read())
    return found


def write_prepared(queries: Path, descriptions: Mapping[str, Description], *, keep: set[str]) -> tuple[int, int]:
    """Write what changed and remove what is left over; return how many files were written and removed.

    Args:
        queries: the folder of queries.
        descriptions: what is to be kept, by name.
        keep: names whose files stay as they are: queries that could not be described now.
    """
    folder = queries / PREPARED
    written = 0
    for name, description in descriptions.items():
        path, content = folder / f"{name}{_ENDING}", encode(description)
        if _content(path) != content:
            with storage_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, content)
            written += 1
    left_over = [path for name, path in _paths(str(folder), "") if name not in descriptions and name not in keep]
    for each in left_over:
        _remove(Path(each), folder)
    return written, len(left_over)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove(path: Path, folder: Path) -> None:
    with storage_errors(path):
        path.unlink(missing_ok=True)
        for parent in path.parents:
            if parent == folder or any(parent.iterdir()):
                break
            parent.rmdir()


def _paths(folder: str, prefix: str) -> Iterator[tuple[str, str]]:
    if not os.path.isdir(folder):  # noqa: PTH112 - beside `os.scandir`
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _paths(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.endswith(_ENDING):
                yield prefix + entry.name[: -len(_ENDING)], entry.path
