"""A route leads to an upstream that is not there.

## Why is this bad

Every request to it is answered with 503, however well the gateway runs.

## What instead

Add the upstream with its `urls`, mend the name, or take the route out. A route with a `fallback` has an answer all the
same, and is none of these.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mgw.lint.finding import Finding
from mgw.lint.gateway import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWG001"


def check(project: Project) -> Iterator[Finding]:
    """Find routes, and canaries of routes, without their upstream."""
    for file in project.gateways:
        upstreams = file.content.get("upstreams") or {}
        known = list(upstreams) if isinstance(upstreams, dict) else []
        for route in routes_of(file):
            for name in _asked(route.content):
                if name not in known and "fallback" not in route.content:
                    near = get_close_matches(name, known, 1)
                    yield Finding(
                        code=CODE, name="undefined-upstream", path=file.path, line=route.line, column=route.column,
                        message=f"{route.path} leads to {name}, which is not configured",
                        hint=f"did you mean {near[0]}?" if near else f"add `upstreams.{name}` with its `urls`",
                    )  # fmt: skip


def _asked(route: dict[str, Any]) -> Iterator[str]:
    canary = route.get("canary")
    for name in (route.get("upstream"), canary.get("upstream") if isinstance(canary, dict) else None):
        if isinstance(name, str):
            yield name
