"""Facts that are kept between runs, by the time and size of the file that they are of.

A file that cannot be read, or was written by another version, is as good as none: everything is read again.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from mgw import __version__
from mgw.core.files import replace_file
from mgw.lint.facts.values import ModuleFacts

if TYPE_CHECKING:
    from collections.abc import Collection

_CODE = Path(__file__).parent


class _Entry(Struct, array_like=True):
    time_ns: int
    size: int
    facts: ModuleFacts


class _Kept(Struct, array_like=True):
    made_by: str
    entries: dict[str, _Entry]


class Memory:
    """The facts of a project's modules.

    Args:
        file: where they are kept; None keeps nothing.
        root: of the project.
        accessors: names of the module of accessors, which facts depend on.
    """

    def __init__(self, file: Path | None, root: Path, accessors: Collection[str]) -> None:
        self._file = file
        self._root = root
        self._made_by = _made_by(accessors)
        self._entries: dict[str, _Entry] = {}
        self._asked: set[str] = set()
        self._is_new = False
        if file is not None:
            try:
                kept = msgspec.msgpack.decode(file.read_bytes(), type=_Kept)
            except (OSError, msgspec.MsgspecError):
                return
            if kept.made_by == self._made_by:
                self._entries = kept.entries

    def recall(self, path: str) -> ModuleFacts | None:
        """Return what is known of a file, if it is as it was."""
        self._asked.add(path)
        entry = self._entries.get(path)
        if entry is None or (entry.time_ns, entry.size) != self._state(path):
            return None
        return entry.facts

    def note(self, path: str, facts: ModuleFacts) -> None:
        """Keep what was read."""
        time_ns, size = self._state(path)
        self._entries[path] = _Entry(time_ns, size, facts)
        self._is_new = True

    def save(self) -> None:
        """Write what was asked for in this run; where that cannot be, the next run reads again."""
        if self._file is None or not (self._is_new or self._asked != self._entries.keys()):
            return
        kept = _Kept(self._made_by, {path: each for path, each in self._entries.items() if path in self._asked})
        try:
            if not self._file.parent.exists():  # of nobody else: Git is told to leave it alone
                self._file.parent.mkdir(parents=True)
                (self._file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            replace_file(self._file, msgspec.msgpack.encode(kept))
        except OSError:
            return

    def _state(self, path: str) -> tuple[int, int]:
        try:
            status = os.stat(self._root / path)  # noqa: PTH116 - many
        except OSError:
            return 0, 0
        return status.st_mtime_ns, status.st_size


def _made_by(accessors: Collection[str]) -> str:
    """Return what facts depend on beside the file: this code and the names of accessors."""
    digest = hashlib.sha256(f"{__version__} {sorted(accessors)}".encode())
    for path in sorted(_CODE.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
