"""squawk: migrations that lock a table for long, lose data, or cannot be taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mgw.lint.project import Project


def command(project: Project, answer: Path) -> list[str] | None:  # noqa: ARG001 - it writes to stdout
    """Ask about every migration; each runs in a transaction of its own."""
    if not project.migrations:
        return None
    return ["--reporter", "json", "--assume-in-transaction", *project.migrations]


def findings(project: Project, said: str) -> Iterator[Finding]:  # noqa: ARG001 - as all tools have it
    """Read its JSON, in which lines and columns begin with 0."""
    for each in json.loads(said):
        yield Finding(
            code=f"squawk:{each['rule_name']}", name=str(each["rule_name"]), path=each["file"],
            line=each["line"] + 1, column=each["column"] + 1, message=each["message"], hint=each["help"] or "",
        )  # fmt: skip
