"""An event is emitted that no experiment counts.

## Why is this bad

It is refused when it is recorded: an event belongs to a metric of an experiment, or it is a slip of the pen. In either
case whoever emits it believes that it is measured.

## What instead

Count it in a metric, mend its name, or emit it no more. Nothing is said where the project has no experiments.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from mgw.lint.experiments import events_of
from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWE004"


def check(project: Project) -> Iterator[Finding]:
    """Compare what modules emit with what metrics count."""
    counted = {event for file in project.experiments for event in events_of(file)}
    if not counted:
        return
    for path, facts in project.modules.items():
        for each in facts.events:
            if each.name not in counted:
                near = get_close_matches(each.name, counted, 1)
                yield Finding(
                    code=CODE, name="undeclared-event", path=path, line=each.line, column=each.at,
                    message=f"no experiment counts {each.name}",
                    hint=f"did you mean {near[0]}?" if near else "count it in a metric, or emit it no more",
                )  # fmt: skip
