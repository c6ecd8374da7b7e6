"""Reads a stored query, in one form for all versions.

PostgreSQL 18 puts the expressions of GROUP BY into a relation of their own; here they return to where they stood.

Versions up to 17 repeat a grouped expression wherever it is used. So that the same rules, and the same answers, serve
all of them, references to the relation are replaced by its expressions, as the planner does (`flatten_group_exprs`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability.tree import Node, TreeUnreadable, parse

if TYPE_CHECKING:
    from mgw.sql.nullability.tree import Value

_GROUP = "9"
_GROUP_ENTRY = f" :rtekind {_GROUP} "


def only_query(text: str) -> Node:
    """Read the one query of a function's body or of a view's rule.

    Raises:
        TreeUnreadable: there is none, or more than one.
    """
    value = parse(text)
    # A function's body is a list of statements, each of which is a list of the queries that it became.
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, Node) or value.tag != "QUERY":
        raise TreeUnreadable("there is no query in it")
    if _GROUP_ENTRY in text:
        ungroup(value)
    return value


def ungroup(query: Node) -> None:
    """Replace references to the relation of GROUP BY in a query, and in all below it, by the expressions they mean."""
    # From the inside out: a sub-query's own references are gone before it is looked at for those of queries around it.
    for inner in _queries_below(query):
        ungroup(inner)
    for index, entry in enumerate(query.nodes("rtable"), 1):
        if entry.fields.get("rtekind") == _GROUP:
            expressions = entry.nodes("groupexprs")
            for name, value in query.fields.items():
                if name not in {"rtable", "jointree"}:
                    query.fields[name] = _replaced(value, index, expressions, 0)


def _queries_below(query: Node) -> list[Node]:
    found = []
    todo: list[Value] = list(query.fields.values())
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo.extend(value)
        elif isinstance(value, Node):
            if value.tag == "QUERY":
                found.append(value)
            else:
                todo.extend(value.fields.values())
    return found


def _replaced(value: Value, index: int, expressions: list[Node], level: int) -> Value:
    if isinstance(value, list):
        return [_replaced(item, index, expressions, level) for item in value]
    if not isinstance(value, Node):
        return value
    if value.tag == "VAR":
        if value.number("varno") != index or value.number("varlevelsup") != level:
            return value
        return _moved(expressions[value.number("varattno") - 1], level, 0)
    deeper = level + (value.tag == "QUERY")
    for name, field in value.fields.items():
        if isinstance(field, (Node, list)):
            value.fields[name] = _replaced(field, index, expressions, deeper)
    return value


def _moved(node: Node, levels: int, depth: int) -> Node:
    """Return an expression as it reads so many queries further in; `depth` counts those within the expression."""
    if levels == 0:
        return node
    copy = Node(node.tag)
    inside = depth + (node.tag == "QUERY")
    for name, field in node.fields.items():
        copy.fields[name] = _moved_value(field, levels, inside)
    for name in ("varlevelsup", "agglevelsup", "ctelevelsup"):
        if name in copy.fields and copy.number(name) >= depth:
            copy.fields[name] = str(copy.number(name) + levels)
    return copy


def _moved_value(value: Value, levels: int, depth: int) -> Value:
    if isinstance(value, list):
        return [_moved_value(item, levels, depth) for item in value]
    return _moved(value, levels, depth) if isinstance(value, Node) else value
