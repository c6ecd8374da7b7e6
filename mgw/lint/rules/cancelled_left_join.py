"""A condition in WHERE cancels a LEFT JOIN.

## Why is this bad

Where the joined table has no row its columns are NULL, and a comparison with NULL is not true: exactly the rows that
LEFT JOIN is there to keep are dropped again. Either the JOIN says what is not meant, or the result lacks rows.

## What instead

Where the rows are to be kept, move the condition into ON. Where they are not, write JOIN: the result is the same, so
the fix that does it is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Edit, Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mgw.lint.project import Project
    from mgw.lint.statement import Statement, Word

CODE = "MGWQ006"
_KEEPS_NULL = {
    "COALESCE",
    "CASE",
    "DISTINCT",
    "EXISTS",
    "OR",
    "NUM_NULLS",
    "CONCAT",
    "FORMAT",
    "JSONB_BUILD_OBJECT",
    "ALL",
}
_COMPARES = {"=", "<", ">", "LIKE", "ILIKE", "IN", "BETWEEN", "~", "@"}
_ENDS_FROM = {"WHERE", "GROUP", "ORDER", "LIMIT", "UNION", "HAVING", "RETURNING", "WINDOW", "INTERSECT", "EXCEPT"}


def check(project: Project) -> Iterator[Finding]:
    """Find LEFT JOINs whose rows without a partner a condition drops."""
    for query in project.queries.values():
        statement = query.statement
        for place, word in enumerate(statement.words):
            if word.upper == "WHERE":
                for left, join, alias in _left_joins(statement, place):
                    condition = next((each for each in statement.conjuncts(place) if _drops(each, alias)), None)
                    if condition:
                        yield _finding(query.path, statement, (left, join, alias), condition)


def _finding(path: str, statement: Statement, joined: tuple[Word, Word, str], condition: Sequence[Word]) -> Finding:
    left, join, alias = joined
    text = " ".join(statement.text[condition[0].start : condition[-1].end].split())
    return Finding(
        code=CODE, name="cancelled-left-join", path=path,
        line=statement.line(left.start), column=statement.column(left.start),
        message=f"`{text}` drops the rows that LEFT JOIN {alias} is to keep",
        hint="move it into ON to keep them, or write JOIN",
        fix=Fix((Edit(left.start, join.start, ""),), is_safe=True),
    )  # fmt: skip


def _left_joins(statement: Statement, where: int) -> Iterator[tuple[Word, Word, str]]:
    """Yield the LEFT JOINs of the FROM that a WHERE belongs to: where LEFT and JOIN stand, and what it is called.

    A join behind it that keeps all rows of its right side makes rows without a partner again; then nothing is said.
    """
    words, depth = statement.words, statement.words[where].depth
    begin = where
    while begin and not (words[begin].depth == depth and _begins(words, begin)):
        if words[begin].depth < depth or (words[begin].depth == depth and words[begin].upper in _ENDS_FROM - {"WHERE"}):
            return
        begin -= 1
    clause = [word for word in words[begin:where] if word.depth == depth]
    if any(word.upper in {"RIGHT", "FULL"} for word in clause):
        return
    for place, word in enumerate(clause):
        if word.upper != "LEFT":
            continue
        join = place + 1 + (clause[place + 1].upper == "OUTER")
        alias = _alias(clause, join + 1)
        if clause[join].upper == "JOIN" and alias:
            yield word, clause[join], alias


def _begins(words: Sequence[Word], place: int) -> bool:
    """Say whether the tables of a statement begin here: at FROM, or at DELETE's USING, which no bracket follows."""
    return words[place].upper == "FROM" or (words[place].upper == "USING" and words[place + 1].text != "(")


def _alias(clause: Sequence[Word], place: int) -> str | None:
    """Return what the joined table is called: the last name before ON or USING."""
    names: list[str] = []
    for word in clause[place:]:
        if word.upper in {"ON", "USING"}:
            return names[-1] if names else None
        if word.upper not in {"AS", "LATERAL", "(", ")", ".", "ONLY"}:
            names.append(word.text)
    return None


def _drops(condition: Sequence[Word], alias: str) -> bool:
    """Say whether a condition cannot be true where every column of a table is NULL."""
    uppers = [word.upper for word in condition]
    if _KEEPS_NULL & set(uppers):
        return False
    top = min((word.depth for word in condition), default=0)
    mentions = [
        place
        for place, word in enumerate(condition[:-2])
        if word.depth == top and word.text == alias and condition[place + 1].text == "."
    ]
    if not mentions:
        return False
    if "IS" in uppers:
        return uppers[-2:] == ["NOT", "NULL"] and len(condition) == 6
    if "NOT" in uppers:
        return False
    return len(condition) == 3 or any(word.depth == top and word.upper in _COMPARES for word in condition)
