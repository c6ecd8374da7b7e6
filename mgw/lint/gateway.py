"""The routes of a gateway's file, with their lines, also where the file as a whole could not be run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgw.core.settings.yaml_source import Listing, Scalar, Section, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.settings.faults import Place
    from mgw.lint.project import YamlFile


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route as it stands in the file.

    Attributes:
        node: its place in the tree.
        content: its keys.
    """

    node: Section
    content: dict[str, Any]

    @property
    def path(self) -> str:
        """The template."""
        return str(self.content["path"])

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.node.place.line

    @property
    def column(self) -> int:
        """Where in the line."""
        return self.node.place.column

    @property
    def methods(self) -> tuple[str, ...]:
        """That it takes."""
        methods = self.content.get("methods", ["GET"])
        return tuple(map(str, methods)) if isinstance(methods, list) else ("GET",)

    def value(self, key: str) -> Place | None:
        """Return where the value of a key stands."""
        entry = next((entry for entry in self.node.entries if entry.key == key), None)
        return entry.value.place if entry is not None and isinstance(entry.value, Scalar) else None


def routes_of(file: YamlFile) -> Iterator[RouteEntry]:
    """Yield the routes of a file that have a path."""
    routes = next((entry.value for entry in file.root.entries if entry.key == "routes"), None)
    for node in routes.items if isinstance(routes, Listing) else ():
        content = plain(node)
        if isinstance(node, Section) and isinstance(content, dict) and isinstance(content.get("path"), str):
            yield RouteEntry(node, content)
