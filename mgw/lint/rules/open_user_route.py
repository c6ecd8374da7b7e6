"""A route that carries what belongs to a user takes requests without a token.

## Why is this bad

Whoever knows or guesses an id reads the history of somebody else, and the address of the client is all that is known of
them.

## What instead

`auth: required`, and `subject` where the request names the user. A route carries a user's data if a piece of its path
is one of `user-paths` in `[tool.mgw.lint]`. With a `subject` a token may be optional: a request that names a user
without one is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.gateway.routing import pieces
from mgw.lint.finding import Edit, Finding, Fix
from mgw.lint.gateway import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.gateway import RouteEntry
    from mgw.lint.project import Project, YamlFile

CODE = "MGWG003"


def check(project: Project) -> Iterator[Finding]:
    """Find routes for users whose token is not required."""
    words = set(project.configuration.user_paths)
    for file in project.gateways:
        for route in routes_of(file):
            auth = route.content.get("auth", "required")
            found = words & {piece.strip("{}").replace("-", "_") for piece in pieces(route.path)}
            if not found or auth == "required" or (auth == "optional" and "subject" in route.content):
                continue
            yield Finding(
                code=CODE, name="open-user-route", path=file.path, line=route.line, column=route.column,
                message=f"{route.path} is about a user (`{min(found)}`), and auth is {auth}",
                hint="write `auth: required`", fix=_fix(file, route),
            )  # fmt: skip


def _fix(file: YamlFile, route: RouteEntry) -> Fix | None:
    """Require the token; what asked without one is refused from then on."""
    value = route.value("auth")
    if value is None:
        return None
    start = sum(len(line) for line in file.text.splitlines(keepends=True)[: value.line - 1]) + value.column - 1
    auth = str(route.content["auth"])
    return (
        Fix((Edit(start, start + len(auth), "required"),), is_safe=False) if file.text.startswith(auth, start) else None
    )
