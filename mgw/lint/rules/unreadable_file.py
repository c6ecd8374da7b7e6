"""A file cannot be looked at.

## Why is this bad

Nothing is said of what nobody could read, and silence looks like praise: the file may not be opened, is not UTF-8, is
larger than 4 MB, or does not parse.

## What instead

Mend it, or exclude it under `exclude` in `[tool.mgw.lint]`, which says in public that it is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWL001"


def check(project: Project) -> Iterator[Finding]:
    """Find files that were not read, and modules and YAML that are none."""
    for path, facts in project.modules.items():
        if facts.problem:
            yield _finding(path, facts.line, facts.problem)
    for path, problem in project.unreadable_yaml.items():
        yield _finding(path, 0, problem)
    for path, problem in project.listing.closed.items():
        yield _finding(path, 0, f"may not be opened: {problem}")
    for path in project.paths:
        source = project.source(path) if path not in project.modules else None
        if source is not None and source.problem:
            yield _finding(path, source.line, source.problem)


def _finding(path: str, line: int, message: str) -> Finding:
    return Finding(code=CODE, name="unreadable-file", path=path, line=line, message=message, hint="mend or exclude it")
