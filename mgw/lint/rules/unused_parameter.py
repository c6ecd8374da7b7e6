"""A parameter of a query makes no difference.

## Why is this bad

It looks like a filter that can be used. Either the header names it and the statement does not, or every caller gives
None for it: what would happen with a value was never tried.

## What instead

Delete it, or call the query with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding
from mgw.sql.accessors.names import argument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.facts import Call
    from mgw.lint.project import Project, QueryFile

CODE = "MGWQ010"
NEEDS = frozenset({"callers"})


def check(project: Project) -> Iterator[Finding]:
    """Find parameters that the statement lacks, and those that are never given a value."""
    for name, query in project.queries.items():
        yield from _of_the_header(query)
        yield from _never_given(query, project.calls[name])


def _of_the_header(query: QueryFile) -> Iterator[Finding]:
    text = query.statement.text
    offset = 0
    for line in text[: query.statement.begins].splitlines(keepends=True):
        words = line.lstrip("- \t").split()
        if words[:1] == ["param"] and len(words) > 1 and words[1].endswith(":"):
            name = words[1].rstrip(":")
            if name not in query.statement.parameters:
                yield _finding(query, query.statement.line(offset), f"the statement has no :{name}")
        offset += len(line)


def _never_given(query: QueryFile, calls: list[Call]) -> Iterator[Finding]:
    if not calls or not all(call.is_call and "**" not in call.keywords for call in calls):
        return
    never = set.intersection(*(set(call.nones) for call in calls))
    for name in sorted(name for name in query.statement.parameters if argument(name) in never):
        offset = query.statement.text.index(f":{name}", query.statement.begins)
        yield _finding(query, query.statement.line(offset), f"every caller gives None for :{name}")


def _finding(query: QueryFile, line: int, message: str) -> Finding:
    return Finding(
        code=CODE, name="unused-parameter", path=query.path, line=line, message=message,
        hint="delete it, or call the query with it",
    )  # fmt: skip
