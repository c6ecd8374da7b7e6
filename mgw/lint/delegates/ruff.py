"""ruff: imports, variables and arguments that nothing uses; configured as the project has it configured."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from mgw.lint.finding import Edit, Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mgw.lint.project import Project


def command(project: Project, answer: Path) -> list[str] | None:  # noqa: ARG001 - it writes to stdout
    """Ask for what the configuration names; its own exclusions and those of single files hold."""
    if not any(path.endswith(".py") for path in project.paths):
        return None
    chosen = ",".join(project.configuration.ruff)
    return ["check", "--select", chosen, "--output-format", "json", "--force-exclude", "--exit-zero", "--quiet", "."]


def findings(project: Project, said: str) -> Iterator[Finding]:
    """Read its JSON."""
    for each in json.loads(said):
        path = os.path.relpath(each["filename"], project.root).replace(os.sep, "/")
        if each["code"] in {None, "invalid-syntax"}:
            continue  # a rule of ours says so
        yield Finding(
            code=f"ruff:{each['code']}", name=str(each["code"]), path=path, line=each["location"]["row"],
            column=each["location"]["column"], message=each["message"],
            hint=(each.get("fix") or {}).get("message") or "", fix=_fix(project, path, each.get("fix")),
        )  # fmt: skip


def _fix(project: Project, path: str, fix: Mapping[str, object] | None) -> Fix | None:
    """Take a fix over, with offsets in place of lines."""
    if fix is None:
        return None
    starts = [0]
    for line in project.source(path).text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    edits = tuple(
        Edit(_offset(starts, each["location"]), _offset(starts, each["end_location"]), each["content"])
        for each in fix["edits"]  # type: ignore[attr-defined]
    )
    return Fix(edits, is_safe=fix["applicability"] == "safe")


def _offset(starts: list[int], place: Mapping[str, int]) -> int:
    return starts[min(place["row"] - 1, len(starts) - 1)] + place["column"] - 1
