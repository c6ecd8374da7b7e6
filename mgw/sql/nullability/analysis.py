"""The analysis as callers see it: a query in, a verdict for each column of its result out."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mgw.sql.nullability.catalogue import Catalogue
from mgw.sql.nullability.errors import QueryUnreadable
from mgw.sql.nullability.outputs import SELECT
from mgw.sql.nullability.positions import Places
from mgw.sql.nullability.probe import Prober
from mgw.sql.nullability.reasons import MAX_REASONS, ColumnVerdict, unknown
from mgw.sql.nullability.stored import only_query
from mgw.sql.nullability.tree import TreeUnreadable
from mgw.sql.nullability.walker import TreeWalker

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.sql.nullability.dependencies import Dependencies
    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.tree import Node


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was found out about a query.

    Attributes:
        columns: a verdict for each column of its result.
        dependencies: what it depends on.
        tree: the analysed query, for whoever wants to know more of it.
    """

    columns: tuple[ColumnVerdict, ...]
    dependencies: Dependencies
    tree: Node = field(repr=False, compare=False)


class Analyser:
    """Analyses many queries on one connection, and reads the catalogue only once for each object.

    The schema is taken to stay as it is while an analyser lives. The connection may be in a transaction or not; after
    each query it is as it was.
    """

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self._connection = connection
        self._prober = Prober(connection)
        self._catalogue = Catalogue(connection)
        self._is_settled = False

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Hold one transaction, rolled back at the end, in which every query is analysed in half the time.

        Raises:
            TemporaryDenied: the user may not create temporary functions, or the server only reads.
        """
        with self._connection.transaction(force_rollback=True):
            self._prober.settle()
            self._is_settled = True
            try:
                yield
            finally:
                self._is_settled = False

    def analyse(
        self, query: str, parameter_types: Sequence[str | int] = (), *, not_null_parameters: Collection[int] = ()
    ) -> Analysis:
        """Analyse one query, without running it.

        Args:
            query: one statement; its parameters are $1, $2 and so on.
            parameter_types: a name or an oid for each parameter.
            not_null_parameters: the numbers of parameters that are never given NULL.

        Raises:
            QueryRefused: PostgreSQL does not understand the query, or it is more than one.
            NotAQuery: it is no statement with a tree: empty, or CREATE, EXPLAIN and the like.
            TemporaryDenied: the user may not create temporary functions, or the server only reads.
            QueryUnreadable: PostgreSQL's tree is not of the form that is expected.
        """
        undone = self._prober.undone() if self._is_settled else self._connection.transaction(force_rollback=True)
        with undone:
            probe = self._prober.ask(query, parameter_types)
            try:
                tree = only_query(probe.tree)
                self._catalogue.load([probe.tree])
                found = TreeWalker(self._catalogue, not_null_parameters).outputs(tree, None)
            except RecursionError:
                found = [unknown("a query that is nested too deeply") for _ in _result_columns(tree)]
            except (TreeUnreadable, LookupError, ValueError) as error:
                raise QueryUnreadable(f"the analysed tree cannot be read: {error}", hint="please report it") from error
        places = Places(query)
        return Analysis(tuple(_verdict(each, places) for each in found), probe.dependencies, tree)


def analyse(
    connection: Connection[TupleRow], query: str, parameter_types: Sequence[str | int] = ()
) -> list[ColumnVerdict]:
    """Return a verdict for each column of one query's result; see `Analyser`, which is for many queries."""
    return list(Analyser(connection).analyse(query, parameter_types).columns)


def _result_columns(query: Node) -> list[Node]:
    name = "targetList" if query.number("commandType") == SELECT else "returningList"
    return [entry for entry in query.nodes(name) if not entry.flag("resjunk")]


def _verdict(finding: Finding, places: Places) -> ColumnVerdict:
    shown = finding.causes if finding.nullable else finding.grounds
    return ColumnVerdict(finding.nullable, tuple(places.reason(each) for each in shown[:MAX_REASONS]))
