"""Expressions other than columns, calls and sub-queries: which parts of each make it NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability import known
from mgw.sql.nullability.constants import is_array_without_nulls, is_null_constant
from mgw.sql.nullability.keys import frozen
from mgw.sql.nullability.reasons import all_of, first_of, not_null, nullable, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Place, Walker
    from mgw.sql.nullability.tree import Node

_CURRENT_SCHEMA = 14
_EXTERNAL = 0
_JSON_OBJECT, _JSON_ARRAY = 1, 2


def _constant(_walker: Walker, node: Node, _place: Place) -> Finding:
    return nullable("the constant NULL") if is_null_constant(node) else not_null("a constant")


def _parameter(walker: Walker, node: Node, place: Place) -> Finding:
    if node.number("paramkind") != _EXTERNAL:
        return unknown("a value of a sub-query")
    number = node.number("paramid")
    proof = place.proof(frozen(node))
    return walker.parameter(number) if proof is None else not_null(f"${number} is not NULL: {proof}")


def _through(walker: Walker, node: Node, place: Place) -> Finding:
    return walker.find(node.need("arg"), place)


def _boolean(walker: Walker, node: Node, place: Place) -> Finding:
    return all_of((walker.find(arg, place) for arg in node.nodes("args")), "its parts are not NULL")


def _case(walker: Walker, node: Node, place: Place) -> Finding:
    results = []
    rest = place
    subject = node.node("arg")
    for branch in node.nodes("args"):
        condition = branch.need("expr")
        results.append(walker.find(branch.need("result"), rest.knowing(_when_taken(walker, condition, subject))))
        rest = rest.knowing(walker.implications.when_not_true(condition) if subject is None else None)
    default = node.node("defresult")
    results.append(nullable("CASE without ELSE") if _is_missing(default) else _found(walker, default, rest))
    return all_of(results, "no branch of CASE is NULL")


def _is_missing(default: Node | None) -> bool:
    return default is None or is_null_constant(default)


def _found(walker: Walker, node: Node | None, place: Place) -> Finding:
    return unknown("an expression") if node is None else walker.find(node, place)


def _when_taken(walker: Walker, condition: Node, subject: Node | None) -> frozenset[object] | None:
    """Return what is not NULL where a branch is taken; `CASE x WHEN 1` compares a placeholder for x."""
    facts = walker.implications.when_true(condition)
    if facts and subject is not None and "CASETESTEXPR" in facts:
        facts |= walker.implications.when_not_null(subject)
    return facts


def _coalesce(walker: Walker, node: Node, place: Place) -> Finding:
    return first_of([walker.find(arg, place) for arg in node.nodes("args")], "COALESCE has one that is not NULL")


def _null_if(_walker: Walker, _node: Node, _place: Place) -> Finding:
    return nullable("NULLIF is NULL where both are equal")


def _array_comparison(walker: Walker, node: Node, place: Place) -> Finding:
    value, array = node.nodes("args")
    facts = walker.catalogue.function(node.number("opfuncid"))
    if facts is None or not facts.is_one_of(known.TOTAL):
        return unknown("the operator of ANY or ALL")
    return all_of([walker.find(value, place), _elements(walker, array, place)], "neither value nor elements are NULL")


def _elements(walker: Walker, array: Node, place: Place) -> Finding:
    """Return what is known of the array and of all its elements."""
    while array.tag == "RELABELTYPE":
        array = array.need("arg")
    if array.tag in {"ARRAYEXPR", "ARRAY"} and not array.flag("multidims"):
        return all_of((walker.find(element, place) for element in array.nodes("elements")), "no element is NULL")
    if is_array_without_nulls(array):
        return not_null("no element is NULL")
    return nullable("the array may hold NULL")


def _distinct(walker: Walker, node: Node, _place: Place) -> Finding:
    facts = walker.catalogue.function(node.number("opfuncid"))
    if facts is None or not facts.is_one_of(known.TOTAL):
        return unknown("the operator of IS DISTINCT FROM")
    return not_null("IS DISTINCT FROM is never NULL")


def _domain(walker: Walker, node: Node, place: Place) -> Finding:
    domain = walker.catalogue.domain(node.number("resulttype"))
    if domain is not None and domain[1]:
        return not_null(f"a cast to domain {domain[0]} refuses NULL")
    return _through(walker, node, place)


def _current(_walker: Walker, node: Node, _place: Place) -> Finding:
    if node.number("op") == _CURRENT_SCHEMA:
        return nullable("CURRENT_SCHEMA is NULL where the search path leads nowhere")
    return not_null("it always has a value")


def _json_constructor(walker: Walker, node: Node, place: Place) -> Finding:
    if node.number("type") in {_JSON_OBJECT, _JSON_ARRAY}:
        return not_null("a constructor of JSON is never NULL")
    inner = node.node("func")
    return unknown("a constructor of JSON") if inner is None else walker.find(inner, place)


def _json_test(walker: Walker, node: Node, place: Place) -> Finding:
    return _found(walker, node.node("expr"), place)


def _subscript(_walker: Walker, _node: Node, _place: Place) -> Finding:
    return nullable("NULL where the subscript is out of bounds, or the element is")


def _never(sentence: str) -> Callable[[Walker, Node, Place], Finding]:
    return lambda _walker, _node, _place: not_null(sentence)


RULES: dict[str, Callable[[Walker, Node, Place], Finding]] = {
    "CONST": _constant,
    "PARAM": _parameter,
    "RELABELTYPE": _through,
    "COERCEVIAIO": _through,
    "ARRAYCOERCEEXPR": _through,
    "CONVERTROWTYPEEXPR": _through,
    "COLLATEEXPR": _through,
    "NAMEDARGEXPR": _through,
    "BOOLEXPR": _boolean,
    "CASEEXPR": _case,
    "CASE": _case,
    "COALESCEEXPR": _coalesce,
    "COALESCE": _coalesce,
    "MINMAXEXPR": _coalesce,
    "MINMAX": _coalesce,
    "NULLIFEXPR": _null_if,
    "SCALARARRAYOPEXPR": _array_comparison,
    "DISTINCTEXPR": _distinct,
    "COERCETODOMAIN": _domain,
    "SQLVALUEFUNCTION": _current,
    "JSONCONSTRUCTOREXPR": _json_constructor,
    "JSONISPREDICATE": _json_test,
    "SUBSCRIPTINGREF": _subscript,
    "NULLTEST": _never("IS NULL is never NULL"),
    "BOOLEANTEST": _never("IS TRUE is never NULL"),
    "ARRAYEXPR": _never("ARRAY[…] is never NULL"),
    "ARRAY": _never("ARRAY[…] is never NULL"),
    "ROWEXPR": _never("ROW(…) is never NULL itself"),
    "ROW": _never("ROW(…) is never NULL itself"),
    "GROUPINGFUNC": _never("GROUPING() is never NULL"),
    "MERGESUPPORTFUNC": _never("merge_action() is never NULL"),
}
