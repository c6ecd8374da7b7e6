"""Connections to the database for the threads of a worker: one each, and none is waited for while the database is away.

The first request that finds the database gone marks it as away, and those after it do without at once; a look every
now and then (`probe`), by a thread that nobody waits for, finds it back.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import psycopg

from mgw.core.errors import (
    DatabaseAuthFailed,
    DatabaseTooOld,
    DatabaseUnreachable,
    EmbeddedFailed,
    EmbeddedUnavailable,
    MgwError,
    MigrationEdited,
    SchemaOutdated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.database import Database

_Result = TypeVar("_Result")

_log = logging.getLogger(__name__)

AWAY = (
    DatabaseUnreachable, DatabaseAuthFailed, DatabaseTooOld, EmbeddedFailed, EmbeddedUnavailable, SchemaOutdated,
    MigrationEdited,
)  # fmt: skip
"""What says that the database cannot be asked at all, not that it refused a question."""


class _Thread(threading.local):
    stack: ExitStack | None = None
    connection: Connection[TupleRow] | None = None


class Connections:
    """The connections of a worker.

    Args:
        database: to connect to.
        deadline_s: after how long a statement is given up.
    """

    def __init__(self, database: Database, deadline_s: float) -> None:
        self._database = database
        self._deadline_s = deadline_s
        self._own = _Thread()
        self.open = 0
        self._away: MgwError | None = None

    @property
    def is_away(self) -> bool:
        """Whether the database was gone when it was last asked."""
        return self._away is not None

    def run(self, work: Callable[[Connection[TupleRow]], _Result]) -> _Result:
        """Do some work with the thread's connection, each statement a transaction of its own: to end one takes a trip.

        Args:
            work: may be done twice: a connection that was lost since the last request is opened anew.

        Raises:
            DatabaseError: the database is away, or refused something.
        """
        if (away := self._away) is not None:
            raise type(away)(away.message, hint=away.hint)
        try:
            return self._attempt(work)
        except AWAY as error:
            if self._away is None:
                _log.warning("the database is away: %s", error.message)
            self._away = error
            raise

    def probe(self) -> None:
        """See whether the database is there; to be called by a thread of its own."""
        try:
            self._attempt(lambda _connection: None)
        except MgwError as error:
            self._away = error
            return
        self._away = None
        _log.info("the database is back")

    def close(self) -> None:
        """Close the thread's connection."""
        if self._own.stack is not None:
            stack, self._own.stack, self._own.connection = self._own.stack, None, None
            stack.close()

    def _attempt(self, work: Callable[[Connection[TupleRow]], _Result]) -> _Result:
        if self._own.connection is None:
            return self._once(work)
        try:
            return self._once(work)
        except AWAY:
            return self._once(work)

    def _once(self, work: Callable[[Connection[TupleRow]], _Result]) -> _Result:
        with self._translated():
            return work(self._open())

    def _open(self) -> Connection[TupleRow]:
        if self._own.connection is None:
            stack = ExitStack()
            self._own.connection = stack.enter_context(self._database.session(deadline_s=self._deadline_s))
            self._own.connection.autocommit = True
            self._own.stack = stack
            self.open += 1
        return self._own.connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Let the session, which stays open from one request to the next, say what an error of psycopg means."""
        try:
            yield
        except psycopg.Error:
            stack, self._own.stack, self._own.connection = self._own.stack, None, None
            if stack is not None:
                stack.__exit__(*sys.exc_info())  # closes the connection, and raises the error as ours
            raise
        except BaseException:
            if self._own.connection is not None:
                with suppress(psycopg.Error):  # a connection that is gone is found gone by the next request
                    self._own.connection.rollback()
            raise
