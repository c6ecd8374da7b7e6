"""Reading a module: one walk over its tree, and a second one over the functions that ask queries."""

from __future__ import annotations

import ast
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mgw.lint.facts.declared import declarations_of_class, declarations_of_function, metric_of
from mgw.lint.facts.rows import calls_of
from mgw.lint.facts.values import Declaration, Mention, ModuleFacts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


_NO_NODES = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "name", "lineno", "type_comment", "kind"})
"""Fields that hold no node that anybody asks about."""


@dataclass(slots=True)
class _Draft:
    attributes: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    strings: set[str] = field(default_factory=set)
    qualified: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    accessors: dict[str, str] = field(default_factory=dict)
    declarations: list[Declaration] = field(default_factory=list)
    events: list[Mention] = field(default_factory=list)
    exposures: list[Mention] = field(default_factory=list)
    inherited: set[int] = field(default_factory=set)


def read_module(path: str, text: str, accessors: Collection[str]) -> ModuleFacts:
    """Read a module.

    Args:
        path: from the root of the project, with `/`, which relative imports are resolved by.
        text: of it.
        accessors: dotted names that the module of accessors may be imported by.
    """
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return ModuleFacts(problem=error.msg, line=error.lineno or 0)
    except (ValueError, RecursionError, MemoryError) as error:  # a zero byte, brackets without end
        return ModuleFacts(problem=str(error) or type(error).__name__)
    draft = _Draft()
    metrics: dict[int, str] = {}
    for node in _walked(tree):
        _look(node, draft, path, accessors, metrics)
    return ModuleFacts(
        attributes=frozenset(draft.attributes),
        names=frozenset(draft.names),
        strings=frozenset(draft.strings),
        qualified=frozenset(draft.qualified),
        imports=frozenset(draft.imports),
        calls=tuple(calls_of(tree, draft.accessors)) if draft.accessors else (),
        declarations=tuple(draft.declarations),
        events=tuple(draft.events),
        exposures=tuple(draft.exposures),
    )


def _walked(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield what `ast.walk` does, outer nodes first, but for operators and contexts: in half of its time."""
    waiting: deque[ast.AST] = deque([tree])
    take, keep = waiting.popleft, waiting.append
    while waiting:
        node = take()
        yield node
        for name in node._fields:
            if name in _NO_NODES:
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                for each in value:
                    if isinstance(each, ast.AST):
                        keep(each)
            elif isinstance(value, ast.AST):
                keep(value)


def _look(node: ast.AST, draft: _Draft, path: str, accessors: Collection[str], metrics: dict[int, str]) -> None:
    """Take what one node says. The kinds that there are most of come first."""
    if isinstance(node, ast.Name):
        if type(node.ctx) is ast.Load:
            draft.names.add(node.id)
    elif isinstance(node, ast.Attribute):
        _look_at_attribute(node, draft)
    elif isinstance(node, ast.Constant):
        if type(node.value) is str and node.value.isidentifier():
            draft.strings.add(node.value)
    elif isinstance(node, ast.Call):
        _look_at_call(node, draft, metrics)
    elif isinstance(node, ast.stmt | ast.Dict):
        _look_at_rarer(node, draft, path, accessors, metrics)


def _look_at_attribute(node: ast.Attribute, draft: _Draft) -> None:
    if type(node.ctx) is ast.Load:
        draft.attributes.add(node.attr)
        if type(node.value) is ast.Name:
            draft.qualified.add(f"{node.value.id}.{node.attr}")


def _look_at_rarer(
    node: ast.AST, draft: _Draft, path: str, accessors: Collection[str], metrics: dict[int, str]
) -> None:
    if isinstance(node, ast.ClassDef):
        draft.declarations += declarations_of_class(node)
        if node.bases:  # what its methods take may be what another class has them take
            draft.inherited |= {id(each) for each in node.body}
    elif isinstance(node, ast.Assign):
        _bind(node.value, node.targets[0], metrics)
    elif isinstance(node, ast.AnnAssign):
        _bind(node.value, node.target, metrics)
    elif isinstance(node, ast.Dict):
        draft.events += [
            mention
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and key.value == "event" and (mention := _mention(value))
        ]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        draft.declarations += () if id(node) in draft.inherited else declarations_of_function(node)
    elif isinstance(node, ast.Import):
        draft.imports |= {alias.name for alias in node.names}
        draft.accessors |= {alias.asname or alias.name: "" for alias in node.names if alias.name in accessors}
    elif isinstance(node, ast.ImportFrom):
        _look_at_import(node, draft, path, accessors)


def _look_at_call(node: ast.Call, draft: _Draft, metrics: dict[int, str]) -> None:
    found = metric_of(node, metrics)
    if found is not None:
        draft.declarations.append(found)
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    event = _mention(keywords.get("event"))
    if event is not None and called != "Metric":
        draft.events.append(event)
    if "expos" in called.lower() and "slate" in keywords and not {"propensities", "propensity", None} & keywords.keys():
        draft.exposures.append(Mention(called, node.lineno, node.col_offset + 1))


def _mention(node: ast.AST | None) -> Mention | None:
    """Return a text that is a name, with its place."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isprintable():
        return Mention(node.value, node.lineno, node.col_offset + 1)
    return None


def _bind(value: ast.expr | None, target: ast.expr, metrics: dict[int, str]) -> None:
    """Remember what a call is bound to, through what is called on it: `self.x = registry.counter(…).of()`."""
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    while isinstance(value, ast.Call):
        metrics[id(value)] = name
        value = value.func.value if isinstance(value.func, ast.Attribute) else None


def _look_at_import(node: ast.ImportFrom, draft: _Draft, path: str, accessors: Collection[str]) -> None:
    module = node.module or ""
    if node.level:
        folder = path.split("/")[: -node.level]
        module = ".".join([*folder, module] if module else folder)
    draft.imports.add(module)
    for alias in node.names:
        whole = f"{module}.{alias.name}" if module else alias.name
        draft.imports.add(whole)
        if whole in accessors:
            draft.accessors[alias.asname or alias.name] = ""
        elif module in accessors:
            draft.accessors[alias.asname or alias.name] = alias.name


def dotted_names(path: str) -> Iterator[str]:
    """Yield the names that a file may be imported by, whichever folder is the root of imports.

    >>> list(dotted_names("src/app/queries.py"))
    ['src.app.queries', 'app.queries', 'queries']
    """
    parts = path.removesuffix(".py").removesuffix("/__init__").split("/")
    yield from (".".join(parts[place:]) for place in range(len(parts)))
