"""What becomes of a query's rows in the function that asks for them.

The result is followed through names, loops and comprehensions as long as nothing else is done with it; handed to
another function, returned or kept, it is lost sight of, and nothing is said of its columns.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from mgw.lint.facts.guards import is_dereferenced, is_guarded
from mgw.lint.facts.values import Call, Use

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_NEUTRAL = {"len", "bool", "enumerate", "reversed"}


@dataclass(slots=True)
class _Trail:
    """What was seen of one result."""

    parents: Mapping[ast.AST, ast.AST]
    scope: ast.AST
    uses: list[Use] = field(default_factory=list)
    positions: set[int] = field(default_factory=set)
    is_followed: bool = True
    is_unpacked: bool = False
    _known: set[tuple[str, ast.AST]] = field(default_factory=set)

    def lose(self) -> None:
        self.is_followed = False

    def use(self, column: str, node: ast.expr) -> None:
        dereferenced = is_dereferenced(node, self.parents)
        guarded = dereferenced and is_guarded(node, self.parents)
        self.uses.append(Use(column, node.lineno, node.col_offset + 1, dereferenced, guarded))

    def follow(self, name: str, scope: ast.AST) -> None:
        """Look at every place that reads a name, which stands for the result or for a row of it."""
        if (name, scope) in self._known:
            return
        self._known.add((name, scope))
        for node in ast.walk(scope):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
                self.expression(node)

    def expression(self, node: ast.expr) -> None:
        """Look at what is done with an expression that is the result, or a row of it."""
        parent = self.parents[node]
        if isinstance(parent, ast.Await):
            self.expression(parent)
        elif isinstance(parent, ast.Attribute):
            if parent.attr in {"_asdict", "_make", "_replace", "append", "sort", "pop", "extend"}:
                self.lose()
            else:
                self.use(parent.attr, parent)
        elif isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension) and parent.iter is node:
            self.use("", node)
            self.target(parent.target, self._loop(parent))
        elif isinstance(parent, ast.Assign) and parent.value is node and len(parent.targets) == 1:
            self.target(parent.targets[0])
        elif isinstance(parent, ast.AnnAssign | ast.NamedExpr) and parent.value is node:
            self.target(parent.target)
        elif isinstance(parent, ast.Subscript) and parent.value is node:
            self._subscript(parent)
        elif not self._asks(node, parent):
            self.use("", node)
            if not isinstance(parent, ast.Expr):
                self.lose()

    def _subscript(self, parent: ast.Subscript) -> None:
        """`rows[0].title` reads a column; whether `x[0]` is a row or a value, only its type could say."""
        if isinstance(self.parents[parent], ast.Attribute):
            self.expression(parent)
        else:
            self.lose()

    def _asks(self, node: ast.expr, parent: ast.AST) -> bool:
        """Say whether it is only asked whether there is something, and how much."""
        if isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name) and parent.func.id in _NEUTRAL:
            if parent.func.id in {"enumerate", "reversed"}:
                return self._through(parent)
            self.use("", node)
            return True
        if isinstance(parent, ast.Compare):
            return all(isinstance(each, ast.Is | ast.IsNot) for each in parent.ops)
        if isinstance(parent, ast.BoolOp):
            return isinstance(self.parents[parent], ast.If | ast.While | ast.Assert | ast.IfExp | ast.BoolOp)
        is_tested = isinstance(parent, ast.If | ast.While | ast.Assert | ast.IfExp) and parent.test is node
        return is_tested or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not))

    def _through(self, call: ast.Call) -> bool:
        """Follow the rows through `enumerate` and `reversed`."""
        loop = self.parents[call]
        if not isinstance(loop, ast.For | ast.comprehension):
            return False
        target: ast.expr = loop.target
        if call.func.id == "enumerate":  # type: ignore[attr-defined]
            if not isinstance(target, ast.Tuple) or len(target.elts) != 2:
                return False
            target = target.elts[1]
        self.target(target, self._loop(loop))
        return True

    def _loop(self, loop: ast.For | ast.AsyncFor | ast.comprehension) -> ast.AST:
        """Return where the name of a loop is that of a row."""
        return self.parents[loop] if isinstance(loop, ast.comprehension) else loop

    def target(self, target: ast.expr, scope: ast.AST | None = None) -> None:
        """Follow what a result or a row is bound to, in the whole function or in a loop."""
        if isinstance(target, ast.Name):
            if _times_bound(scope or self.scope, target.id) > 1 or (scope and self._outlives(target.id, scope)):
                self.lose()
            else:
                self.follow(target.id, scope or self.scope)
        elif isinstance(target, ast.Tuple | ast.List) and all(isinstance(each, ast.Name) for each in target.elts):
            names = [each.id for each in target.elts if isinstance(each, ast.Name)]
            self.positions |= {place for place, name in enumerate(names) if not name.startswith("_")}
            self.is_unpacked |= scope is None
        else:
            self.lose()

    def _outlives(self, name: str, loop: ast.AST) -> bool:
        """Say whether the name of a loop is read behind it, where it is the last row still."""
        return any(
            isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
            and not self._is_bound_around(node, name, loop)
            for node in ast.walk(self.scope)
        )  # fmt: skip

    def _is_bound_around(self, node: ast.AST, name: str, loop: ast.AST) -> bool:
        """Say whether a name is read in a loop, or in another one that binds it as well."""
        while node is not self.scope:
            node = self.parents[node]
            if node is loop:
                return True
            targets = [node.target] if isinstance(node, ast.For | ast.AsyncFor) else [
                each.target for each in getattr(node, "generators", ())
            ]  # fmt: skip
            if any(isinstance(each, ast.Name) and each.id == name for target in targets for each in ast.walk(target)):
                return True
        return False


def calls_of(tree: ast.Module, accessors: Mapping[str, str]) -> Iterator[Call]:
    """Yield every place that names an accessor.

    Args:
        tree: the module.
        accessors: what the module of accessors is called here, with an empty text, or an accessor is, with its name.
    """
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        name = _accessor(node, accessors)
        if name and isinstance(node, ast.expr):
            yield _call(node, name, tree, parents)


def _accessor(node: ast.AST, accessors: Mapping[str, str]) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        return node.attr if _dotted(node.value) in accessors and not accessors[_dotted(node.value)] else ""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return accessors.get(node.id, "")
    return ""


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{_dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def _call(node: ast.expr, name: str, tree: ast.Module, parents: Mapping[ast.AST, ast.AST]) -> Call:
    call = parents[node]
    scope = _scope(node, tree, parents)
    within = scope.name if isinstance(scope, _Function) else ""
    line, at = node.lineno, node.col_offset + 1
    if not isinstance(call, ast.Call) or call.func is not node:
        return Call(name, line, at, within, is_call=False)
    trail = _Trail(parents, scope)
    trail.expression(call)
    nones = [each.arg for each in call.keywords if isinstance(each.value, ast.Constant) and each.value.value is None]
    return Call(
        name, line, at, within, is_call=True, is_followed=trail.is_followed, uses=tuple(trail.uses),
        positions=tuple(sorted(trail.positions)),
        keywords=tuple(each.arg or "**" for each in call.keywords),
        nones=tuple(filter(None, nones)), is_unpacked=trail.is_unpacked,
    )  # fmt: skip


def _scope(node: ast.AST, tree: ast.Module, parents: Mapping[ast.AST, ast.AST]) -> ast.AST:
    while (parent := parents.get(node)) is not None:
        if isinstance(parent, _Function):
            return parent
        node = parent
    return tree


def _times_bound(scope: ast.AST, name: str) -> int:
    """Count where a name gets a value in a scope, the parameters of functions in it among them."""
    return sum(
        (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.arg) and node.arg == name)
        for node in ast.walk(scope)
    )
