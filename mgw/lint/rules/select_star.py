"""A query selects `*`.

## Why is this bad

What comes back changes with the schema: a new column goes over the network to everybody, also one with a password in
it, and a column that went is missed only where it is read.

## What instead

Name the columns. Where the query was described, the fix writes those that it has today; it is safe, because they are
the same. `count(*)` is something else and stays, and so does `*` of a subquery or of WITH, whose columns stand in the
query.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mgw.lint.finding import Edit, Finding, Fix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project, QueryFile
    from mgw.lint.statement import Word

CODE = "MGWQ008"
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_BEFORE = {"SELECT", ",", ".", "DISTINCT", "ALL", "RETURNING"}
_BEHIND = {",", "FROM", ")", ";", "INTO", "WHERE", "UNION", "ORDER", "LIMIT"}


def check(project: Project) -> Iterator[Finding]:
    """Find `*` among what is selected or returned."""
    for query in project.queries.values():
        words = query.statement.words
        for place, word in enumerate(words):
            behind = words[place + 1].upper if place + 1 < len(words) else ";"
            if word.text != "*" or not place or words[place - 1].upper not in _BEFORE or behind not in _BEHIND:
                continue
            if _is_asked_whether(words, place) or _is_derived(words, place):
                continue
            yield Finding(
                code=CODE, name="select-star", path=query.path,
                line=query.statement.line(word.start), column=query.statement.column(word.start),
                message="`*` is whatever the schema has that day", hint="name the columns",
                fix=_fix(query, place),
            )  # fmt: skip


def _is_asked_whether(words: tuple[Word, ...], place: int) -> bool:
    """Say whether it is only asked whether there is a row: EXISTS reads no column."""
    return place >= 3 and words[place - 2].text == "(" and words[place - 3].upper == "EXISTS"


def _is_derived(words: tuple[Word, ...], place: int) -> bool:
    """Say whether what it stands for has its columns named in the query itself."""
    if words[place - 1].text == ".":
        alias = words[place - 2].text
        return any(_names_derived(words, each, alias) for each in range(len(words)))
    source = next((each for each in range(place, len(words) - 2) if words[each].upper == "FROM"), None)
    if source is None or words[source].depth != words[place].depth:
        return False
    following = words[source + 1 : source + 3]
    return following[0].text == "(" or any(_names_derived(words, each, following[0].text) for each in range(source))


def _names_derived(words: tuple[Word, ...], place: int, alias: str) -> bool:
    """Say whether a word is where WITH, a subquery or a function gets a name, or where what WITH named gets another."""
    if words[place].text != alias:
        return False
    before = [word.text.upper() for word in words[max(place - 2, 0) : place]]
    if before[-1:] == [")"] or before == [")", "AS"]:
        return True
    behind = [word.text.upper() for word in words[place + 1 : place + 3]]
    if behind == ["AS", "("] and before[-1:] in (["WITH"], [","], ["RECURSIVE"]):
        return True
    source = words[place - 2].text if before[-1:] == ["AS"] else words[place - 1].text
    return source not in {alias, "."} and any(
        word.text == source and [each.upper for each in words[at + 1 : at + 3]] == ["AS", "("]
        for at, word in enumerate(words[:place])
    )


def _fix(query: QueryFile, place: int) -> Fix | None:
    """Return the names in place of the only `*` of a query that selects nothing else."""
    words, description = query.statement.words, query.description
    alone = words[0].upper == "SELECT" and place == 1 and words[2].upper == "FROM"
    if description is None or not alone or not all(_PLAIN.fullmatch(column.name) for column in description.columns):
        return None
    if len({column.name for column in description.columns}) < len(description.columns):
        return None
    names = ", ".join(column.name for column in description.columns)
    return Fix((Edit(words[place].start, words[place].end, names),), is_safe=True)
