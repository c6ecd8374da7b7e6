"""An action of the audit trail is declared and never written.

## Why is this bad

Whoever looks through the trail for it finds nothing and takes that for an answer: nobody did it. In truth nobody wrote
it down.

## What instead

Write the entry where the action happens, in the same transaction, or delete the member. Actions are the members of
enumerations whose name ends in `Action`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWA001"


def check(project: Project) -> Iterator[Finding]:
    """Find members that no module names."""
    named = frozenset().union(*(facts.qualified for facts in project.modules.values()))
    for path, facts in project.modules.items():
        for each in facts.declarations:
            if each.kind == "action" and f"{each.owner}.{each.name}" not in named:
                yield Finding(
                    code=CODE, name="unwritten-action", path=path, line=each.line, column=each.at,
                    message=f"{each.owner}.{each.name} is written nowhere", hint="write it where it happens",
                )  # fmt: skip
