"""Calls of functions and operators: those of `known` are judged by their arguments, all others may be NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability import known, sentences
from mgw.sql.nullability.constants import text_constant
from mgw.sql.nullability.reasons import Subject, all_of, not_null, nullable, unknown

if TYPE_CHECKING:
    from mgw.sql.nullability.facts import FunctionFacts
    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Place, Walker
    from mgw.sql.nullability.tree import Node, Value


def find_function(walker: Walker, node: Node, place: Place) -> Finding:
    """Return what is known of a function's result."""
    facts = walker.catalogue.function(node.number("funcid"))
    if facts is None:
        return unknown("a function")
    if node.flag("funcretset"):
        return _rows(facts, place)
    args = node.nodes("args")
    if facts.is_one_of(known.ALWAYS) and not node.flag("funcvariadic"):
        return not_null(f"{facts.name}() is never NULL")
    if facts.builtin and facts.name in known.LEADING and not node.flag("funcvariadic"):
        args = args[: known.LEADING[facts.name]]
    elif not (facts.is_one_of(known.TOTAL | known.ALWAYS) or _is_extract(facts, args)):
        return _may_be_null(facts)
    return all_of((walker.find(arg, place) for arg in args), f"{facts.name}() is not NULL where its arguments are not")


def find_operator(walker: Walker, node: Node, place: Place) -> Finding:
    """Return what is known of an operator's result."""
    facts = walker.catalogue.function(node.number("opfuncid"))
    if facts is None or node.flag("opretset"):
        return unknown("an operator")
    if facts.builtin and facts.name in known.LEADING:
        args = node.nodes("args")[: known.LEADING[facts.name]]
    elif facts.is_one_of(known.TOTAL):
        args = node.nodes("args")
    else:
        return unknown(f"the operator of {sentences.function(facts)}")
    return all_of((walker.find(arg, place) for arg in args), "the operator gives NULL only for NULL")


def _is_extract(facts: FunctionFacts, args: list[Node]) -> bool:
    """Return whether this is `extract` of a unit that even an infinite time has."""
    return facts.is_one_of(known.EXTRACTS) and text_constant(args[0]) in known.INFINITE_UNITS


def _rows(facts: FunctionFacts, place: Place) -> Finding:
    if _count_set_returning(place.scope.query) > 1:
        return nullable("NULL where another function of the SELECT list gives more rows", Subject("call", facts.name))
    if facts.is_one_of(known.ROWS):
        return not_null(f"{facts.name}() gives no NULL")
    if facts.builtin and facts.name == "unnest":
        return nullable("an element of an array may be NULL", Subject("call", facts.name))
    return _may_be_null(facts)


def _may_be_null(facts: FunctionFacts) -> Finding:
    return unknown(f"function {sentences.function(facts)}", Subject("call", facts.name))


def _count_set_returning(query: Node) -> int:
    """Return how many calls in a SELECT list give rows: they go on side by side, the shorter ones with NULL."""
    if not query.flag("hasTargetSRFs"):
        return 0
    count = 0
    todo: list[Value] = list(query.nodes("targetList"))
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo.extend(value)
        elif value is not None and not isinstance(value, str):
            count += value.flag("funcretset") or value.flag("opretset")
            todo.extend(value.fields.values())
    return count
