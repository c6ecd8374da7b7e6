"""Seeing that a file of a project was saved."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mgw.core import watching
from mgw.lint.files import listing_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_INTERVAL_S = 0.3


def saves(root: Path, excluded: Iterable[str]) -> Iterator[set[str]]:
    """Return an endless iterator over the files that were saved, added or removed since the last time.

    The first time is this call: what is saved while the files are looked at is not missed.
    """
    excluded = tuple(excluded)
    return watching.saves(lambda: _look(root, excluded), _look(root, excluded), _INTERVAL_S)


def _look(root: Path, excluded: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    found = {}
    for path in listing_of(root, excluded).paths:
        try:
            status = os.stat(root / path)  # noqa: PTH116 - many
        except OSError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
