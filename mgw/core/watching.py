"""Seeing that files were saved: by times and sizes, which any file system tells."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_Path = TypeVar("_Path")


def saves(
    look: Callable[[], Mapping[_Path, tuple[int, int]]], before: Mapping[_Path, tuple[int, int]], interval_s: float
) -> Iterator[set[_Path]]:
    """Yield the files that were saved, added or removed since the last time, for ever.

    Args:
        look: returns the time, in ns, and the size of every file that counts.
        before: what it returned before they were read: what is saved while they are read would be missed otherwise.
        interval_s: how often to look, in seconds.
    """
    while True:
        time.sleep(interval_s)
        now = look()
        if changed := {path for path in {*before, *now} if before.get(path) != now.get(path)}:
            yield changed
        before = now
