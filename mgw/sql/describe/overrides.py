"""What the header of a query says, held against what the database says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.errors import ColumnUnnamed, OverrideContradicted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mgw.sql.source import Query

_UNNAMED = "?column?"


def contradiction(query: Query, summary: str, offset: int, hint: str) -> OverrideContradicted:
    """Return the error of a header that claims what is not so."""
    return OverrideContradicted(summary, path=query.path, text=query.text, offset=offset, hint=hint)


def check_names(query: Query, kind: str, offsets: Mapping[str, int], known: Sequence[str]) -> None:
    """Make sure that the header speaks of what there is.

    Args:
        query: whose header it is.
        kind: what it speaks of.
        offsets: each name, and where in the file it stands.
        known: the names that there are.

    Raises:
        OverrideContradicted: one of the header is not one of the query.
    """
    for name, offset in offsets.items():
        if name not in known:
            names = ", ".join(known) or "none"
            raise contradiction(query, f"the query has no {kind} {name}", offset, f"it has {names}")


def check_columns(query: Query, columns: Sequence[str]) -> None:
    """Make sure that each column of a row has a name of its own; a single column needs none.

    Raises:
        ColumnUnnamed: one has none, or that of another.
    """
    if len(columns) == 1:
        return
    for index, name in enumerate(columns):
        if name == _UNNAMED or name in columns[:index]:
            summary = f"column {index + 1} of the result has no name"
            if name != _UNNAMED:
                summary = f"columns {columns.index(name) + 1} and {index + 1} of the result are both called {name}"
            raise ColumnUnnamed(
                summary, path=query.path, text=query.text, offset=query.start, hint="give it one with AS"
            )


def nullable(query: Query, name: str, *, proved_not_null: bool, always_null: bool) -> bool:
    """Return whether a column counts as nullable.

    Raises:
        OverrideContradicted: the header says the contrary of what is proved.
    """
    override = query.header.columns.get(name)
    if override is None:
        return not proved_not_null
    if override.nullable and proved_not_null:
        raise contradiction(query, f"column {name} is never NULL", override.offset, "leave the line out")
    if not override.nullable and always_null:
        raise contradiction(query, f"column {name} is always NULL", override.offset, "leave the line out")
    return bool(override.nullable)
