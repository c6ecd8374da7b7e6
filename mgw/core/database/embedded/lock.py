"""The lock of a home: whoever holds it may touch the data directory, and it dies with its holder.

A client takes it to prepare and to start the keeper, and hands it over by inheritance; the keeper holds it for life.
So there is never a second keeper, no moment between the two, and no stale lock to heal: the kernel releases a `flock`
when the last copy of the descriptor is closed, however that comes about.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def lock(path: Path, *, wait: bool) -> Iterator[int | None]:
    """Yield the descriptor of the locked file at `path`, which is created where it is missing.

    Without `wait`, yield None where somebody else holds the lock.
    """
    import fcntl  # noqa: PLC0415 - does not exist on Windows, where this package must still import

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield descriptor
    finally:
        os.close(descriptor)
