"""Has PostgreSQL analyse a query without running it: as the body of a temporary function that nobody calls.

`CREATE FUNCTION … BEGIN ATOMIC …` stores the analysed tree of its statements in `pg_proc.prosqlbody`, and what they
depend on in `pg_depend`. The function is made inside a transaction, or a savepoint of the caller's, that is always
rolled back. Everything goes through the extended protocol, which takes one statement at a time: the query is parsed
alone first, so that what is then put between BEGIN ATOMIC and END is one statement, whole, and nothing else.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import pq

from mgw.core.database import queries
from mgw.sql.nullability.dependencies import Dependencies
from mgw.sql.nullability.errors import NotAQuery, QueryRefused, TemporaryDenied
from mgw.sql.wire import together

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection
    from psycopg.pq.abc import PGresult
    from psycopg.rows import TupleRow

_NAME = "mgw_nullability"
_BODY_ONLY = "0A000"  # feature_not_supported: a statement that has no analysed tree
# Classes of SQLSTATE that are about the query: syntax and names, data in literals, limits, what is not supported.
_ABOUT_THE_QUERY = frozenset({"0A", "21", "22", "2F", "3D", "3F", "42", "54"})
_DENIED = frozenset({"42501", "25006"})
_HINT_DENIED = "GRANT TEMPORARY ON DATABASE … TO …; on a standby or a read-only server, ask its primary"
_DONE = frozenset({pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK})


@dataclass(frozen=True, slots=True)
class Probe:
    """What PostgreSQL said.

    Attributes:
        tree: the analysed query, as `pg_node_tree`.
        dependencies: what it depends on.
    """

    tree: str
    dependencies: Dependencies


class Prober:
    """Asks on one connection; it remembers the names of types."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self._connection = connection
        self._types: dict[str | int, tuple[int, str]] = {}

    def ask(self, query: str, parameter_types: Sequence[str | int]) -> Probe:
        """Have a query analysed, within a transaction that the caller rolls back.

        Raises:
            QueryRefused: PostgreSQL does not understand it, or it is more than one statement.
            NotAQuery: it is none, or not one that PostgreSQL analyses.
            TemporaryDenied: the user may not create temporary functions.
        """
        types = [self._type(each) for each in parameter_types]
        encoding = self._connection.info.encoding
        names = ", ".join(name for _, name in types)
        head = f"CREATE FUNCTION pg_temp.{_NAME}({names}) RETURNS void LANGUAGE sql BEGIN ATOMIC\n"
        # The line break ends a comment that the query may end with.
        body = f"{head}{query}\n;END"
        parsed, created = together(
            self._connection.pgconn,
            [
                lambda pgconn: pgconn.send_prepare(b"", query.encode(encoding), [oid for oid, _ in types]),
                # What was not one whole statement ends the pipeline, and this does not run.
                lambda pgconn: pgconn.send_query_params(body.encode(encoding), []),
            ],
        )
        self._check(parsed)
        self._check(created, creating=len(head))
        row = queries.prepare_probe_tree(self._connection, name=_NAME)
        if row.tree is None or "{QUERY " not in row.tree:
            raise NotAQuery("there is no statement in it")
        return Probe(row.tree, Dependencies.read(row.relations, row.columns, row.functions, row.types))

    def settle(self) -> None:
        """Make the queries that follow in this transaction cheaper, each of which has a savepoint of its own.

        Without, the schema for temporary objects comes and goes with every query, and the server forgets its plans.
        What PostgreSQL would check of the function beyond its tree is of no interest.

        Raises:
            TemporaryDenied: the user may not create temporary functions.
        """
        for text in (f"CREATE FUNCTION pg_temp.{_NAME}_settled() RETURNS void LANGUAGE sql AS ''",
                     "SET LOCAL check_function_bodies = off"):  # fmt: skip
            self._check(self._connection.pgconn.exec_params(text.encode(), []), creating=0)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Undo what the block does, within the transaction of `settle`.

        A savepoint that psycopg does not know of: after a rollback of its own it would forget all prepared statements.
        """
        pgconn = self._connection.pgconn
        self._check(pgconn.exec_(f"SAVEPOINT {_NAME}".encode()))
        try:
            yield
        finally:
            self._check(pgconn.exec_(f"ROLLBACK TO SAVEPOINT {_NAME}; RELEASE SAVEPOINT {_NAME}".encode()))

    def _type(self, given: str | int) -> tuple[int, str]:
        """Return the oid of a type and its name as SQL: never the text that was given."""
        if given not in self._types:
            try:
                row = self._type_row(given)
            except psycopg.errors.SyntaxError as error:
                raise QueryRefused(f"{given!r} is not a type", sqlstate=error.sqlstate) from error
            if row is None or row.oid is None or row.name is None:
                raise QueryRefused(f"there is no type {given!r}", sqlstate="42704")
            self._types[given] = (row.oid, row.name)
        return self._types[given]

    def _type_row(self, given: str | int) -> queries.PrepareTypeByNameRow | queries.PrepareTypeByOidRow | None:
        if isinstance(given, int):
            return queries.prepare_type_by_oid(self._connection, oid=given)
        return queries.prepare_type_by_name(self._connection, name=given)

    def _check(self, result: PGresult, creating: int | None = None) -> PGresult:
        """Return a result, or raise what it says; places count from the query's start, which is `creating` further."""
        if result.status in _DONE:
            return result
        error = psycopg.errors.error_from_result(result, encoding=self._connection.info.encoding)
        state, said = error.sqlstate or "", error.diag
        message = said.message_primary or str(error)
        if creating is not None and state in _DENIED:
            raise TemporaryDenied(f"cannot create a temporary function: {message}", hint=_HINT_DENIED) from error
        if state[:2] not in _ABOUT_THE_QUERY:
            raise error
        kind = NotAQuery if creating is not None and state == _BODY_ONLY else QueryRefused
        place = int(said.statement_position) - 1 - (creating or 0) if said.statement_position else None
        raise kind(message, hint=said.message_hint, sqlstate=state, position=place) from error
