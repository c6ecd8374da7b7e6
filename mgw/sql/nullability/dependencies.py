"""What a query depends on: what has to stay as it is for the query, and its verdicts, to stay as they are.

PostgreSQL writes it down itself, in `pg_depend`, for the temporary function that carries the query; for views, for the
rules behind them. Its own objects are not in there: they do not change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The objects that a query depends on, sorted; those of views in it are among them.

    Attributes:
        relations: (schema, relation).
        columns: (schema, relation, column).
        functions: `schema.name(types)`, those behind operators as well.
        types: `schema.name`: domains, enums and composite types that casts or parameters name.
    """

    relations: tuple[tuple[str, str], ...] = ()
    columns: tuple[tuple[str, str, str], ...] = ()
    functions: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    @classmethod
    def read(cls, relations: Any, columns: Any, functions: Any, types: Any) -> Dependencies:  # noqa: ANN401 - JSON
        """Read the lists of `queries/prepare/probe_tree.sql`, which are null where they are empty."""
        return cls(
            tuple(sorted((schema, relation) for schema, relation in relations or ())),
            tuple(sorted((schema, relation, column) for schema, relation, column in columns or ())),
            tuple(sorted(functions or ())),
            tuple(sorted(types or ())),
        )
