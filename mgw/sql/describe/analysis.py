"""What the analysed tree of a query says: which columns can be NULL and why, how many rows, and what it depends on."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgw.sql.describe.keys import Keys
from mgw.sql.describe.rows import Rows, always_null, rows_of
from mgw.sql.describe.statement import fault
from mgw.sql.errors import NotDescribable, QueryRefused, TempDenied
from mgw.sql.nullability import Analyser, NotAQuery, QueryUnreadable, TemporaryDenied
from mgw.sql.nullability import QueryRefused as Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from mgw.sql.nullability import Dependencies
    from mgw.sql.source import Override, Query

_TEMPORARY = "pg_temp"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is proved of one column of the result.

    Attributes:
        nullable: whether it may be NULL.
        always_null: whether it can be nothing else.
        reasons: why, in words.
    """

    nullable: bool
    always_null: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is proved of a query.

    Attributes:
        columns: of its result.
        rows: how many it gives.
        dependencies: what has to stay as it is.
        tables: that it reads or writes, itself and through views.
        calls_foreign_code: whether it calls a function that is not PostgreSQL's own.
    """

    columns: tuple[ColumnFacts, ...]
    rows: Rows
    dependencies: tuple[str, ...]
    tables: tuple[str, ...]
    calls_foreign_code: bool


class Examiner:
    """Examines many queries on one connection."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._analyser = Analyser(connection)
        self._keys = Keys(connection)

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Hold one transaction, rolled back at the end, in which many queries are examined in less time.

        Raises:
            TempDenied: the user may not create the temporary function that a tree is read from.
        """
        with ExitStack() as stack:
            with _temporary_denied():
                stack.enter_context(self._analyser.settled())
            yield

    def examine(self, query: Query, types: Sequence[int]) -> Facts:
        """Let PostgreSQL analyse a query that it has described before, and read the tree.

        Raises:
            TempDenied: the user may not create the temporary function that the tree is read from.
            QueryFault: PostgreSQL refuses it in a function.
        """
        overrides = query.header.parameters
        given = {n for n, name in enumerate(query.parameters, start=1) if not _may_be_null(overrides.get(name))}
        rows: Rows = "many"
        nulls: list[bool] = []
        try:
            with _temporary_denied():
                found = self._analyser.analyse(query.sql, types, not_null_parameters=given)
            if found.columns:
                rows, nulls = rows_of(found.tree, self._keys), always_null(found.tree)
        except NotAQuery as error:
            raise NotDescribable(
                error.message, path=query.path, text=query.text, offset=query.start, hint=error.hint
            ) from error
        except Refused as error:
            position = None if error.position is None else error.position + 1
            raise fault(query, error.sqlstate or "", error.message, error.hint, position) from error
        except QueryUnreadable as error:
            raise QueryRefused(
                error.message, path=query.path, text=query.text, offset=query.start, hint=error.hint
            ) from error
        return Facts(
            tuple(
                ColumnFacts(verdict.nullable, is_null, tuple(_named(query, str(each)) for each in verdict.reasons))
                for verdict, is_null in zip(found.columns, nulls, strict=True)
            ),
            rows,
            _flat(found.dependencies),
            tuple(dict.fromkeys(table for _, table in found.dependencies.relations)),
            bool(found.dependencies.functions),
        )


@contextmanager
def _temporary_denied() -> Iterator[None]:
    try:
        yield
    except TemporaryDenied as error:
        raise TempDenied(
            error.message, hint="GRANT TEMPORARY ON DATABASE … TO …, or describe on a shadow database: --shadow"
        ) from error


def _may_be_null(override: Override | None) -> bool:
    return override is not None and bool(override.nullable)


def _named(query: Query, sentence: str) -> str:
    return re.sub(r"\$(\d+)", lambda match: f":{query.parameters[int(match[1]) - 1]}", sentence)


def _flat(found: Dependencies) -> tuple[str, ...]:
    """Return the dependencies by name; a table of which columns are named is not named beside them."""
    columns = [each for each in found.columns if not each[0].startswith(_TEMPORARY)]
    with_columns = {each[:2] for each in columns}
    relations = [each for each in found.relations if not each[0].startswith(_TEMPORARY) and each not in with_columns]
    names = [".".join(each if each[0] != "public" else each[1:]) for each in (*columns, *relations)]
    others = [each.removeprefix("public.") for each in (*found.functions, *found.types)]
    return tuple(sorted({*names, *(each for each in others if not each.startswith(_TEMPORARY))}))
