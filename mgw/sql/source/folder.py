"""The folder of queries: which files there are, and what each is called."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.sql.errors import NameInvalid, NameTwice, NotUtf8, QueriesMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.sql.errors import QueryFault

PREPARED = ".prepared"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:/[A-Za-z][A-Za-z0-9_-]*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class SourceFile:
    r"""A file of the folder, read and not yet parsed.

    Attributes:
        name: its path below the folder, without the ending.
        path: where it is.
        text: its content, with line ends of `\n` and without a byte order mark.
        checksum: SHA-256 of `text`.
    """

    name: str
    path: Path
    text: str
    checksum: str


def function_name(name: str) -> str:
    """Return what the accessor of a query is called.

    >>> function_name("graph/genre-similar")
    'graph_genre_similar'
    """
    return name.replace("/", "_").replace("-", "_").lower()


def read_folder(folder: Path) -> tuple[dict[str, SourceFile], list[QueryFault]]:
    """Read every `*.sql` below a folder; return the files by name, in order, and what is wrong with the others.

    Hidden files and folders are left alone.

    Raises:
        QueriesMissing: the folder does not exist, or there is no query in it.
    """
    if not folder.is_dir():
        raise QueriesMissing(f"{folder} is not a folder", hint="name the folder of the queries with --queries")
    files: dict[str, SourceFile] = {}
    faults: list[QueryFault] = []
    taken: dict[str, str] = {}
    for name, path in sorted(_paths(str(folder), "")):
        fault = _name_fault(name, Path(path), taken)
        file = None if fault else read_file(name, Path(path))
        if isinstance(file, SourceFile):
            files[name] = file
        else:
            fault = fault or file
            assert fault is not None
            faults.append(fault)
    if not files and not faults:
        raise QueriesMissing(f"there are no queries in {folder}", hint="a query is a file whose name ends in .sql")
    return files, faults


def _paths(folder: str, prefix: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _paths(entry.path, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".sql"):
                yield prefix + entry.name[:-4], entry.path


def _name_fault(name: str, path: Path, taken: dict[str, str]) -> QueryFault | None:
    if not _NAME.fullmatch(name):
        return NameInvalid(
            f"{name!r} is no name for a query",
            path=path,
            hint="letters, digits, _ and -, the first a letter, in each part of the path",
        )
    function = function_name(name)
    for each in (function, f"{function}_async"):
        other = taken.setdefault(each, name)
        if other != name:
            return NameTwice(f"{other} and {name} would both be {each}()", path=path, hint="rename one of the two")
    return None


def read_file(name: str, path: Path) -> SourceFile | QueryFault:
    """Read one file."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a third of the time, and there may be thousands
            content = file.read()
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        return NotUtf8(
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            path=path, text=before, offset=len(before), hint="save the file in UTF-8",
        )  # fmt: skip
    except OSError as error:
        return NotUtf8(f"cannot be read: {error.strerror or error}", path=path, hint="check its permissions")
    if "\0" in text:
        offset = text.index("\0")
        return NotUtf8("a zero byte is in no text", path=path, text=text, offset=offset, hint="save the file in UTF-8")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return SourceFile(name, path, text, hashlib.sha256(text.encode()).hexdigest())
