"""Lists as parameters: written out in one go, where psycopg looks at every element by itself.

The queries take whole columns as arrays (`unnest(:ids::bigint[])`), so what a list costs is paid on every request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.array import ListDumper

if TYPE_CHECKING:
    from psycopg import BaseConnection
    from psycopg.abc import Buffer

_NUMBERS = ({int}, {float})


class FlatListDumper(ListDumper):
    """Writes lists of numbers or of strings alone; any other list is left to psycopg."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        """Return the text form of an array (PostgreSQL's manual, "Array Input and Output Syntax")."""
        kinds = set(map(type, obj))
        if kinds in _NUMBERS:
            return f"{{{','.join(map(repr, obj))}}}".encode()
        if kinds == {str}:
            joined = "\0".join(obj)
            if joined.count("\0") == len(obj) - 1:  # else an element has one, which psycopg refuses
                escaped = joined.replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
                return f'{{"{escaped}"}}'.encode()
        return super().dump(obj)


def register_lists(connection: BaseConnection[Any]) -> None:
    """Let a connection write its lists so."""
    connection.adapters.register_dumper(list, FlatListDumper)
