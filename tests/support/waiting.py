"""Waiting for what other processes and threads do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def until(holds: Callable[[], Any], what: str = "", seconds: float = 30) -> Any:
    """Wait until something holds, and return what it gave; say `what` was waited for in vain."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what or 'it came about'}"
        time.sleep(0.02)
    return found
