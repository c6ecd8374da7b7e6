"""Seeing which files were saved: by their times and sizes, which any file system tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

INTERVAL_S = 0.1
State: TypeAlias = "dict[Path, tuple[int, int]]"


def state(folders: Iterable[Path]) -> State:
    """Return what tells a changed file from an unchanged one, for every `*.sql` of some folders."""
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


def changes(folders: Iterable[Path], before: State, *, interval_s: float = INTERVAL_S) -> Iterator[set[Path]]:
    """Yield the files that were saved, added or removed since the last time, for ever.

    Args:
        folders: of queries and of migrations.
        before: their state before they were read: what is saved while it is being described would be missed otherwise.
        interval_s: how often to look, in seconds.
    """
    folders = tuple(folders)
    while True:
        time.sleep(interval_s)
        now = state(folders)
        changed = {path for path in {*before, *now} if before.get(path) != now.get(path)}
        if changed:
            yield changed
        before = now
