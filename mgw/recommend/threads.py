"""How many threads the compiled loops take."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numba

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def numba_threads(threads: int) -> Iterator[None]:
    """Set Numba's number of threads for a block; 0 means all."""
    most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # set when Numba is imported
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads or most, most))
    try:
        yield
    finally:
        numba.set_num_threads(before)
