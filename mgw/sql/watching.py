"""Seeing that a query or a migration was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.core import watching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_INTERVAL_S = 0.1


def saves(folders: Iterable[Path]) -> Iterator[set[Path]]:
    """Return an endless iterator over the `*.sql` that were saved, added or removed since the last time.

    The first time is this call: what is saved while files are described is not missed.
    """
    folders = tuple(folders)
    return watching.saves(lambda: _look(folders), _look(folders), _INTERVAL_S)


def _look(folders: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    found = {}
    for folder in folders:
        for path in folder.rglob("*.sql"):
            if any(part.startswith(".") for part in path.relative_to(folder).parts):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # removed between the two
            found[path] = (status.st_mtime_ns, status.st_size)
    return found
