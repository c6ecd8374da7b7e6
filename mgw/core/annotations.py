"""What tools that look at code tell other programs: SARIF 2.1.0 for code scanners, commands for GitHub's workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_document(
    tool: str, version: str, rules: Sequence[dict[str, Any]], results: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return a run of a tool.

    Args:
        tool: its name.
        version: of it.
        rules: that it has, as SARIF describes them.
        results: of the run.
    """
    driver = {"name": tool, "version": version, "rules": list(rules)}
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": list(results)}]}


def sarif_result(rule: str, message: str, *, path: str, line: int = 0, column: int = 0) -> dict[str, Any]:
    """Return one result; line and column are 0 where it is about the whole file, or line."""
    region = {"startLine": line or 1} | ({"startColumn": column} if column else {})
    location = {"artifactLocation": {"uri": path}, "region": region}
    return {
        "ruleId": rule,
        "level": "error",
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
    }


def github_command(title: str, message: str, *, path: str, line: int = 0, column: int = 0) -> str:
    """Return a command that GitHub shows as an error beside a line."""
    properties = {"file": path, "title": title}
    if line:
        properties["line"] = str(line)
    if column:
        properties["col"] = str(column)
    shown = ",".join(f"{key}={_escaped(value, in_property=True)}" for key, value in properties.items())
    return f"::error {shown}::{_escaped(message)}"


def _escaped(value: str, *, in_property: bool = False) -> str:
    for letter in "%\r\n" + (":," if in_property else ""):
        value = value.replace(letter, f"%{ord(letter):02X}")
    return value
