"""What a module declares for others to use: settings, actions, filters, metrics."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from mgw.lint.facts.values import Declaration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SETTINGS = re.compile(r"\w+(?:Settings|Config)")
_ACTIONS = re.compile(r"\w*Actions?")
_FILTERS = re.compile(r"\w+(?:Filters?|Criteria)")
_LISTS = re.compile(r"(?:list|find|search|filter|query|fetch|entries|page)(?:_\w+)?")
_ENUMS = {"Enum", "StrEnum", "IntEnum"}
_METRICS = {"counter", "gauge", "histogram", "Counter", "Gauge", "Histogram", "Summary"}
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*_[a-zA-Z0-9_:]*")
_RECEIVERS = {"self", "cls"}


def declarations_of_class(node: ast.ClassDef) -> Iterator[Declaration]:
    """Yield the keys of a class of settings or of filters, and the members of one of actions."""
    bases = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
    if bases & _ENUMS:
        if _ACTIONS.fullmatch(node.name):
            yield from (
                Declaration("action", node.name, target.id, statement.lineno, statement.col_offset + 1)
                for statement in node.body
                if isinstance(statement, ast.Assign)
                for target in statement.targets
                if isinstance(target, ast.Name)
            )
        return
    kind = "setting" if _SETTINGS.fullmatch(node.name) else "filter" if _FILTERS.fullmatch(node.name) else None
    for statement in node.body if kind else ():
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and "ClassVar" not in ast.dump(statement.annotation)
            and not statement.target.id.startswith("_")
        ):
            name = statement.target.id
            assert kind is not None
            yield Declaration(kind, node.name, name, statement.lineno, statement.col_offset + 1)  # type: ignore[arg-type]


def declarations_of_function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Declaration]:
    """Yield the parameters of a function that lists which nothing in it reads."""
    if not _LISTS.fullmatch(node.name) or node.decorator_list or _is_stub(node):
        return
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    wanted = [each for each in arguments if not each.arg.startswith("_") and each.arg not in _RECEIVERS]
    read = {
        each.id
        for statement in node.body
        for each in ast.walk(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    }
    if read & {"locals", "super"}:
        return
    for each in wanted:
        if each.arg not in read:
            yield Declaration("filter", f"{node.name}()", each.arg, each.lineno, each.col_offset + 1)


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Say whether a function has no body to speak of: it is declared for others to write."""
    return all(
        isinstance(each, ast.Pass | ast.Raise) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        for each in node.body
    )


def metric_of(node: ast.Call, bound: Mapping[int, str]) -> Declaration | None:
    """Return the family of metrics that a call declares, if it does."""
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called not in _METRICS or not node.args:
        return None
    name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    if not isinstance(name, str) or not _METRIC_NAME.fullmatch(name) or len(node.args) < 2:
        return None
    return Declaration("metric", called.lower(), name, node.lineno, node.col_offset + 1, bound.get(id(node), ""))
