"""The unique keys of a database: which columns, given a value each, mean one row at most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.core.database import queries

if TYPE_CHECKING:
    from psycopg import Connection


class Keys:
    """Unique keys and plain tables, by the oid of the table; those of temporary tables are not known.

    Args:
        connection: to the database; it is read once.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        keys: dict[tuple[int, int], dict[int, frozenset[int]]] = {}
        for each in queries.prepare_unique_keys(connection):
            keys.setdefault((each.relation, each.index_), {})[each.column] = frozenset(each.equalities or ())
        self._of: dict[int, list[dict[int, frozenset[int]]]] = {}
        for (relation, _), columns in keys.items():
            self._of.setdefault(relation, []).append(columns)
        self._plain = set(queries.prepare_plain_tables(connection))

    def of(self, relation: int) -> list[dict[int, frozenset[int]]]:
        """Return the keys of a table: for each column of a key, by number, the operators that are equality."""
        return self._of.get(relation, [])

    def is_plain(self, relation: int) -> bool:
        """Return whether an INSERT into a table keeps every row, with no trigger or rule in between."""
        return relation in self._plain
