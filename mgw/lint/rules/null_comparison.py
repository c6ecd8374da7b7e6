"""A value is compared with NULL by an operator.

## Why is this bad

`x = NULL` is neither true nor false for any x: the row is left out, always, and nothing fails. `NOT IN` with a list
that holds NULL is the same trap.

## What instead

`IS NULL`, `IS NOT NULL`, or `IS DISTINCT FROM` for a value that may be NULL. The fix writes the first two; it is
unsafe, because the query then finds rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Edit, Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project
    from mgw.lint.statement import Statement, Word

CODE = "MGWQ005"
_OPERATORS = {"=", "<", ">", "!"}


def check(project: Project) -> Iterator[Finding]:
    """Find `= NULL`, `<> NULL` and their kind, but for assignments."""
    for query in project.queries.values():
        for first, null in _comparisons(query.statement):
            operator = query.statement.text[first.start : null.start].strip()
            instead = "IS NULL" if operator == "=" else "IS NOT NULL" if operator in {"<>", "!="} else None
            edit = Edit(first.start, null.end, _spaced(query.statement.text, first.start, instead or ""))
            yield Finding(
                code=CODE, name="null-comparison", path=query.path,
                line=query.statement.line(first.start), column=query.statement.column(first.start),
                message=f"`{operator} NULL` is never true",
                hint=f"write {instead}" if instead else "no order is known of NULL",
                fix=Fix((edit,), is_safe=False) if instead else None,
            )  # fmt: skip


def _spaced(text: str, start: int, instead: str) -> str:
    return instead if text[start - 1].isspace() else f" {instead}"


def _comparisons(statement: Statement) -> Iterator[tuple[Word, Word]]:
    """Yield where an operator begins and the NULL behind it."""
    words = statement.words
    assigns = False
    for place, word in enumerate(words):
        if word.upper in {"SET", "WHERE", "FROM", "RETURNING", "VALUES"}:
            assigns = word.upper == "SET"
        if word.upper != "NULL" or not place or words[place - 1].text not in _OPERATORS:
            continue
        first = place - 1
        while words[first - 1].text in _OPERATORS and words[first - 1].end == words[first].start:
            first -= 1
        operator = statement.text[words[first].start : word.start].strip()
        is_argument = operator.startswith("=>") or statement.text[words[first].start - 1] == ":"
        if not is_argument and not (assigns and operator == "="):
            yield words[first], word
