"""Predicates that no index can serve, found and proved without data.

The query is planned for any values of its parameters, with sequential scans all but forbidden. If a whole table is read
all the same, the reason is looked for: a plan without indexes shows what is asked of each table, and what no index
serves is asked of that table alone. Then the index that should serve is created, in the transaction that is rolled
back, and the query is planned again: only what the planner really uses is advised. Costs and versions leave no trace.

Planning is not free of execution: PostgreSQL computes calls of immutable functions with constant arguments. Its own
end; a query that calls somebody else's is not planned.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from mgw.core.database import queries
from mgw.sql.description import Finding
from mgw.sql.plan.candidates import candidates, without_alias
from mgw.sql.plan.scans import filtered, looks_up, uses, whole
from mgw.sql.wire import rolled_back, run, run_undone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

    from mgw.sql.plan.candidates import Candidate
    from mgw.sql.plan.scans import Scan
    from mgw.sql.source import Query

# A nested loop shows whether the inner table can be looked up; what depends on costs or on the version stays out.
_SETTINGS = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_memoize": "off",
    "enable_material": "off",
    "enable_incremental_sort": "off",
    "max_parallel_workers_per_gather": "0",
    "plan_cache_mode": "force_generic_plan",
}
_WITHOUT_INDEXES = {
    **_SETTINGS,
    "enable_seqscan": "on",
    "enable_hashjoin": "on",
    "enable_indexscan": "off",
    "enable_indexonlyscan": "off",
    "enable_bitmapscan": "off",
}
_NAME = "mgw_plan"
_INDEX = "mgw_candidate"


class Planner:
    """Finds the predicates that no index serves, on one connection.

    Args:
        connection: to a database whose tables may be locked, where each query is in a transaction that is rolled back.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._leading = {index.name: index.key for index in queries.prepare_leading_keys(connection)}
        self._count = 0
        self._set(_SETTINGS, local=False)

    def find(self, query: Query, types: Sequence[str]) -> tuple[Finding, ...]:
        """Return the predicates of a query that no index serves, each with the index that would.

        Args:
            query: one that PostgreSQL has described.
            types: names of the types of its parameters.
        """
        try:
            read = {each for each in whole(self._plan(query.sql, types), self._leading) if _matters(*each[:2], query)}
            if not read:
                return ()
            with rolled_back(self._connection):
                # A query may look one alias of a table up, and read another as a whole.
                asked = self._asked(query, types)
                scans = [scan for scan in asked if (scan.schema, scan.table, scan.alias) in read]
                found = [self._finding(query, types, scan) for scan in scans]
        except psycopg.errors.QueryCanceled:
            return ()  # something computes for ever while planning: nothing can be said
        unique = {finding.index: finding for finding in found if finding is not None}
        return tuple(sorted(unique.values(), key=lambda finding: (finding.table, finding.index or "")))

    def _asked(self, query: Query, types: Sequence[str]) -> list[Scan]:
        with rolled_back(self._connection):
            self._set(_WITHOUT_INDEXES, local=True)
            return filtered(self._plan(query.sql, types))

    def _finding(self, query: Query, types: Sequence[str], scan: Scan) -> Finding | None:
        if self._is_served(types, scan):
            return None
        for candidate in candidates(scan):
            if self._serves(query, types, scan, candidate):
                predicate = " AND ".join(_readable(conjunct, scan, query) for conjunct in candidate.served)
                return Finding(table=_table(scan), predicate=predicate, index=_definition(scan, candidate))
        return None

    def _is_served(self, types: Sequence[str], scan: Scan) -> bool:
        """Return whether an index that is there serves what is asked of a table, if that is asked of it alone."""
        alias = sql.Identifier(scan.alias).as_string(self._connection)
        condition = " AND ".join(f"({conjunct})" for conjunct in scan.conjuncts) or "true"
        text = f"SELECT 1 FROM {self._qualified(scan)} AS {alias} WHERE {condition}"  # noqa: S608 - PostgreSQL's own
        try:
            return looks_up(self._plan(text, types), self._leading)
        except psycopg.errors.QueryCanceled:
            raise
        except psycopg.Error:
            return False  # it looks at other tables too

    def _serves(self, query: Query, types: Sequence[str], scan: Scan, candidate: Candidate) -> bool:
        """Create an index, plan with it, and take it away again."""
        keys = ", ".join(candidate.keys)
        create = f"CREATE INDEX {_INDEX} ON {self._qualified(scan)} USING {candidate.method} ({keys})"
        try:
            with rolled_back(self._connection):
                run(self._connection, create)
                return uses(self._plan(query.sql, types), _INDEX, candidate.keys[0])
        except psycopg.errors.QueryCanceled:
            raise
        except psycopg.Error:
            return False  # a type without such an index, an expression that is not immutable

    def _plan(self, text: str, types: Sequence[str]) -> dict[str, Any]:
        """Return the plan of a query for any values of its parameters; the text was described before.

        It goes by way of PREPARE, which every version has and which takes types.
        """
        arguments = f" ({', '.join(types)})" if types else ""
        nulls = f" ({', '.join('NULL' for _ in types)})" if types else ""
        self._count += 1  # a name that failed is not used again: PREPARE outlives the transaction
        name = f"{_NAME}_{self._count}"
        steps = (
            f"PREPARE {name}{arguments} AS\n{text}",
            f"EXPLAIN (VERBOSE, COSTS off, FORMAT json) EXECUTE {name}{nulls}",
            f"DEALLOCATE {name}",
        )
        _, answer, _ = run_undone(self._connection, steps)
        plan: dict[str, Any] = json.loads(answer or b"")[0]["Plan"]
        return plan

    def _set(self, settings: dict[str, str], *, local: bool) -> None:
        queries.prepare_plan_settings(
            self._connection, names=list(settings), values=list(settings.values()), local=local
        )

    def _qualified(self, scan: Scan) -> str:
        return sql.Identifier(scan.schema, scan.table).as_string(self._connection)


def _matters(schema: str, table: str, query: Query) -> bool:
    """Return whether it is worth a word that a table is read as a whole."""
    return not schema.startswith("pg_") and table not in query.header.scans


def _table(scan: Scan) -> str:
    return scan.table if scan.schema == "public" else f"{scan.schema}.{scan.table}"


def _definition(scan: Scan, candidate: Candidate) -> str:
    using = "" if candidate.method == "btree" else f" USING {candidate.method}"
    name = ".".join(sql.Identifier(part).as_string(None) for part in _table(scan).split("."))
    bare = name.replace('"', "") if re.fullmatch(r'"[a-z_][a-z0-9_]*"(\."[a-z_][a-z0-9_]*")?', name) else name
    return f"CREATE INDEX ON {bare}{using} ({', '.join(candidate.keys)})"


def _readable(conjunct: str, scan: Scan, query: Query) -> str:
    text = without_alias(conjunct, scan.alias)
    return re.sub(r"\$(\d+)", lambda match: f":{query.parameters[int(match[1]) - 1]}", text)
