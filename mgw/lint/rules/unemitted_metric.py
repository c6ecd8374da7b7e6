"""A metric of Prometheus is declared and never counted.

## Why is this bad

`/metrics` has it, a dashboard shows it, and it is 0 whatever happens: an alert on it never fires.

## What instead

Count it where the thing happens, or delete it. A family counts as used if any module reads the name that it is bound
to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWM001"


def check(project: Project) -> Iterator[Finding]:
    """Find declarations whose name nobody reads."""
    read = project.attributes | project.names
    for path, facts in project.modules.items():
        for each in facts.declarations:
            if each.kind == "metric" and each.bound not in read:
                yield Finding(
                    code=CODE, name="unemitted-metric", path=path, line=each.line, column=each.at,
                    message=f"{each.name} is declared, and nothing counts on it", hint="count it, or delete it",
                )  # fmt: skip
