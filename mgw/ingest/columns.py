"""Which column of a table holds which field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.core.errors import SourceInvalid
from mgw.ingest.faults import Malformed
from mgw.ingest.values import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def column_places(
    columns: tuple[str, ...], mapping: Mapping[str, str], *, fields: Mapping[str, str], required: Sequence[str]
) -> dict[str, int]:
    """Find the column of each field; a column that the mapping gives to one field is no other's.

    Raises:
        SourceInvalid: the mapping names a field or a column that is not there, or one column for two fields; a required
            field has no column; a column that is needed stands twice in the header.
    """
    given: dict[str, str] = {}
    for field, column in mapping.items():
        if field not in fields:
            raise SourceInvalid(
                f"--map {field}={column}: there is no field {field}", hint=f"fields: {', '.join(fields)}"
            )
        if column not in columns:
            raise SourceInvalid(
                f"--map {field}={column}: there is no column {column}", hint=f"columns: {listed(columns)}"
            )
        if column in given:
            raise SourceInvalid(
                f"--map {field}={column}: column {column} is {given[column]} already", hint="one column, one field"
            )
        given[column] = field
    names = {field: field for field in fields if field in columns and field not in given} | dict(mapping)
    for field in required:
        if field not in names:
            raise SourceInvalid(
                f"no column {field} among: {listed(columns)}",
                hint=f"name the column that holds it: --map {field}=COLUMN (the first line must be a header)",
            )
    for name in names.values():
        if columns.count(name) > 1:
            raise SourceInvalid(f"column {name} stands {columns.count(name)} times in the header", hint="rename one")
    return {field: columns.index(name) for field, name in names.items()}


def check_width(values: Sequence[str], columns: Sequence[str]) -> None:
    """Make sure that a row has as many values as the header has columns.

    Raises:
        Malformed: it has not; names the first column without a value, or the number of the first value too many.
    """
    if len(values) != len(columns):
        place = len(values)
        raise Malformed(
            columns[place] if place < len(columns) else str(len(columns) + 1),
            "wrong number of values",
            f"expected {len(columns)} values, found {len(values)}",
        )
