"""Seeing which queries were saved: by the time and size of their files, which any file system tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INTERVAL_S = 0.1


def state(folder: Path) -> dict[Path, tuple[int, int]]:
    """Return what tells a changed file from an unchanged one, for every query of a folder."""
    found = {}
    for path in folder.rglob("*.sql"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        try:
            status = path.stat()
        except FileNotFoundError:
            continue  # removed between the two
        found[path] = (status.st_mtime_ns, status.st_size)
    return found


def changes(
    folder: Path, before: dict[Path, tuple[int, int]], *, interval_s: float = INTERVAL_S
) -> Iterator[set[Path]]:
    """Yield the files that were saved, added or removed since the last time, for ever; an empty set where none were.

    Args:
        folder: of the queries.
        before: its state before it was read: what is saved while it is being described would be missed otherwise.
        interval_s: how often to look, in seconds.
    """
    while True:
        time.sleep(interval_s)
        now = state(folder)
        yield {path for path in {*before, *now} if before.get(path) != now.get(path)}
        before = now
