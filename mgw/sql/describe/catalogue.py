"""The types and columns of a database, read once, by the numbers that PostgreSQL's descriptions have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgw.core.database import queries
from mgw.sql.description import Kind, Type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

_KINDS: dict[str, Kind] = {
    "A": "array",
    "b": "base",
    "c": "composite",
    "d": "domain",
    "e": "enum",
    "m": "multirange",
    "p": "pseudo",
    "r": "range",
}


@dataclass(frozen=True, slots=True)
class _TypeRow:
    name: str
    kind: Kind
    of_type: int
    labels: tuple[str, ...]
    relation: int


class Catalogue:
    """What is in a database.

    Args:
        connection: whose transaction sees what is to be described, temporary tables among it.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        self._types = {
            row.oid: _TypeRow(row.name, _KINDS[row.kind], row.of_type or 0, tuple(row.labels or ()), row.relation)
            for row in queries.prepare_types(connection)
        }
        self._columns: dict[tuple[int, int], tuple[str, str]] = {}
        self._attributes: dict[int, list[tuple[str, int]]] = {}
        for column in queries.prepare_columns(connection):
            self._columns[column.relation, column.number] = (column.relation_name, column.name)
            self._attributes.setdefault(column.relation, []).append((column.name, column.type))

    def type_name(self, oid: int) -> str:
        """Return what a type is called."""
        return self._types[oid].name

    def base_name(self, oid: int) -> str:
        """Return what a type is called, that of a domain is its base: a domain may refuse NULL."""
        while self._types[oid].kind == "domain":
            oid = self._types[oid].of_type
        return self._types[oid].name

    def is_known(self, oid: int) -> bool:
        """Return whether there is such a type."""
        return oid in self._types

    def source(self, relation: int, number: int) -> str | None:
        """Return `table.column` of a column that is part of a table or view as it stands."""
        found = self._columns.get((relation, number))
        return f"{found[0]}.{found[1]}" if found else None

    def types(self, oids: Iterable[int]) -> dict[str, Type]:
        """Return those types that are more than a name, and what they are made of, by name and in order."""
        found: dict[str, Type] = {}
        waiting = list(oids)
        while waiting:
            row = self._types.get(waiting.pop())
            if row is None or row.kind in {"base", "pseudo"} or row.name in found:
                continue
            attributes = self._attributes.get(row.relation, []) if row.kind == "composite" else []
            of_type = row.of_type if row.kind in {"array", "domain", "range", "multirange"} else 0
            found[row.name] = Type(
                kind=row.kind,
                of=self._types[of_type].name if of_type else None,
                labels=row.labels,
                fields=tuple((name, self._types[oid].name) for name, oid in attributes),
            )
            waiting += [oid for _, oid in attributes] + ([of_type] if of_type else [])
        return dict(sorted(found.items()))
