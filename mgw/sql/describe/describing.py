"""One query after the other becomes a description; nothing is executed, and nothing stays in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from mgw.core.database import queries
from mgw.sql.describe.analysis import ColumnFacts, Examiner, Facts
from mgw.sql.describe.cardinality import settle
from mgw.sql.describe.catalogue import Catalogue
from mgw.sql.describe.needs import create_tables, needed
from mgw.sql.describe.overrides import check_columns, check_names, contradiction, nullable
from mgw.sql.describe.statement import Field, Shape, ask, refusal
from mgw.sql.description import Column, Description, Finding, Parameter
from mgw.sql.errors import QueryFault
from mgw.sql.plan import Planner
from mgw.sql.wire import rolled_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from psycopg import Connection
    from psycopg.pq.abc import PGresult

    from mgw.sql.source import Override, Query

_PATIENCE = ("SET statement_timeout = '5s'", "SET lock_timeout = '5s'", "SET jit = off")


class Describer:
    """Describes queries on one connection, each in a transaction of its own that is rolled back.

    Args:
        connection: in autocommit, and used by nobody else meanwhile.
        queries: all of the folder, by name: one may need the tables that another makes.
        plan: whether to look for predicates without an index. That creates indexes, so it is for a shadow database.
    """

    def __init__(self, connection: Connection[Any], queries: Mapping[str, Query], *, plan: bool = True) -> None:
        self._connection = connection
        self._queries = queries
        self._planner = Planner(connection) if plan else None
        for setting in _PATIENCE:
            connection.execute(setting)
        self._catalogue = Catalogue(connection)
        self._examiner = Examiner(connection)

    def describe_each(self, queries: Iterable[Query]) -> Iterator[Description | QueryFault]:
        """Describe queries, or say what is wrong with each.

        Raises:
            TempDenied: the user may not create temporary objects.
        """
        with self._examiner.settled():
            for query in queries:
                try:
                    yield self.describe(query)
                except QueryFault as fault:
                    yield fault

    def describe(self, query: Query) -> Description:
        """Describe one query.

        Raises:
            QueryFault: PostgreSQL refuses it, or its header is not true.
            TempDenied: the user may not create temporary objects.
        """
        if query.header.utility:
            return Description(name=query.name, query=query.checksum, returns=None, parameters=())
        tables = needed(query, self._queries)
        with rolled_back(self._connection):
            create_tables(self._connection, tables)
            if not tables:
                return self._described(query, self._catalogue, self._examiner)
            # Temporary tables are not in what was read at the beginning.
            return self._described(query, Catalogue(self._connection), Examiner(self._connection))

    def _described(self, query: Query, catalogue: Catalogue, examiner: Examiner) -> Description:
        check_names(query, "parameter", _offsets(query.header.parameters), query.parameters)
        shape = self._shape(query, catalogue)
        names = [field.name for field in shape.fields]
        check_names(query, "column", _offsets(query.header.columns), names)
        check_columns(query, names)
        facts = examiner.examine(query, shape.parameters)
        check_names(query, "table", query.header.scans, facts.tables)
        returns, proved = settle(query, shape, facts)
        findings = self._findings(query, shape, facts, catalogue)
        return Description(
            name=query.name,
            query=query.checksum,
            needs={name: self._queries[name].checksum for name in sorted(query.header.needs)},
            returns=returns,
            returns_proved=proved,
            parameters=_parameters(query, shape, catalogue),
            takes_casts=self._takes_casts(query, shape, catalogue),
            columns=() if returns == "execute" else _columns(query, shape.fields, facts, catalogue),
            types=catalogue.types([*shape.parameters, *(field.type for field in shape.fields)]),
            dependencies=facts.dependencies,
            plan=findings,
        )

    def _findings(self, query: Query, shape: Shape, facts: Facts, catalogue: Catalogue) -> tuple[Finding, ...]:
        if self._planner is None or facts.calls_foreign_code:
            return ()
        return self._planner.find(query, [catalogue.base_name(oid) for oid in shape.parameters])

    def _shape(self, query: Query, catalogue: Catalogue) -> Shape:
        """Ask what the query takes and gives, with the types of the header."""
        types = [self._given_type(query, name, catalogue) for name in query.parameters]
        answer = self._ask(query.sql, types) if any(types) else ask(self._connection, query.sql, types)
        if isinstance(answer, Shape):
            return answer
        fault = refusal(query, answer)
        self._blame_override(query, types, fault)
        raise fault

    def _ask(self, sql: str, types: Sequence[int]) -> Shape | PGresult:
        """Ask so that a refusal does not end the transaction."""
        with rolled_back(self._connection):
            return ask(self._connection, sql, types)

    def _takes_casts(self, query: Query, shape: Shape, catalogue: Catalogue) -> bool:
        """Return whether the query means the same where each parameter is cast to its type."""
        if not query.parameters:
            return True
        names = [catalogue.type_name(oid) for oid in shape.parameters]
        return ask(self._connection, query.with_casts(names), ()) == shape  # the last question in this transaction

    def _given_type(self, query: Query, name: str, catalogue: Catalogue) -> int:
        """Return the type that the header gives a parameter, or 0."""
        override = query.header.parameters.get(name)
        if override is None or override.type is None:
            return 0
        try:
            with rolled_back(self._connection):
                oid = queries.prepare_type_of_name(self._connection, name=override.type)
        except psycopg.errors.SyntaxError:  # 15 says so, 16 and later give a null
            oid = None
        if oid is None or not catalogue.is_known(oid):
            raise contradiction(query, f"there is no type {override.type}", override.offset, "for example integer")
        return oid

    def _blame_override(self, query: Query, types: list[int], fault: QueryFault) -> None:
        """Raise the header's fault where the query is fine without a type that the header gives."""
        for index, (name, oid) in enumerate(zip(query.parameters, types, strict=True)):
            without = [*types[:index], 0, *types[index + 1 :]]
            if oid and isinstance(self._ask(query.sql, without), Shape):
                override = query.header.parameters[name]
                raise contradiction(
                    query, f":{name} cannot be {override.type}: {fault.summary}", override.offset, "leave the type out"
                ) from fault


def _offsets(overrides: Mapping[str, Override]) -> dict[str, int]:
    return {name: override.offset for name, override in overrides.items()}


def _parameters(query: Query, shape: Shape, catalogue: Catalogue) -> tuple[Parameter, ...]:
    overrides = query.header.parameters
    return tuple(
        Parameter(
            name=name,
            type=catalogue.type_name(oid),
            nullable=bool(name in overrides and overrides[name].nullable),
        )
        for name, oid in zip(query.parameters, shape.parameters, strict=True)
    )


def _columns(query: Query, fields: tuple[Field, ...], facts: Facts, catalogue: Catalogue) -> tuple[Column, ...]:
    return tuple(_column(query, field, fact, catalogue) for field, fact in zip(fields, facts.columns, strict=True))


def _column(query: Query, field: Field, fact: ColumnFacts, catalogue: Catalogue) -> Column:
    can_be_null = nullable(query, field.name, proved_not_null=not fact.nullable, always_null=fact.always_null)
    reasons = fact.reasons if fact.nullable else ()
    return Column(
        name=field.name,
        type=catalogue.type_name(field.type),
        nullable=can_be_null,
        reasons=reasons if can_be_null else (),
        source=catalogue.source(field.relation, field.number) if field.relation else None,
        elements_nullable=query.header.columns[field.name].elements_nullable
        if field.name in query.header.columns
        else True,
    )
