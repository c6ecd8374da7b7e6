"""Statements to the server without a cursor around each: describing a thousand queries sends ten thousand of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import errors, pq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from psycopg import Connection
    from psycopg.pq.abc import PGconn, PGresult

_DONE = {pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK}
_UNDO = "ROLLBACK TO SAVEPOINT mgw", "RELEASE SAVEPOINT mgw"


def run(connection: Connection[Any], text: str) -> bytes | None:
    """Run one statement; the extended protocol refuses two. Return the first value of its result, if it has one.

    Raises:
        psycopg.Error: PostgreSQL refuses it.
    """
    return _first_value(connection.pgconn.exec_params(text.encode(), None))


def run_undone(connection: Connection[Any], texts: Sequence[str]) -> list[bytes | None]:
    """Run statements and undo them, in one round trip; return the first value of each, as `run` does.

    Args:
        connection: in a transaction.
        texts: a statement each; once one is refused, those behind it do not run.

    Raises:
        psycopg.Error: PostgreSQL refuses one.
    """
    results = together(connection.pgconn, [_sending(text) for text in ("SAVEPOINT mgw", *texts, *_UNDO)])
    if results[-1].status not in _DONE and connection.pgconn.status == pq.ConnStatus.OK:
        _undo(connection)
    return [_first_value(result) for result in results[1 : len(texts) + 1]]


def together(pgconn: PGconn, sendings: Sequence[Callable[[PGconn], None]]) -> list[PGresult]:
    """Send several commands and then wait, once, for all their results.

    Args:
        pgconn: to send on, with nothing under way.
        sendings: each sends one command of the extended protocol. Once one fails, those behind it do not run, and
            their results have the status `PIPELINE_ABORTED`.
    """
    pgconn.enter_pipeline_mode()
    try:
        for send in sendings:
            send(pgconn)
        pgconn.pipeline_sync()
        results = []
        while (result := pgconn.get_result()) is None or result.status != pq.ExecStatus.PIPELINE_SYNC:
            if result is not None:
                results.append(result)
            elif pgconn.status != pq.ConnStatus.OK:
                raise errors.OperationalError(pgconn.error_message.decode("utf-8", "replace"))
    finally:
        if pgconn.status == pq.ConnStatus.OK:
            pgconn.exit_pipeline_mode()
    return results


@contextmanager
def rolled_back(connection: Connection[Any]) -> Iterator[None]:
    """Undo what the block does, whether or not it ends well: by a transaction, or a savepoint of one that is open."""
    idle = connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
    run(connection, "BEGIN" if idle else "SAVEPOINT mgw")
    try:
        yield
    finally:
        if connection.pgconn.status == pq.ConnStatus.OK:
            if idle:
                run(connection, "ROLLBACK")
            else:
                _undo(connection)


def _undo(connection: Connection[Any]) -> None:
    for result in together(connection.pgconn, [_sending(text) for text in _UNDO]):
        _first_value(result)


def _sending(text: str) -> Callable[[PGconn], None]:
    return lambda pgconn: pgconn.send_query_params(text.encode(), None)


def _first_value(result: PGresult) -> bytes | None:
    if result.status not in _DONE:
        raise errors.error_from_result(result)
    return result.get_value(0, 0) if result.ntuples and result.nfields else None
