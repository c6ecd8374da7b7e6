"""Common table expressions, those that read themselves among them.

A recursive one is never NULL in a column if its first part is not, and its second is not where what it reads is not.
So all columns are assumed never to be NULL, and those of which this turns out wrong are given up, until nothing
changes: the largest assumption that proves itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability.keys import Variable
from mgw.sql.nullability.reasons import not_null, nullable, unknown

if TYPE_CHECKING:
    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Place, Walker
    from mgw.sql.nullability.tree import Node


class Assumptions:
    """What is assumed, while it is being proved, of the columns of recursive common table expressions."""

    def __init__(self) -> None:
        self._assumed: dict[int, list[bool]] = {}

    def get(self, cte: Node) -> list[Finding] | None:
        """Return the assumed columns of an expression that is being worked on."""
        assumed = self._assumed.get(id(cte))
        if assumed is None:
            return None
        return [nullable("NULL in an earlier round") if each else not_null("no round gives NULL") for each in assumed]

    def prove(self, walker: Walker, cte: Node, owner: Place) -> list[Finding]:
        """Return the columns of a recursive expression."""
        query = cte.need("ctequery")
        assumed = [False] * len(cte.texts("ctecolnames"))
        while True:
            self._assumed[id(cte)] = assumed
            walker.forget()
            found = walker.outputs(query, owner.row())
            held = [each or (at < len(found) and found[at].nullable) for at, each in enumerate(assumed)]
            if held == assumed:
                break
            assumed = held
        del self._assumed[id(cte)]
        walker.forget()
        return found


def outputs(walker: Walker, cte: Node, owner: Place, given: frozenset[int]) -> list[Finding]:
    """Return what is known of the columns of a common table expression, in rows where those `given` are not NULL."""
    assumed = walker.assumptions.get(cte)
    if assumed is not None:
        return assumed
    if cte.flag("cterecursive"):
        found = walker.assumptions.prove(walker, cte, owner)
    else:
        found = walker.outputs(cte.need("ctequery"), owner.row(), given)
    return found + _added(cte)


def _added(cte: Node) -> list[Finding]:
    """Return the columns that SEARCH and CYCLE add, in this order: what is searched by, the mark, the path."""
    columns = []
    if cte.node("search_clause") is not None:
        columns.append(not_null("SEARCH gives every row its place"))
    cycle = cte.node("cycle_clause")
    if cycle is not None:
        columns += [unknown("the mark of CYCLE"), not_null("CYCLE gives every row its path")]
    return columns


def demanded(home: Place, entry: Node) -> frozenset[int]:
    """Return the columns of a sub-query that are not NULL in the rows that its reader keeps."""
    index = next(at for at, each in enumerate(home.scope.relations, 1) if each is entry)
    return frozenset(
        key.column
        for key in home.scope.row_facts
        if isinstance(key, Variable) and key.level == 0 and key.relation == index and key.column > 0
    )
