"""Writing the audit trail.

A change in the database is recorded in its own transaction: both are there, or neither. What changes elsewhere (a
file, a process, a token) is noted: appended to a file of the project and synced before anybody goes on, and written
to the database by whoever comes to it next. Nobody waits for the database, and while it is away the files stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from mgw.core.changes import Entry, entry_of
from mgw.core.database.recording import write
from mgw.core.errors import MgwError
from mgw.core.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.changes import Actor, Change

FOLDER = "audit"
"""Of the entries on their way, in the project's folder of what is its own."""


class _LaterError(MgwError):
    """Entries could not be written now, for no fault of theirs."""


class Trail:
    """What a process notes.

    Args:
        state: the project's folder of what is its own.
    """

    def __init__(self, state: Path) -> None:
        self._spool = Spool(state / FOLDER, Entry, "entries of the audit trail", is_synced=True)

    def note(self, actor: Actor, change: Change) -> None:
        """Keep a change until it can be written to the database."""
        self._spool.add([entry_of(actor, change)])

    @property
    def is_kept(self) -> bool:
        """Whether nothing that was noted would be lost if this process ended now."""
        return self._spool.is_kept

    def flush(self, run: Callable[[Callable[[Connection[TupleRow]], None]], object]) -> int:
        """Write what was noted, by others that have ended too; return how many files are left.

        Args:
            run: does some work with a connection that is in no transaction, and translates its errors.
        """

        def write_all(entries: Sequence[Entry]) -> None:
            def work(connection: Connection[TupleRow]) -> None:
                with connection.transaction():
                    write(connection, entries)

            try:
                run(work)
            except MgwError as error:
                if isinstance(error.__cause__, psycopg.DataError | psycopg.IntegrityError):
                    raise  # whenever they are sent, they are refused: they are set aside
                raise _LaterError(error.message, hint=error.hint) from error

        return self._spool.flush(write_all, (_LaterError,))

    @property
    def backlog(self) -> int:
        """How many files wait for the database."""
        return len(self._spool.waiting())
