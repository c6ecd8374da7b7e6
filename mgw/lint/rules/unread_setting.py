"""A key of the configuration is read by nobody.

## Why is this bad

Whoever sets it believes that it does something. A switch that is connected to nothing is worse than none.

## What instead

Read it where it belongs, or delete it from the class, the YAML file and the documentation. Settings are the fields of
classes whose name ends in `Settings` or `Config`; a field counts as read if any module reads an attribute of its name
or spells it as a text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWS001"


def check(project: Project) -> Iterator[Finding]:
    """Find fields of classes of settings that no module reads."""
    for path, facts in project.modules.items():
        for each in facts.declarations:
            if each.kind == "setting" and each.name not in project.attributes:
                yield Finding(
                    code=CODE, name="unread-setting", path=path, line=each.line, column=each.at,
                    message=f"nobody reads {each.name} of {each.owner}", hint="read it, or delete it",
                )  # fmt: skip
