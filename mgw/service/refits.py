"""Adapters that follow their users' new events, trained by a thread that no answer waits for."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from mgw.core.errors import MgwError

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_MOST = 10_000


class Refits:
    """Users whose adapters are to be trained anew, each once however often it is added, the longest waiting first.

    Args:
        work: trains one user.
    """

    def __init__(self, work: Callable[[str], None]) -> None:
        self._work = work
        self._waiting: dict[str, None] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="refits", daemon=True)

    @property
    def waiting(self) -> int:
        """How many users wait."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def add(self, user_id: str) -> None:
        """Have a user trained; where too many wait, not: the next events, or `mgw train lora`, make up for it."""
        with self._changed:
            if len(self._waiting) < _MOST:
                self._waiting[user_id] = None
                self._changed.notify()

    def close(self, seconds: float) -> None:
        """Train those who wait, but for no longer than so many seconds, and end."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while (user_id := self._next()) is not None:
            try:
                self._work(user_id)
            except MgwError as error:
                _log.warning("the adapter of %r is not trained: %s", user_id, error.message)
            except Exception:  # noqa: BLE001 - the thread must not end
                _log.exception("training the adapter of %r", user_id)

    def _next(self) -> str | None:
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            user_id = next(iter(self._waiting), None)
            if user_id is not None:
                del self._waiting[user_id]
            return user_id
