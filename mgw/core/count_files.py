"""What several processes counted, in files of a folder that they share: any of them can tell the sum.

A process keeps its own counts now and then. Those of one that is gone stay, but for its gauges: a sum never falls when
a process is replaced.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

import msgspec

from mgw.core.errors import MgwError
from mgw.core.files import locked, replace_file, write_atomic
from mgw.core.metrics import FamilySample, merged
from mgw.core.processes import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_log = logging.getLogger(__name__)

_SUFFIX = ".counts"


class CountFiles:
    """Such a folder.

    Args:
        folder: that is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keeping = threading.Lock()

    def keep(self, sample: list[FamilySample]) -> None:
        """Keep what this process counted."""
        with self._keeping:
            replace_file(self._folder / f"{os.getpid()}{_SUFFIX}", msgspec.msgpack.encode(sample))

    def read(self) -> Iterator[list[FamilySample]]:
        """Yield what each process counted; of those that are gone without what only a living one can say."""
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            sample = msgspec.msgpack.decode(path.read_bytes(), type=list[FamilySample])
            yield sample if is_alive(int(path.stem)) else [family for family in sample if family.kind != "gauge"]


def add_counts(path: Path, sample: list[FamilySample]) -> None:
    """Add what a process counted that ends now to a file of many such; where that cannot be written, it is not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock")):
            write_atomic(path, msgspec.msgpack.encode(counts_with(path, sample)))
    except (OSError, MgwError):
        _log.warning("what was counted cannot be kept in %s", path)


def counts_with(path: Path, sample: list[FamilySample]) -> list[FamilySample]:
    """Return what is in such a file and a sample together.

    The sample alone where there is no file, one that cannot be read, or one of a version that declared it in another
    way: a count that begins anew is what its readers expect now and then.
    """
    try:
        return merged([msgspec.msgpack.decode(path.read_bytes(), type=list[FamilySample]), sample])
    except (OSError, ValueError):  # of the latter is also what msgspec raises
        return sample
