"""A column that may be NULL is used as if it never were.

## Why is this bad

It works until the first row with a NULL, and then fails with `'NoneType' object has no attribute …`, far from the query
that says so. `mgw prepare` proves which columns may be NULL and writes why.

## What instead

Ask `is not None` first, or have the query give another value (`coalesce`), or leave those rows out (`WHERE … IS NOT
NULL`). Where the column never is NULL and the proof does not reach, the header says so: `-- column NAME: not null`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mgw.lint.project import Project
    from mgw.sql.description import Column, Description

CODE = "MGWQ004"
NEEDS = frozenset({"descriptions", "callers"})


def check(project: Project) -> Iterator[Finding]:
    """Find uses of nullable columns that would fail for NULL and that no condition guards."""
    for path, facts in project.modules.items():
        for call in facts.calls:
            query = project.accessors.get(call.function)
            if query is None or query.description is None:
                continue
            reasons = _nullable(query.description, query.fields)
            for use in call.uses:
                if use.dereferenced and not use.guarded and use.column in reasons:
                    shown = use.column or query.description.columns[0].name
                    yield Finding(
                        code=CODE, name="unguarded-nullable", path=path, line=use.line, column=use.at,
                        message=f"{shown} of {query.function} may be NULL: {reasons[use.column]}",
                        hint="ask `is not None` before, or give it another value in the query",
                    )  # fmt: skip


def _nullable(description: Description, fields: Mapping[str, Column]) -> dict[str, str]:
    """Return the columns that may be NULL, with why; under no name the value of a query that has one row and column."""
    columns = description.columns
    if len(columns) == 1:
        is_value = description.returns == "one" and columns[0].nullable
        return {"": _reason(columns[0].reasons)} if is_value else {}
    return {name: _reason(column.reasons) for name, column in fields.items() if column.nullable}


def _reason(reasons: tuple[str, ...]) -> str:
    return reasons[0] if reasons else "the header says so"
