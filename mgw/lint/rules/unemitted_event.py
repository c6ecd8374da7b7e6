"""A metric counts an event that nothing emits.

## Why is this bad

The experiment runs for its weeks and the report has nothing to say: every user's value is 0, in every variant.

## What instead

Emit the event, mend its name, or list it under `events` in `[tool.mgw.lint]` if another program records it. Events of
`viewing.` are read from the viewing events. Nothing is said where no event is known to be emitted at all: then all of
them come from elsewhere.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from mgw.lint.experiments import events_of, line_of, name_of
from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWE003"


def check(project: Project) -> Iterator[Finding]:
    """Compare what metrics count with what modules emit."""
    emitted = {each.name for facts in project.modules.values() for each in facts.events}
    emitted |= set(project.configuration.events)
    if not emitted:
        return
    for file in project.experiments:
        for event in dict.fromkeys(events_of(file)):
            if event not in emitted and not event.startswith("viewing."):
                near = get_close_matches(event, emitted, 1)
                yield Finding(
                    code=CODE, name="unemitted-event", path=file.path, line=line_of(file, "metrics"),
                    message=f"{name_of(file)} counts {event}, which nothing emits",
                    hint=f"did you mean {near[0]}?" if near else "emit it, or list it under `events`",
                )  # fmt: skip
