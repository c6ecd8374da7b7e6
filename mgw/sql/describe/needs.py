"""Temporary tables that a query works on, made by other queries: run in the transaction that is rolled back.

This is the one place where a query is executed and not only described, so it is narrow: the statement must be
`CREATE TEMP TABLE`, it must come from a file that is marked `utility`, and where it is filled from a query
(`CREATE TEMP TABLE … AS`), it is created without the rows, and so without running that query.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg

from mgw.core.statements import tokens
from mgw.sql.describe.statement import fault, is_of_the_query
from mgw.sql.errors import NeedsInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from psycopg import Connection

    from mgw.sql.source import Query

_TEMPORARY = re.compile(r"CREATE\s+(?:LOCAL\s+|GLOBAL\s+)?TEMP(?:ORARY)?\s+TABLE\b", re.IGNORECASE)
_HAS_DATA = re.compile(r"\bWITH\s+(NO\s+)?DATA\s*\Z", re.IGNORECASE)


def needed(query: Query, queries: Mapping[str, Query]) -> list[Query]:
    """Return the queries that make the tables which `query` needs, in the order in which they are to be run.

    Raises:
        NeedsInvalid: a name is unknown, or is not that of a query which creates a temporary table.
    """
    order: dict[str, Query] = {}
    _collect(query, queries, order, ())
    return list(order.values())


def _collect(query: Query, queries: Mapping[str, Query], order: dict[str, Query], path: tuple[str, ...]) -> None:
    for name, offset in query.header.needs.items():
        other = queries.get(name)
        problem = None
        if other is None:
            problem = f"there is no query {name}"
        elif name in (*path, query.name):
            problem = f"{name} needs itself"
        elif not (other.header.utility and _TEMPORARY.match(other.statement)):
            problem = f"{name} does not create a temporary table"
        elif other.parameters:
            problem = f"{name} has parameters"
        if problem is not None or other is None:
            raise NeedsInvalid(
                problem or "", path=query.path, text=query.text, offset=offset,
                hint="name a query marked `-- utility` that is CREATE TEMP TABLE and nothing else",
            )  # fmt: skip
        _collect(other, queries, order, (*path, query.name))
        order[name] = other


def create_tables(connection: Connection[Any], queries: list[Query]) -> None:
    """Create the tables, without rows.

    Raises:
        QueryFault: PostgreSQL refuses one.
    """
    for query in queries:
        try:
            # Through the extended protocol, which takes one statement only.
            connection.execute(_without_rows(query).encode(), prepare=False, binary=True)
        except psycopg.Error as error:
            if not is_of_the_query(error.sqlstate):
                raise
            diag = error.diag
            raise fault(
                query, error.sqlstate or "", diag.message_primary or "", diag.message_hint, diag.statement_position
            ) from error


def _without_rows(query: Query) -> str:
    """Return the statement so that it fills nothing."""
    if not any(word.upper() == "AS" for word in _words_outside(query.statement)):
        return query.sql
    match = _HAS_DATA.search(query.sql)
    return (query.sql[: match.start()] if match else query.sql) + "\nWITH NO DATA"


def _words_outside(statement: str) -> Iterator[str]:
    """Yield the words of a statement that stand in no brackets."""
    depth = 0
    for kind, text, _ in tokens(statement):
        depth += {"(": 1, ")": -1}.get(text, 0) if kind == "other" else 0
        if kind == "word" and depth == 0:
            yield text
