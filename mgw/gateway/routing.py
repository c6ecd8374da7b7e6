"""The table of routes, compiled once into a tree of path segments: a lookup costs as many steps as the path has pieces.

A piece that is spelled out goes before one that stands for any: `/content/trending` before `/content/{id}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mgw.gateway.definition import Route

Leaf = TypeVar("Leaf")
"""What a route is made into."""


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """There is such a path, but it does not take the method.

    Attributes:
        methods: that it takes.
    """

    methods: tuple[str, ...]


@dataclass(slots=True)
class _Node(Generic[Leaf]):
    spelled: dict[str, _Node[Leaf]] = field(default_factory=dict)
    any: _Node[Leaf] | None = None
    methods: dict[str, Leaf] = field(default_factory=dict)


class Routes(Generic[Leaf]):
    """The table.

    Args:
        routes: in any order.
        prefix: before all of them.
        make: what a route and its whole template are made into; what is found.
    """

    def __init__(self, routes: Iterable[Route], prefix: str, make: Callable[[Route, str], Leaf]) -> None:
        self._root: _Node[Leaf] = _Node()
        self._spelled: dict[tuple[str, str], Leaf] = {}
        for route in routes:
            template = f"{prefix}{route.path}"
            node, leaf = self._root, make(route, template)
            for piece in pieces(template):
                node = _step(node, piece)
            for method in (*route.methods, *(("HEAD",) if "GET" in route.methods else ())):
                node.methods.setdefault(method, leaf)
                if not any(map(is_any, pieces(template))):
                    self._spelled.setdefault((method, template), leaf)

    def find(self, method: str, path: str) -> Leaf | NotAllowed | None:
        """Return where a request goes; None where there is no such path."""
        if (leaf := self._spelled.get((method, path))) is not None:
            return leaf
        allowed: set[str] = set()
        for node in _reached(self._root, pieces(path), 0):
            if (leaf := node.methods.get(method)) is not None:
                return leaf
            allowed |= node.methods.keys()
        return NotAllowed(tuple(sorted(allowed))) if allowed else None


def pieces(path: str) -> list[str]:
    """Return the segments of a path; a slash at its end makes an empty last one, so `/a` and `/a/` are two paths."""
    return path.split("/")[1:]


def shape(path: str) -> tuple[str, ...]:
    """Return what two templates have in common that lead to the same paths, whatever their names are."""
    return tuple("{}" if is_any(piece) else piece for piece in pieces(path))


def is_any(piece: str) -> bool:
    """Say whether a piece of a template stands for any."""
    return piece.startswith("{") and piece.endswith("}")


def _step(node: _Node[Leaf], piece: str) -> _Node[Leaf]:
    if is_any(piece):
        if node.any is None:
            node.any = _Node()
        return node.any
    return node.spelled.setdefault(piece, _Node())


def _reached(node: _Node[Leaf], path: list[str], place: int) -> Iterator[_Node[Leaf]]:
    """Yield the nodes that a path leads to, those with more of it spelled out first."""
    if place == len(path):
        yield node
        return
    piece = path[place]
    if (spelled := node.spelled.get(piece)) is not None:
        yield from _reached(spelled, path, place + 1)
    if node.any is not None and piece:
        yield from _reached(node.any, path, place + 1)
