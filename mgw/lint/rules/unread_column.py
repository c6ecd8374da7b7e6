"""A column of a query's result is read by nobody.

## Why is this bad

The database computes it, the network carries it, and a reader wonders what for. It may also be what keeps an index from
being enough for the query.

## What instead

Leave it out of the SELECT. Only results are judged whose whole way is seen: rows that are handed to another function or
returned count as read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.facts import Call
    from mgw.lint.project import Project, QueryFile

CODE = "MGWQ003"
NEEDS = frozenset({"descriptions", "callers"})


def check(project: Project) -> Iterator[Finding]:
    """Find columns that no call of their query reads."""
    for name, found in project.calls.items():
        query = project.queries[name]
        if not found or query.description is None or len(query.description.columns) < 2:
            continue
        if all(_is_seen(call, query) for call in found):
            yield from _unread(query, found)


def _is_seen(call: Call, query: QueryFile) -> bool:
    """Say whether all that happens to the rows of a call is known."""
    assert query.description is not None
    is_of_rows = call.is_unpacked and query.description.returns == "many"
    return call.is_call and call.is_followed and not is_of_rows and not call.function.endswith("_pipelined")


def _unread(query: QueryFile, calls: list[Call]) -> Iterator[Finding]:
    read = {use.column for call in calls for use in call.uses}
    places = {place for call in calls for place in call.positions}
    unread = [
        column.name
        for place, (name, column) in enumerate(query.fields.items())
        if name not in read and place not in places
    ]
    if len(unread) == len(query.fields):  # nobody wants the rows, or only how many there are
        return
    for column in unread:
        yield Finding(
            code=CODE, name="unread-column", path=query.path, line=query.statement.line(query.statement.begins),
            message=f"nobody reads {column} of {query.function}", hint="leave it out of the SELECT",
        )  # fmt: skip
