"""Whether a value was asked about before it is used as if it were there."""

from __future__ import annotations

import ast
from itertools import takewhile
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_Node = TypeVar("_Node", bound=ast.AST)
_TAKERS = {"len", "int", "float", "abs", "round", "sum", "min", "max", "sorted", "list", "tuple", "set", "iter", "next"}
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


def is_dereferenced(node: ast.expr, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Say whether an expression is used in a way that fails where it is None."""
    parent = parents.get(node)
    if isinstance(parent, ast.Attribute | ast.Subscript):
        return parent.value is node
    if isinstance(parent, ast.BinOp):  # on the right of `%` it is formatted
        return not (isinstance(parent.op, ast.Mod) and isinstance(parent.left, ast.Constant | ast.JoinedStr))
    if isinstance(parent, ast.UnaryOp):
        return not isinstance(parent.op, ast.Not)
    if isinstance(parent, ast.Compare):
        return _is_ordered(parent, node)
    if isinstance(parent, ast.Call):
        is_taker = isinstance(parent.func, ast.Name) and parent.func.id in _TAKERS
        return parent.func is node or (is_taker and parent.args[:1] == [node])
    return isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and parent.iter is node


def _is_ordered(comparison: ast.Compare, node: ast.expr) -> bool:
    sides = [comparison.left, *comparison.comparators]
    for place, operator in enumerate(comparison.ops):
        if isinstance(operator, _ORDER) and node in sides[place : place + 2]:
            return True
        if isinstance(operator, ast.In | ast.NotIn) and sides[place + 1] is node:
            return True
    return False


def is_guarded(node: ast.expr, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Say whether a condition on the way to an expression mentions it, whatever it asks.

    That takes a question for an answer now and then, and never says of what is right that it is wrong.
    """
    wanted = ast.dump(node)
    child: ast.AST = node
    while (parent := parents.get(child)) is not None:
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return _before(parent, child, wanted)
        if any(_mentions(each, wanted) for each in _conditions(parent, child)) or _before(parent, child, wanted):
            return True
        child = parent
    return False


def _conditions(parent: ast.AST, child: ast.AST) -> Iterator[ast.AST]:
    """Yield what has to be so for a child of a node to be reached."""
    if isinstance(parent, ast.If | ast.While | ast.IfExp):
        if child is not parent.test:
            yield parent.test
    elif isinstance(parent, ast.BoolOp):
        yield from _until(parent.values, child)
    elif isinstance(parent, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        yield from (condition for each in _until(parent.generators, child) for condition in each.ifs)
    elif isinstance(parent, ast.comprehension) and child in parent.ifs:
        yield from _until(parent.ifs, child)
    elif isinstance(parent, ast.match_case) or (isinstance(parent, ast.Try) and parent.handlers):
        yield parent  # where it may fail, that is expected


def _until(nodes: Iterable[_Node], child: ast.AST) -> Iterator[_Node]:
    return takewhile(lambda node: node is not child, nodes)


def _before(parent: ast.AST, child: ast.AST, wanted: str) -> bool:
    """Say whether a statement before a child, in the same block, asks or makes sure."""
    for name in ("body", "orelse", "finalbody", "handlers"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and child in block:
            return any(
                isinstance(each, ast.If | ast.Assert | ast.While | ast.Match | ast.Try)
                and _mentions(each.test if isinstance(each, ast.If | ast.Assert | ast.While) else each, wanted)
                for each in block[: block.index(child)]
            )
    return False


def _mentions(node: ast.AST, wanted: str) -> bool:
    return any(isinstance(each, ast.expr) and ast.dump(each) == wanted for each in ast.walk(node))
