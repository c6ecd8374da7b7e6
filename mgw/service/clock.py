"""When something new became known of a user, seen by all workers of a machine at once.

A file of numbers that all workers map into their memory. A user has one of them, which is drawn anew with each update;
a list that was made before is not good any more. Two users may share a number: then the one's news empties the other's
list, which costs a computation and nothing else. A number is drawn, not counted up, so two updates at once cannot undo
each other.
"""

from __future__ import annotations

import mmap
import secrets
import zlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

SLOTS = 1 << 16
_NUMBER_BYTES = 8


class Clock:
    """The numbers; what is written by one process is read by all that map the same file."""

    def __init__(self, numbers: memoryview) -> None:
        self._numbers = numbers

    @classmethod
    def create(cls, path: Path) -> None:
        """Make the file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(SLOTS * _NUMBER_BYTES)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Map the file, which `create` made."""
        with path.open("r+b") as file:
            return cls(memoryview(mmap.mmap(file.fileno(), SLOTS * _NUMBER_BYTES)).cast("Q"))

    def read(self, user_id: str) -> int:
        """Return the user's number."""
        return self._numbers[zlib.crc32(user_id.encode()) % SLOTS]

    def touch(self, user_id: str) -> None:
        """Draw a new number for the user."""
        self._numbers[zlib.crc32(user_id.encode()) % SLOTS] = secrets.randbits(64)
