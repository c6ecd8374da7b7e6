"""A list that somebody is shown has no LIMIT.

## Why is this bad

It is short for the author and has a hundred thousand rows for the customer who uses it most: the page, the memory of
the process and the patience of whoever waits grow with it.

## What instead

`LIMIT :top_k`, and a key to go on from (`WHERE (at, id) < (:at, :id)`). A query is a list if it only reads, has an
ORDER BY and gives any number of rows; it is shown if a module for users (`user-facing` in `[tool.mgw.lint]`) calls
it, or calls a function by the name of `list`, `find`, `search` or `page` that does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mgw.lint.files import matches
from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.facts import ModuleFacts
    from mgw.lint.project import Project, QueryFile

CODE = "MGWQ009"
NEEDS = frozenset({"descriptions", "callers"})
_WRITES = {"FOR", "INSERT", "UPDATE", "DELETE", "MERGE"}
_LISTS = re.compile(r"(?:list|find|search|page)(?:_\w+)?|\w+_(?:list|page)")


def check(project: Project) -> Iterator[Finding]:
    """Find ordered queries without a limit that modules for users call."""
    facing = {
        path: facts for path, facts in project.modules.items() if matches(path, project.configuration.user_facing)
    }
    for query in project.queries.values():
        if _is_endless(query) and (caller := _shown_by(query, project, facing)):
            yield Finding(
                code=CODE, name="unlimited-list", path=query.path,
                line=query.statement.line(query.statement.begins),
                message=f"{query.function} gives any number of rows, and {caller} shows them",
                hint="LIMIT :top_k, and a key to go on from",
            )  # fmt: skip


def _is_endless(query: QueryFile) -> bool:
    statement = query.statement
    if query.description is None or query.description.returns != "many" or statement.verb not in {"SELECT", "WITH"}:
        return False
    if _WRITES & {word.upper for word in statement.words}:
        return False
    return statement.has_at_top("ORDER") and not statement.has_at_top("LIMIT", "FETCH", "GROUP")


def _shown_by(query: QueryFile, project: Project, facing: dict[str, ModuleFacts]) -> str | None:
    for path, facts in project.modules.items():
        functions = {
            call.within for call in facts.calls if project.accessors.get(call.function) is query and call.is_call
        }
        if not functions:
            continue
        if path in facing:
            return path
        module = path.removesuffix(".py").replace("/", ".")
        functions = {name for name in functions if _LISTS.fullmatch(name)}
        for other, shown in facing.items():
            imported = any(module.endswith(each) or each.startswith(f"{module}.") for each in shown.imports if each)
            if imported and functions & (shown.names | shown.attributes):
                return other
    return None
