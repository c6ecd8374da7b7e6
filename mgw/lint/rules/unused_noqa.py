"""A comment says that a finding is allowed which there is not.

## Why is this bad

What it once excused is gone, or its code is misspelled and excuses nothing. The next fault at this place is either
hidden by it or surprises whoever trusted it.

## What instead

Delete it; the fix does. `mgw: noqa` without codes allows everything, now and later, and is a finding too: name the
codes, as in `mgw: noqa[MGWQ001]`, and say why beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.finding import Finding
    from mgw.lint.project import Project

CODE = "MGWL002"


def check(project: Project) -> Iterator[Finding]:  # noqa: ARG001 - as all rules have it
    """Find nothing: what a comment excuses is known when all rules are done (`mgw.lint.noqa`)."""
    yield from ()
