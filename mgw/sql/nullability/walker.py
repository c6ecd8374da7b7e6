"""Walks the tree of one query: every kind of expression has a rule, and what has none may be NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability import outputs
from mgw.sql.nullability.aggregates import find_aggregate, find_window_function
from mgw.sql.nullability.calls import find_function, find_operator
from mgw.sql.nullability.columns import find_variable, replaced_by_grouping
from mgw.sql.nullability.expressions import RULES
from mgw.sql.nullability.implications import Implications
from mgw.sql.nullability.keys import frozen, key
from mgw.sql.nullability.reasons import Finding, not_null, nullable, unknown
from mgw.sql.nullability.recursion import Assumptions
from mgw.sql.nullability.subqueries import find_sub_query

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from mgw.sql.nullability.catalogue import Catalogue
    from mgw.sql.nullability.scope import Place, Walker
    from mgw.sql.nullability.tree import Node

_RULES: dict[str, Callable[[Walker, Node, Place], Finding]] = {
    **RULES,
    "VAR": find_variable,
    "FUNCEXPR": find_function,
    "OPEXPR": find_operator,
    "AGGREF": find_aggregate,
    "WINDOWFUNC": find_window_function,
    "SUBLINK": find_sub_query,
}
# Of these, a condition may say that they are not NULL: `WHERE data ->> 'title' IS NOT NULL`.
_PROVABLE = frozenset({"FUNCEXPR", "OPEXPR", "AGGREF", "COERCEVIAIO", "SUBSCRIPTINGREF", "SCALARARRAYOPEXPR"})
# Deeper trees than any that people write: each level takes a few frames of Python's stack.
_MAX_DEPTH = 150


class TreeWalker:
    """Judges the expressions of one query."""

    def __init__(self, catalogue: Catalogue, not_null_parameters: Collection[int] = ()) -> None:
        self.catalogue = catalogue
        self.implications = Implications(catalogue)
        self.assumptions = Assumptions()
        self._not_null_parameters = frozenset(not_null_parameters)
        self._memory: dict[tuple[int, Place | None, frozenset[int]], list[Finding]] = {}
        self._depth = 0

    def find(self, node: Node, place: Place) -> Finding:
        """Return what is known of an expression."""
        rule = _RULES.get(node.tag)
        if rule is None:
            return unknown(f"an expression of kind {node.tag.lower()}")
        if place.phase == "group" and place.scope.grouping.replaced and self._is_replaced(node, place):
            return replaced_by_grouping()
        if self._depth >= _MAX_DEPTH:
            return unknown("an expression that is nested too deeply")
        self._depth += 1
        try:
            found = rule(self, node, place)
        finally:
            self._depth -= 1
        return self._by_condition(node, place, found) if found.nullable and node.tag in _PROVABLE else found

    def outputs(self, query: Node, parent: Place | None, given: frozenset[int] = frozenset()) -> list[Finding]:
        """Return what is known of the columns of a query, in the rows where those `given` are not NULL."""
        memory = (id(query), parent, given)
        if memory not in self._memory:
            self._memory[memory] = outputs.columns(self, query, parent, given)
        return self._memory[memory]

    def forget(self) -> None:
        """Drop results that were found under assumptions."""
        self._memory.clear()

    def is_view(self, query: Node) -> bool:
        """Return whether a query without a parent is that of a view."""
        return self.catalogue.is_view(query)

    def parameter(self, number: int) -> Finding:
        """Return what is known of a parameter."""
        if number in self._not_null_parameters:
            return not_null(f"${number} is never NULL")
        return nullable(f"parameter ${number} may be NULL")

    @staticmethod
    def _is_replaced(node: Node, place: Place) -> bool:
        return node.tag != "VAR" and frozen(node) in place.scope.grouping.replaced

    def _by_condition(self, node: Node, place: Place, found: Finding) -> Finding:
        name = key(node, self.catalogue)
        proof = None if name is None else place.proof(name)
        return found if proof is None else not_null(proof)
