"""A route is never reached, because another one takes its requests.

## Why is this bad

What it says of authentication, limits and timeouts does not hold; what the other one says does.

## What instead

Delete one of the two, or take the method out of one. A piece that is spelled out goes before one in braces, so
`/content/trending` beside `/content/{id}` is no shadow, in whatever order they stand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.gateway.routing import shape
from mgw.lint.finding import Finding
from mgw.lint.gateway import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWG002"


def check(project: Project) -> Iterator[Finding]:
    """Find routes whose every or some method another one of the same shape takes first."""
    for file in project.gateways:
        taken: dict[tuple[tuple[str, ...], str], int] = {}
        for route in routes_of(file):
            methods = [
                method
                for method in route.methods
                if taken.setdefault((shape(route.path), method), route.line) != route.line
            ]
            if methods:
                line = taken[shape(route.path), methods[0]]
                yield Finding(
                    code=CODE, name="shadowed-route", path=file.path, line=route.line, column=route.column,
                    message=f"{', '.join(methods)} {route.path} is never reached: line {line} takes it",
                    hint="delete one of the two",
                )  # fmt: skip
