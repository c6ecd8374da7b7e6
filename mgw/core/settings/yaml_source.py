"""A YAML file as a tree that knows where each key and each value stands.

PyYAML reads the syntax; what its `safe_load` would lose or let through is kept or refused here. Every key and value
carries its line and column, a key that is set twice is a fault instead of the last one winning, and a few hundred
bytes of nested aliases (the "billion laughs") stop at a budget instead of filling the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import yaml

from mgw.core.errors import ConfigNotFound, FileUnreadable
from mgw.core.settings.faults import Fault, Place, invalid
from mgw.core.settings.redaction import shown_key
from mgw.core.settings.yaml_syntax import TAGS, UnreadableScalarError, compose, scalar_value

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 20
MAX_NODES = 20_000


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, boolean or null."""

    value: str | int | float | bool | None
    place: Place


@dataclass(frozen=True, slots=True)
class Listing:
    """A YAML sequence."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` line; `place` is that of the key."""

    key: str
    place: Place
    value: Node


@dataclass(frozen=True, slots=True)
class Section:
    """A YAML mapping, in the order of the file and without the keys that were set again."""

    entries: tuple[Entry, ...]
    place: Place


Node: TypeAlias = Scalar | Listing | Section


@dataclass(frozen=True, slots=True)
class Document:
    """A file's tree and the faults that did not keep it from being read."""

    root: Section
    faults: tuple[Fault, ...]


def read_document(path: Path, *, shown_as: str | None = None) -> Document:
    """Read the YAML file at `path`.

    Args:
        path: the file.
        shown_as: how messages name the file; its path where None.

    Raises:
        ConfigNotFound: there is no such file.
        FileUnreadable: it is a folder, or may not be read.
        ConfigInvalid: it is too large, not UTF-8, not YAML, or its top level is not a mapping.
    """
    name = shown_as or str(path)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise ConfigNotFound(f"there is no configuration file {name}", hint="`mgw init` writes one") from error
    except OSError as error:
        raise FileUnreadable(f"cannot read the configuration file {name}: {error.strerror}") from error
    if len(content) > MAX_BYTES:
        raise invalid([Fault(name, None, f"is larger than {MAX_BYTES:,} bytes, which no configuration is")])
    return parse_document(_decode(content, name), name)


def parse_document(text: str, name: str) -> Document:
    """Parse YAML `text` that came from the file `name`; an empty text is an empty mapping.

    Raises:
        ConfigInvalid: the text is not YAML, its aliases expand without end, or its top level is not a mapping.
    """
    node = compose(text, name)
    tree = _Tree(name)
    root = Scalar(None, Place(name, 1, 1)) if node is None else tree.convert(node, ())
    if root is None:
        raise invalid(tree.faults)
    if isinstance(root, Scalar) and root.value is None:
        root = Section((), root.place)
    if not isinstance(root, Section):
        # The text is not echoed: whoever wrote only a database URL into the file wrote its password too.
        raise invalid([Fault(root.place, None, "the file must be a mapping of `key: value` lines")])
    return Document(root, tuple(tree.faults))


def plain(node: Node) -> object:
    """Return a node as dict, list or scalar, without the positions."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [plain(item) for item in node.items]
    return {entry.key: plain(entry.value) for entry in node.entries}


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")  # a byte order mark is passed over by PyYAML
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line_start = before.rfind(b"\n") + 1
        column = len(before[line_start:].decode("utf-8", "replace")) + 1
        place = Place(name, before.count(b"\n") + 1, column)
        raise invalid([Fault(place, None, "is not UTF-8 text; save the file as UTF-8")]) from error


class _Tree:
    """Converts PyYAML's graph, in which an alias is an edge, to a tree, in which it is a copy.

    A node with a fault of its own is left out, so that nobody complains about it a second time.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes = 0
        self.faults: list[Fault] = []

    def convert(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> Node | None:
        place = self._place(node)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise invalid([Fault(place, None, f"aliases expand the file to more than {MAX_NODES:,} values")])
        if any(node is one for one in above):
            raise invalid([Fault(place, None, "an anchor contains an alias of itself")])
        if node.tag not in TAGS[type(node)]:
            # The tag is not echoed: a password that starts with `!` would be one.
            self._fault(place, "has a YAML tag (`!…`); quote the text if that was not meant")
            return None
        if isinstance(node, yaml.MappingNode):
            return Section(self._entries(node, (*above, node)), place)
        if isinstance(node, yaml.SequenceNode):
            items = (self.convert(item, (*above, node)) for item in node.value)
            return Listing(tuple(item for item in items if item is not None), place)
        try:
            return Scalar(scalar_value(node), place)
        except UnreadableScalarError as error:
            self._fault(place, str(error))
            return None

    def _entries(self, node: yaml.MappingNode, above: tuple[yaml.Node, ...]) -> tuple[Entry, ...]:
        first: dict[str, Place] = {}
        entries = []
        for key, child in node.value:
            place = self._place(key)
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                self._fault(place, "a key must be a plain word")
            elif key.value in first:
                self._fault(place, f"{shown_key(key.value)} is already set on line {first[key.value].line}")
            else:
                first[key.value] = place
                value = self.convert(child, above)
                if value is not None:
                    entries.append(Entry(key.value, place, value))
        return tuple(entries)

    def _fault(self, place: Place, problem: str) -> None:
        self.faults.append(Fault(place, None, problem))

    def _place(self, node: yaml.Node) -> Place:
        return Place(self._name, node.start_mark.line + 1, node.start_mark.column + 1)
