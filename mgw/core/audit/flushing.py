"""Bringing what was noted to the database, now and then, in a process that has no other business with it."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgw.core.audit.trail import Trail
    from mgw.core.database import Database

_log = logging.getLogger(__name__)

_EVERY_S = 5.0


class Flusher:
    """A thread that writes the notes of a machine to the database while the block runs, and once more at its end.

    Args:
        trail: of the machine.
        database: that has the whole schema.
    """

    def __init__(self, trail: Trail, database: Database) -> None:
        self._trail = trail
        self._database = database
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        if not self._trail.backlog:
            return
        try:
            self._trail.flush(self._database.run)
        except Exception:  # noqa: BLE001 - the thread must not end
            _log.exception("writing the audit trail")
