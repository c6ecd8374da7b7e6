"""Differences for readers of all kinds: people, programs, code scanners and GitHub's annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.sql.check.difference import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgw.sql.check.difference import Difference

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def text(differences: Sequence[Difference]) -> str:
    """Return the differences for a terminal, each with what changed."""
    return "\n".join(_for_reader(each) for each in differences)


def _for_reader(each: Difference) -> str:
    parts = [f"{_place(each)}: {each.rule}: {each.message}"]
    parts += [f"    {line}" for line in each.diff.splitlines()]
    parts.append(f"    hint: {each.hint}")
    return "\n".join(parts)


def _place(each: Difference) -> str:
    numbers = [str(number) for number in (each.line, each.column) if number]
    return ":".join([str(each.path), *numbers])


def json(differences: Sequence[Difference], *, queries: int) -> dict[str, Any]:
    """Return the differences as a document."""
    return {
        "queries": queries,
        "differences": [
            {
                "rule": each.rule,
                "query": each.query,
                "path": each.path.as_posix(),
                "line": each.line or None,
                "column": each.column or None,
                "message": each.message,
                "diff": each.diff or None,
                "hint": each.hint,
            }
            for each in differences
        ],
    }


def sarif(differences: Sequence[Difference], *, version: str) -> dict[str, Any]:
    """Return the differences as SARIF 2.1.0, which code scanners read."""
    rules = [{"id": rule, "shortDescription": {"text": sentence}} for rule, sentence in RULES.items()]
    driver = {"name": "mgw check", "version": version, "rules": rules}
    results = [_sarif_result(each) for each in differences]
    return {"$schema": SARIF, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _sarif_result(each: Difference) -> dict[str, Any]:
    message = "\n".join(filter(None, [each.message, each.diff, each.hint]))
    region = {"startLine": each.line or 1} | ({"startColumn": each.column} if each.column else {})
    location = {"artifactLocation": {"uri": each.path.as_posix()}, "region": region}
    return {
        "ruleId": each.rule,
        "level": "error",
        "message": {"text": message},
        "locations": [{"physicalLocation": location}],
    }


def github(differences: Sequence[Difference]) -> str:
    """Return the differences as commands of a workflow, which GitHub shows beside the lines."""
    return "\n".join(_command(each) for each in differences)


def _command(each: Difference) -> str:
    properties = {"file": each.path.as_posix(), "title": f"mgw check: {each.rule}"}
    if each.line:
        properties["line"] = str(each.line)
    if each.column:
        properties["col"] = str(each.column)
    shown = ",".join(f"{key}={_escaped(value, in_property=True)}" for key, value in properties.items())
    message = "\n".join(filter(None, [each.message, each.diff, f"hint: {each.hint}"]))
    return f"::error {shown}::{_escaped(message)}"


def _escaped(value: str, *, in_property: bool = False) -> str:
    for letter in "%\r\n" + (":," if in_property else ""):
        value = value.replace(letter, f"%{ord(letter):02X}")
    return value
