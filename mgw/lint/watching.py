"""Seeing that a file of a project was saved: by times and sizes, which any file system tells."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TypeAlias

from mgw.lint.files import listing_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_INTERVAL_S = 0.3
_State: TypeAlias = "dict[str, tuple[int, int]]"


def saves(root: Path, excluded: Iterable[str]) -> Iterator[set[str]]:
    """Return an endless iterator over the files that were saved, added or removed since the last time.

    The first time is this call: what is saved while the files are looked at is not missed.
    """
    excluded = tuple(excluded)
    return _saves(root, excluded, _state(root, excluded))


def _saves(root: Path, excluded: tuple[str, ...], before: _State) -> Iterator[set[str]]:
    while True:
        time.sleep(_INTERVAL_S)
        now = _state(root, excluded)
        if changed := {path for path in {*before, *now} if before.get(path) != now.get(path)}:
            yield changed
        before = now


def _state(root: Path, excluded: tuple[str, ...]) -> _State:
    found = {}
    for path in listing_of(root, excluded).paths:
        try:
            status = os.stat(root / path)  # noqa: PTH116 - many
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
