"""A query is called by nobody.

## Why is this bad

It is described, checked and migrated with the schema for ever, and nobody knows whether it still answers the question
that it was written for. Often the caller went and the query stayed.

## What instead

Delete the file and run `mgw prepare`; history keeps it. A query that only tests call is dead as well: tests are not
looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWQ001"
NEEDS = frozenset({"callers"})


def check(project: Project) -> Iterator[Finding]:
    """Find queries whose accessor no module names."""
    if project.accessor_module is None:
        return
    for name, query in project.queries.items():
        if not project.calls[name]:
            yield Finding(
                code=CODE, name="unused-query", path=query.path, line=query.statement.line(query.statement.begins),
                message=f"{query.function} is called nowhere", hint="delete the file and run `mgw prepare`",
            )  # fmt: skip
