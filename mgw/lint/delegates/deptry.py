"""deptry: dependencies that are imported and not declared, or declared and not imported."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

from mgw.lint.configuration import FILE
from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mgw.lint.project import Project


def command(project: Project, answer: Path) -> list[str] | None:
    """Ask about the whole project, where it declares dependencies."""
    declared = (project.root / FILE).is_file() and "project" in tomllib.loads((project.root / FILE).read_text("utf-8"))
    return [".", "--json-output", str(answer)] if declared else None


def findings(project: Project, said: str) -> Iterator[Finding]:  # noqa: ARG001 - as all tools have it
    """Read its JSON."""
    for each in json.loads(said):
        place = each["location"]
        yield Finding(
            code=f"deptry:{each['error']['code']}", name=each["error"]["code"], path=place["file"].replace("\\", "/"),
            line=place["line"] or 0, column=place["column"] or 0, message=each["error"]["message"],
            hint="declare it, or leave it out of the dependencies",
        )  # fmt: skip
