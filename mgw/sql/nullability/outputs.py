"""The columns of a query: its target list, the arms of UNION, or RETURNING."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability.constants import is_null_constant, whole_number
from mgw.sql.nullability.reasons import all_of, first_of, unknown
from mgw.sql.nullability.scope import Place, Scope

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Walker
    from mgw.sql.nullability.tree import Node

SELECT = 1
# PostgreSQL's SetOperation.
_UNION, _INTERSECT, _EXCEPT = 1, 2, 3
_DEMANDED = "the query around it keeps no row with NULL there"


def columns(walker: Walker, query: Node, parent: Place | None, given: frozenset[int]) -> list[Finding]:
    """Return what is known of each column, in the rows where the columns `given`, counted from 1, are not NULL."""
    in_view = parent.scope.in_view if parent is not None else walker.is_view(query)
    scope = Scope(query, parent, walker, in_view=in_view)
    if query.number("commandType") != SELECT:
        place = Place(scope, "returned")
        return [walker.find(entry.need("expr"), place) for entry in query.nodes("returningList")]
    operation = query.node("setOperations")
    if operation is not None:
        return _combined(walker, scope, operation)
    entries = [entry for entry in query.nodes("targetList") if not entry.flag("resjunk")]
    if given and _is_plain(query, scope):
        scope.given = _wanted(walker, entries, given)
    place = Place(scope, scope.phase)
    return [walker.find(entry.need("expr"), place) for entry in entries]


def _is_plain(query: Node, scope: Scope) -> bool:
    """Return whether a row of the result is one row of FROM, and depends on no other."""
    return not (scope.grouping.is_grouped or query.flag("hasWindowFuncs") or query.flag("hasTargetSRFs"))


def _wanted(walker: Walker, entries: list[Node], given: frozenset[int]) -> dict[Hashable, str]:
    wanted = (entry.need("expr") for at, entry in enumerate(entries, 1) if at in given)
    return {key: _DEMANDED for expression in wanted for key in walker.implications.when_not_null(expression)}


def _combined(walker: Walker, scope: Scope, operation: Node) -> list[Finding]:
    """Return the columns of a set operation, or of one of its arms."""
    if operation.tag == "RANGETBLREF":
        arm = scope.relations[operation.number("rtindex") - 1]
        return walker.outputs(arm.need("subquery"), Place(scope, "row"))
    left = _combined(walker, scope, operation.need("larg"))
    right = _combined(walker, scope, operation.need("rarg"))
    kind = operation.number("op")
    if kind == _EXCEPT:
        return left
    if len(left) != len(right):
        return [unknown("a set operation") for _ in left]
    pairs = zip(left, right, strict=True)
    if kind == _INTERSECT:  # which takes NULLs for equal: a row has NULL only where both sides have
        return [first_of([one.opaque(), other.opaque()], "") for one, other in pairs]
    return [all_of([one.opaque(), other.opaque()], "") for one, other in pairs]


def has_a_row(walker: Walker, query: Node) -> bool:
    """Return whether a query certainly gives a row: an aggregate without GROUP BY does, over no rows as well."""
    if query.number("commandType") != SELECT or not _limits_leave_a_row(query):
        return False
    operation = query.node("setOperations")
    if operation is not None:
        return operation.number("op") == _UNION and any(
            arm.tag == "RANGETBLREF" and has_a_row(walker, _arm(query, arm))
            for arm in (operation.need("larg"), operation.need("rarg"))
        )
    if query.flag("hasTargetSRFs") or query.node("havingQual") is not None:
        return False
    scope = Scope(query, None, walker)
    if scope.grouping.may_be_empty:
        return True
    return query.need("jointree").node("quals") is None and all(
        _gives_a_row(walker, query, part) for part in query.need("jointree").nodes("fromlist")
    )


def _arm(query: Node, reference: Node) -> Node:
    return query.nodes("rtable")[reference.number("rtindex") - 1].need("subquery")


def _gives_a_row(walker: Walker, query: Node, part: Node) -> bool:
    """Return whether a member of FROM certainly has a row."""
    if part.tag != "RANGETBLREF":
        return False
    entry = query.nodes("rtable")[part.number("rtindex") - 1]
    if entry.number("rtekind") == 5:
        return True
    return entry.number("rtekind") == 1 and has_a_row(walker, entry.need("subquery"))


def _limits_leave_a_row(query: Node) -> bool:
    limit, offset = query.node("limitCount"), query.node("limitOffset")
    if offset is not None and whole_number(offset) != 0:
        return False
    return limit is None or is_null_constant(limit) or (whole_number(limit) or 0) > 0
