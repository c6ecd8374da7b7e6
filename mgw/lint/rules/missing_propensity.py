"""An exposure is logged with its slate and without propensities.

## Why is this bad

What was shown is known, and not how likely it was to be shown: no other policy can ever be judged by this log
(inverse propensity scoring divides by exactly that), and it cannot be found out later.

## What instead

Log the chance with which each title was put on its place beside the slate: 1.0 where the list is not random.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWE005"


def check(project: Project) -> Iterator[Finding]:
    """Find calls that log exposures with `slate` and without `propensities`."""
    for path, facts in project.modules.items():
        for each in facts.exposures:
            yield Finding(
                code=CODE, name="missing-propensity", path=path, line=each.line, column=each.at,
                message=f"{each.name} has a slate and no propensities", hint="give `propensities`, one for each title",
            )  # fmt: skip
