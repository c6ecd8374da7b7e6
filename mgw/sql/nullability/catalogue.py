"""Reads facts from the catalogue: for all objects of a query at once, and once for all queries.

The facts are those of the moment they were read. Whoever changes the schema makes a new `Catalogue`.
"""

from __future__ import annotations

import re
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from mgw.core.database import queries
from mgw.sql.nullability import sentences
from mgw.sql.nullability.facts import STORED_KINDS, ColumnFacts, FunctionFacts, RelationFacts
from mgw.sql.nullability.implications import checked_columns
from mgw.sql.nullability.stored import only_query
from mgw.sql.nullability.tree import parse

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.database.queries import PrepareRelationFactsRow
    from mgw.sql.nullability.tree import Node

# Lowest oid of objects that were not there after initdb: FirstNormalObjectId, the same in every version.
FIRST_USER_OID = 16384


# A blank within a name is written with a backslash, so that no name looks like a field.
_FUNCTION = re.compile(r" :(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)")
_RELATION = re.compile(r" :relid (\d+)")
_TYPE = re.compile(r" :resulttype (\d+)")


class Catalogue:
    """Facts on relations, functions, views and domains, kept by oid."""

    def __init__(self, connection: Connection[TupleRow]) -> None:
        self._connection = connection
        self._relations: dict[int, RelationFacts] = {}
        self._functions: dict[int, FunctionFacts] = {}
        self._views: dict[int, Node] = {}
        self._domains: dict[int, tuple[str, bool]] = {}
        self._seen: dict[str, set[int]] = {"relations": set(), "functions": set(), "domains": set()}

    def load(self, trees: list[str]) -> None:
        """Read all facts that trees of queries, as they are stored, need, and those of the views in them."""
        while trees:
            text = " ".join(trees)
            self._load_functions(self._new("functions", _FUNCTION.findall(text)))
            self._load_domains(self._new("domains", _TYPE.findall(text)))
            trees = self._load_relations(self._new("relations", _RELATION.findall(text)))

    def relation(self, oid: int) -> RelationFacts | None:
        """Return the facts on a table or view."""
        return self._relations.get(oid)

    def function(self, oid: int) -> FunctionFacts | None:
        """Return the facts on a function."""
        return self._functions.get(oid)

    def view(self, oid: int) -> Node | None:
        """Return the query of a view."""
        return self._views.get(oid)

    def is_view(self, query: Node) -> bool:
        """Return whether a query is that of a view."""
        return any(query is each for each in self._views.values())

    def domain(self, oid: int) -> tuple[str, bool] | None:
        """Return the name of a domain, and whether it, or a domain below it, is NOT NULL."""
        return self._domains.get(oid)

    def _new(self, kind: str, oids: list[str]) -> list[int]:
        fresh = set(map(int, oids)) - self._seen[kind]
        self._seen[kind] |= fresh
        return sorted(fresh)

    def _load_functions(self, oids: list[int]) -> None:
        for row in queries.prepare_function_facts(self._connection, oids=oids) if oids else ():
            builtin = row.schema == "pg_catalog" and row.oid < FIRST_USER_OID
            self._functions[row.oid] = FunctionFacts(
                row.schema, row.name, row.arguments, row.strict, row.steady, builtin
            )

    def _load_domains(self, oids: list[int]) -> None:
        for row in queries.prepare_domain_facts(self._connection, oids=oids) if oids else ():
            self._domains[row.oid] = (row.name, row.not_null)

    def _load_relations(self, oids: list[int]) -> list[str]:
        rows = queries.prepare_relation_facts(self._connection, oids=oids) if oids else ()
        for root, members in groupby(rows, key=attrgetter("root")):
            self._relations[root] = _relation(list(members))
        views = [oid for oid in oids if self._kind(oid) == "v"]
        rules = queries.prepare_view_rules(self._connection, oids=views) if views else []
        for rule in rules:
            self._views[rule.oid] = only_query(rule.action)
        return [rule.action for rule in rules]

    def _kind(self, oid: int) -> str | None:
        facts = self._relations.get(oid)
        return None if facts is None else facts.kind


def _relation(members: list[PrepareRelationFactsRow]) -> RelationFacts:
    """Combine a table, which comes first, and what inherits from it."""
    root = members[0]
    trusted = root.kind in STORED_KINDS
    own = _columns(root) if trusted else _columns(root, trusted=False)
    inherited = [{column.name: column.not_null for column in _columns(member).values()} for member in members[1:]]
    foreign = any(member.kind == "f" for member in members)
    columns = {
        number: column
        if not foreign and all(proofs.get(column.name) for proofs in inherited)
        else column._replace(not_null=None)
        for number, column in own.items()
    }
    return RelationFacts(
        root.schema,
        root.name,
        root.kind,
        columns,
        own,
        foreign,
        any(member.rewritten for member in members),
        any(member.triggered for member in members),
    )


def _columns(row: PrepareRelationFactsRow, *, trusted: bool = True) -> dict[int, ColumnFacts]:
    checked: dict[int, str] = {}
    for name, tree in row.checks:
        for number in checked_columns(parse(tree)):
            checked.setdefault(number, name)
    columns = {}
    for number, name, constrained, generated in row.columns:
        proof = None
        if trusted and constrained:
            proof = sentences.constraint(row.schema, row.name, name)
        elif trusted and number in checked:
            proof = sentences.check(row.schema, row.name, name, checked[number])
        columns[number] = ColumnFacts(name, proof, generated)
    return columns
