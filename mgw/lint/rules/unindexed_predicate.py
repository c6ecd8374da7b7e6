"""No index can serve a condition.

## Why is this bad

The whole table is read for each call. With the data of a test that is a millisecond; it grows with the table, and it is
found on the day that the table is large.

## What instead

The index that `mgw prepare` proposes was tried: PostgreSQL's planner uses it. Where reading all of the table is what
the query is for, the header says so: `-- scan TABLE: why`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWQ007"
NEEDS = frozenset({"descriptions"})


def check(project: Project) -> Iterator[Finding]:
    """Find what planning without data found."""
    for query in project.queries.values():
        for each in query.description.plan if query.description else ():
            yield Finding(
                code=CODE, name="unindexed-predicate", path=query.path,
                line=query.statement.line(query.statement.begins),
                message=f"no index serves `{each.predicate}` of {each.table}",
                hint=f"{each.index};" if each.index else "",
            )  # fmt: skip
