"""Differences for readers of all kinds: people, programs, code scanners and GitHub's annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.core.annotations import github_command, sarif_document, sarif_result
from mgw.sql.check.difference import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgw.sql.check.difference import Difference


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
    results = [
        sarif_result(
            each.rule,
            "\n".join(filter(None, [each.message, each.diff, each.hint])),
            path=each.path.as_posix(),
            line=each.line,
            column=each.column,
        )
        for each in differences
    ]
    return sarif_document("mgw check", version, rules, results)


def github(differences: Sequence[Difference]) -> str:
    """Return the differences as commands of a workflow, which GitHub shows beside the lines."""
    return "\n".join(
        github_command(
            f"mgw check: {each.rule}",
            "\n".join(filter(None, [each.message, each.diff, f"hint: {each.hint}"])),
            path=each.path.as_posix(),
            line=each.line,
            column=each.column,
        )
        for each in differences
    )
