"""The table of routes, compiled once into a tree of path segments: a lookup costs as many steps as the path has pieces.

A piece that is spelled out goes before one that stands for any: `/content/trending` before `/content/{id}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgw.gateway.definition import Route


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to.

    Attributes:
        route: where it goes.
        template: the route's whole path, for logs and metrics.
    """

    route: Route
    template: str


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """There is such a path, but it does not take the method.

    Attributes:
        methods: that it takes.
    """

    methods: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    spelled: dict[str, _Node] = field(default_factory=dict)
    any: _Node | None = None
    methods: dict[str, Found] = field(default_factory=dict)


class Routes:
    """The table.

    Args:
        routes: in any order.
        prefix: before all of them.
    """

    def __init__(self, routes: Sequence[Route], prefix: str = "") -> None:
        self._root = _Node()
        for route in routes:
            template = f"{prefix}{route.path}"
            node = self._root
            for piece in pieces(template):
                node = _step(node, piece)
            for method in route.methods:
                node.methods.setdefault(method, Found(route, template))
                if method == "GET":
                    node.methods.setdefault("HEAD", Found(route, template))

    def find(self, method: str, path: str) -> Found | NotAllowed | None:
        """Return where a request goes; None where there is no such path."""
        candidates = [node for node in _reached(self._root, pieces(path)) if node.methods]
        for node in candidates:
            if method in node.methods:
                return node.methods[method]
        if candidates:
            return NotAllowed(tuple(sorted({each for node in candidates for each in node.methods})))
        return None


def pieces(path: str) -> list[str]:
    """Return the segments of a path; a slash at its end makes an empty last one, so `/a` and `/a/` are two paths."""
    return path.split("/")[1:]


def is_any(piece: str) -> bool:
    """Say whether a piece of a template stands for any."""
    return piece.startswith("{") and piece.endswith("}")


def _step(node: _Node, piece: str) -> _Node:
    if is_any(piece):
        if node.any is None:
            node.any = _Node()
        return node.any
    return node.spelled.setdefault(piece, _Node())


def _reached(node: _Node, left: list[str]) -> list[_Node]:
    """Return the nodes that a path leads to, those with more of it spelled out first."""
    if not left:
        return [node]
    piece, rest = left[0], left[1:]
    found = []
    if piece in node.spelled:
        found += _reached(node.spelled[piece], rest)
    if node.any is not None and piece:
        found += _reached(node.any, rest)
    return found
