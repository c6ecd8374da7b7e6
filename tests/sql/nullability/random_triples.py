"""Runs random queries over random data and looks for a NULL where none can be."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from mgw.sql.nullability import Analyser, NotAQuery, QueryRefused

from .random_expression import PARAMETERS
from .random_query import Writer
from .random_schema import VALUES, Column, Relation, Schema, random_schema

if TYPE_CHECKING:
    from psycopg import Connection

QUERIES_PER_SCHEMA = 20


@dataclass
class Tally:
    """What a run found.

    Attributes:
        seed: of the schema that is being tried.
        triples: queries that ran.
        refused: queries that PostgreSQL did not run: a type that does not fit, a constraint.
        columns: of the results with at least one row.
        claims: columns that were said not to be NULL, among those.
        nullable_seen: columns said to be nullable that had a NULL.
        violations: seed, query and column of each NULL where none can be.
    """

    seed: int = 0
    triples: int = 0
    refused: int = 0
    columns: int = 0
    claims: int = 0
    nullable_seen: int = 0
    violations: list[str] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)


def run(connection: Connection, seeds: range) -> Tally:
    """Try one random schema for each seed, with many queries."""
    tally = Tally()
    version = connection.info.server_version // 10_000
    connection.execute("SET statement_timeout = '2s'")
    connection.commit()
    for seed in seeds:
        with connection.transaction(force_rollback=True):
            _run_schema(connection, seed, version, tally)
    return tally


def _run_schema(connection: Connection, seed: int, version: int, tally: Tally) -> None:
    rng = random.Random(seed)
    tally.seed = seed
    schema = random_schema(rng, version)
    for statement in schema.statements:
        attempt(connection, statement)
    _add_views(connection, rng, schema, version)
    analyser = Analyser(connection)
    for _ in range(QUERIES_PER_SCHEMA):
        _check(connection, analyser, Writer(rng, schema, version).statement(), rng, tally)


def attempt(connection: Connection, statement: str) -> bool:
    try:
        with connection.transaction():
            connection.execute(statement)
    except psycopg.Error:
        return False
    return True


def _add_views(connection: Connection, rng: random.Random, schema: Schema, version: int) -> None:
    for index in range(rng.randint(0, 2)):
        types = [rng.choice(list(VALUES)) for _ in range(3)]
        names = [f"{type_[0]}{at}" for at, type_ in enumerate(types)]
        query = Writer(rng, schema, version).select(types, [], 2)
        if "$" not in query and attempt(connection, f"CREATE VIEW v{index}({', '.join(names)}) AS {query}"):
            columns = tuple(Column(name, type_) for name, type_ in zip(names, types, strict=True))
            schema.relations.append(Relation(f"v{index}", columns, writable=False))


def _check(connection: Connection, analyser: Analyser, query: str, rng: random.Random, tally: Tally) -> None:
    arguments = [value and value.strip("'") for value in (rng.choice([None, *VALUES[type_]]) for type_ in PARAMETERS)]
    try:
        verdicts = analyser.analyse(query, PARAMETERS).columns
        with connection.transaction(force_rollback=True):
            rows = _executed(connection, query, arguments)
    except (QueryRefused, NotAQuery, psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError,
            psycopg.errors.QueryCanceled, psycopg.NotSupportedError) as error:  # fmt: skip
        tally.refused += 1
        name = str(error).splitlines()[0][:60]
        tally.refusals[name] = tally.refusals.get(name, 0) + 1
        return
    tally.triples += 1
    if not rows:
        return
    assert len(verdicts) == len(rows[0]), query
    for at, verdict in enumerate(verdicts):
        has_null = any(row[at] is None for row in rows)
        tally.columns += 1
        tally.claims += not verdict.nullable
        tally.nullable_seen += verdict.nullable and has_null
        if has_null and not verdict.nullable:
            why = "; ".join(map(str, verdict.reasons))
            tally.violations.append(f"seed {tally.seed}, column {at + 1} ({why}), arguments {arguments}:\n{query}")


def _executed(connection: Connection, query: str, arguments: list[str | None]) -> list[list[bytes | None]]:
    """Return the rows of a query that need not use all parameters, so that their types have to be given."""
    values = [None if value is None else value.encode() for value in arguments]
    result = connection.pgconn.exec_params(query.encode(), values, [23, 25, 16])
    if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
        raise psycopg.errors.error_from_result(result)
    return [[result.get_value(row, at) for at in range(result.nfields)] for row in range(min(result.ntuples, 500))]
