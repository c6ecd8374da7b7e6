"""Which column of a table holds which field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.core.errors import SourceInvalid
from mgw.ingest.faults import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def column_places(
    columns: Sequence[str], mapping: Mapping[str, str], *, fields: Mapping[str, str], required: Sequence[str]
) -> dict[str, int]:
    """Find the column of each field.

    Raises:
        SourceInvalid: the mapping names a field or a column that is not there, or a required field has no column.
    """
    for field, column in mapping.items():
        if field not in fields:
            raise SourceInvalid(
                f"--map {field}={column}: there is no field {field}", hint=f"fields: {', '.join(fields)}"
            )
        if column not in columns:
            raise SourceInvalid(
                f"--map {field}={column}: there is no column {column}", hint=f"columns: {', '.join(columns)}"
            )
    names = {field: mapping.get(field, field) for field in fields}
    for field in required:
        if names[field] not in columns:
            raise SourceInvalid(
                f"no column {names[field]} for {field} among: {', '.join(columns)}",
                hint=f"name the column: --map {field}=COLUMN",
            )
    return {field: columns.index(name) for field, name in names.items() if name in columns}


def check_width(values: Sequence[str], width: int) -> None:
    """Make sure that a row has as many values as the header has columns.

    Raises:
        Malformed: it has not.
    """
    if len(values) != width:
        raise Malformed(
            str(min(len(values), width) + 1), "wrong number of values", f"expected {width} values, found {len(values)}"
        )
