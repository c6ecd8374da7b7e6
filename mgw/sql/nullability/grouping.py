"""GROUP BY: which groups can be empty, and which columns GROUPING SETS replace by NULL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.sql.nullability.keys import frozen

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mgw.sql.nullability.tree import Node

# PostgreSQL's GroupingSetKind.
_EMPTY, _SIMPLE, _ROLLUP, _CUBE, _SETS = range(5)


@dataclass(frozen=True, slots=True)
class Grouping:
    """What GROUP BY, or an aggregate without it, does.

    Attributes:
        is_grouped: whether the result is one of groups.
        may_be_empty: whether a group may be one of no rows.
        replaced: the expressions that are NULL in the groups of some grouping sets.
    """

    is_grouped: bool
    may_be_empty: bool
    replaced: frozenset[Hashable]

    @classmethod
    def of(cls, query: Node) -> Grouping:
        """Read it from a query."""
        sets = query.nodes("groupingSets")
        clauses = query.nodes("groupClause")
        grouped = bool(sets or clauses or query.flag("hasAggs") or query.node("havingQual"))
        may_be_empty = all(_may_be_empty(each) for each in sets) if sets else grouped and not clauses
        return cls(grouped, may_be_empty, _replaced(query, clauses, sets) if sets else frozenset())


def _replaced(query: Node, clauses: list[Node], sets: list[Node]) -> frozenset[Hashable]:
    kept = set().union(*(_common(each) for each in sets))
    references = {clause.number("tleSortGroupRef") for clause in clauses} - kept
    entries = query.nodes("targetList")
    return frozenset(frozen(entry.need("expr")) for entry in entries if entry.number("ressortgroupref") in references)


def _common(grouping_set: Node) -> set[int]:
    """Return the columns that are in all of the sets that a part of GROUP BY stands for."""
    kind = grouping_set.number("kind")
    if kind == _SIMPLE:
        return set(grouping_set.numbers("content"))
    if kind == _SETS:
        return set.intersection(*(_common(each) for each in grouping_set.nodes("content")))
    return set()


def _may_be_empty(grouping_set: Node) -> bool:
    kind = grouping_set.number("kind")
    if kind == _SETS:
        return any(_may_be_empty(each) for each in grouping_set.nodes("content"))
    return kind != _SIMPLE
