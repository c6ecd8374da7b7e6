"""Names for expressions, under which facts about them are kept: equal keys, equal values in one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mgw.sql.nullability.tree import Node

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mgw.sql.nullability.catalogue import Catalogue
    from mgw.sql.nullability.tree import Value

# Where expressions of other kinds have the same parts, they may still differ: sub-queries, volatile functions.
_STEADY = frozenset(
    {
        "VAR",
        "CONST",
        "PARAM",
        "FUNCEXPR",
        "OPEXPR",
        "RELABELTYPE",
        "COERCEVIAIO",
        "COLLATEEXPR",
        "ARRAYEXPR",
        "ARRAY",
        "SUBSCRIPTINGREF",
        "AGGREF",
        "TARGETENTRY",
        "SORTGROUPCLAUSE",
        "SCALARARRAYOPEXPR",
    }
)
_IGNORED = frozenset({"varnullingrels", "location", "relabelformat", "resno", "resname"})
_EXTERNAL = 0


class Variable(NamedTuple):
    """A column of what stands in FROM.

    Attributes:
        level: how many queries further out, 0 for the query itself.
        relation: index in its range table, from 1.
        column: number of the column; 0 for the whole row.
        returning: 1 for OLD, 2 for NEW, else 0.
    """

    level: int
    relation: int
    column: int
    returning: int = 0


def variable(node: Node) -> Variable:
    """Return the key of a VAR."""
    return Variable(
        node.number("varlevelsup"), node.number("varno"), node.number("varattno"), node.number("varreturningtype")
    )


def key(node: Node, catalogue: Catalogue) -> Hashable | None:
    """Return the key of an expression, or None where it could have another value the next time."""
    while node.tag == "RELABELTYPE":
        node = node.need("arg")
    if node.tag == "VAR":
        return variable(node)
    if node.tag == "CASETESTEXPR":
        return node.tag
    return frozen(node) if _is_steady(node, catalogue) else None


def is_parameter(name: Hashable) -> bool:
    """Return whether a key is that of a parameter, which is the same in every part of a query."""
    return isinstance(name, tuple) and name[:1] == ("PARAM",)


def frozen(value: Value) -> Hashable:
    """Return a tree as a value that can be compared, without what does not matter to its meaning."""
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    if not isinstance(value, Node):
        return str(value)
    if value.tag == "VAR":
        return variable(value)
    return (value.tag, *((name, frozen(field)) for name, field in value.fields.items() if name not in _IGNORED))


def _is_steady(node: Node, catalogue: Catalogue) -> bool:
    todo: list[Value] = [node]
    while todo:
        value = todo.pop()
        if isinstance(value, list):
            todo.extend(value)
        elif isinstance(value, Node):
            if not _is_steady_node(value, catalogue):
                return False
            todo.extend(value.fields.values())
    return True


def _is_steady_node(node: Node, catalogue: Catalogue) -> bool:
    if node.tag not in _STEADY or (node.tag == "PARAM" and node.number("paramkind") != _EXTERNAL):
        return False
    for field in ("funcid", "opfuncid", "aggfnoid"):
        if field in node.fields:
            facts = catalogue.function(node.number(field))
            if facts is None or not (facts.builtin and facts.steady):
                return False
    return not (node.flag("funcretset") or node.flag("opretset"))
