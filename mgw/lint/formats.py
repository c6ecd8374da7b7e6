"""Findings for readers of all kinds: people, programs, code scanners and GitHub's annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.core.annotations import github_command, sarif_document, sarif_result
from mgw.lint.registry import all_rules

if TYPE_CHECKING:
    from mgw.lint.engine import Report
    from mgw.lint.finding import Finding


def text(report: Report) -> str:
    """Return the findings for a terminal, one after the other as compilers write them."""
    return "\n".join(_for_reader(each) for each in report.findings)


def _for_reader(each: Finding) -> str:
    mark = "" if each.fix is None else " [fix]" if each.fix.is_safe else " [unsafe fix]"
    parts = [f"{each.place}: {each.code} {each.name}: {each.message}{mark}"]
    return "\n".join([*parts, f"    hint: {each.hint}"] if each.hint else parts)


def json(report: Report) -> dict[str, Any]:
    """Return the report as a document."""
    return {
        "files": report.files,
        "findings": [
            {
                "code": each.code,
                "name": each.name,
                "path": each.path,
                "line": each.line or None,
                "column": each.column or None,
                "message": each.message,
                "hint": each.hint or None,
                "fix": None if each.fix is None else "safe" if each.fix.is_safe else "unsafe",
            }
            for each in report.findings
        ],
        "baseline": {"known": report.known, "gone": report.gone},
        "queries_not_described": list(report.stale),
        "tools_not_asked": [{"tool": each.tool, "message": each.message} for each in report.troubles],
    }


def sarif(report: Report, *, version: str) -> dict[str, Any]:
    """Return the report as SARIF 2.1.0, which code scanners read."""
    rules = [
        {
            "id": rule.code,
            "name": rule.name,
            "shortDescription": {"text": rule.summary},
            "fullDescription": {"text": rule.page},
            "help": {"text": rule.page, "markdown": rule.page},
        }
        for rule in all_rules()
    ]
    known = {rule.code for rule in all_rules()}
    rules += [{"id": code, "name": code} for code in sorted({each.code for each in report.findings} - known)]
    results = [
        sarif_result(
            each.code,
            "\n".join(filter(None, [each.message, each.hint])),
            path=each.path,
            line=each.line,
            column=each.column,
        )
        for each in report.findings
    ]
    return sarif_document("mgw lint", version, rules, results)


def github(report: Report) -> str:
    """Return the findings as commands of a workflow, which GitHub shows beside the lines."""
    return "\n".join(
        github_command(
            f"{each.code} {each.name}",
            "\n".join(filter(None, [each.message, each.hint and f"hint: {each.hint}"])),
            path=each.path,
            line=each.line,
            column=each.column,
        )
        for each in report.findings
    )
