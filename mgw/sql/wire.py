"""Statements to the server without a cursor around each: describing a thousand queries sends ten thousand of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import errors, pq

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

_DONE = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}


def run(connection: Connection[Any], text: str) -> bytes | None:
    """Run one statement; the extended protocol refuses two. Return the first value of its result, if it has one.

    Raises:
        psycopg.Error: PostgreSQL refuses it.
    """
    result = connection.pgconn.exec_params(text.encode(), None)
    if result.status not in _DONE:
        raise errors.error_from_result(result)
    return result.get_value(0, 0) if result.ntuples and result.nfields else None


@contextmanager
def rolled_back(connection: Connection[Any]) -> Iterator[None]:
    """Undo what the block does, whether or not it ends well: by a transaction, or a savepoint of one that is open."""
    idle = connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
    run(connection, "BEGIN" if idle else "SAVEPOINT mgw")
    try:
        yield
    finally:
        if connection.pgconn.status == pq.ConnStatus.OK:
            run(connection, "ROLLBACK" if idle else "ROLLBACK TO SAVEPOINT mgw")
            if not idle:
                run(connection, "RELEASE SAVEPOINT mgw")
