"""Sub-queries in expressions: EXISTS, IN, ARRAY, and those that stand for a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability import known
from mgw.sql.nullability.outputs import has_a_row
from mgw.sql.nullability.reasons import all_of, not_null, nullable, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Place, Walker
    from mgw.sql.nullability.tree import Node

# PostgreSQL's SubLinkType.
_EXISTS, _ALL, _ANY, _ROW_COMPARE, _EXPRESSION, _MULTIPLE, _ARRAY = range(7)
_SUB_QUERY_VALUE = 2


def find_sub_query(walker: Walker, node: Node, place: Place) -> Finding:
    """Return what is known of a sub-query in an expression."""
    rule = _RULES.get(node.number("subLinkType"))
    return unknown("a sub-query") if rule is None else rule(walker, node, place)


def _value(walker: Walker, node: Node, place: Place) -> Finding:
    query = node.need("subselect")
    outputs = walker.outputs(query, place)
    if not outputs:
        return unknown("a sub-query")
    if has_a_row(walker, query):
        return outputs[0]
    return all_of([nullable("NULL where the sub-query finds no row"), outputs[0]], "")


def _comparison(walker: Walker, node: Node, place: Place) -> Finding:
    """Judge `x IN (SELECT …)`: NULL where a NULL on either side leaves it open."""
    test = node.node("testexpr")
    outputs = walker.outputs(node.need("subselect"), place)
    if test is None:
        return unknown("a comparison with a sub-query")
    return _compared(walker, test, place, outputs)


def _compared(walker: Walker, test: Node, place: Place, outputs: list[Finding]) -> Finding:
    if test.tag == "PARAM" and test.number("paramkind") == _SUB_QUERY_VALUE:
        at = test.number("paramid")
        return outputs[at - 1].opaque() if 0 < at <= len(outputs) else unknown("a sub-query")
    if test.tag == "RELABELTYPE":
        return _compared(walker, test.need("arg"), place, outputs)
    if test.tag == "OPEXPR":
        facts = walker.catalogue.function(test.number("opfuncid"))
        if facts is None or not facts.is_one_of(known.TOTAL):
            return unknown("the operator of IN")
    elif test.tag != "BOOLEXPR":
        return walker.find(test, place)
    return all_of((_compared(walker, arg, place, outputs) for arg in test.nodes("args")), "neither side has NULL")


def _never(sentence: str) -> Callable[[Walker, Node, Place], Finding]:
    return lambda _walker, _node, _place: not_null(sentence)


_RULES: dict[int, Callable[[Walker, Node, Place], Finding]] = {
    _EXISTS: _never("EXISTS is never NULL"),
    _ARRAY: _never("ARRAY(SELECT …) is never NULL"),
    _EXPRESSION: _value,
    _ANY: _comparison,
    _ALL: _comparison,
}
