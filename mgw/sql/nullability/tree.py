r"""Reads `pg_node_tree`: the text in which PostgreSQL stores analysed queries.

    {QUERY :commandType 1 :rtable ({RANGETBLENTRY …} {RANGETBLENTRY …}) :targetList (…) :limitCount <> …}

A node is a tag and fields; a value is a node, a list, an atom or nothing (`<>`). Lists are `(…)`; those of numbers
and sets begin with their kind, `(i 1 2)` or `(b 8 9)`; strings in lists stand in quotes. Within an atom a backslash
protects blanks, brackets and itself. The bytes of a constant stand as `4 [ 1 0 0 0 ]`.

What a field means, and which exist, differs between the major versions; this module knows none of that. It is read
for every query, so it is written for speed: one regular expression cuts, one loop assembles, and fields that nobody
here asks for are dropped before either.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = Union["Node", list["Value"], str, None]

# A field's name is one token, its value the next, whatever that begins with; only bytes take two.
_TOKEN = re.compile(r"[{}()]|\[[-\d ]*\]|(?:\\.|[^\s(){}\\\[]|\[(?![-\d ]*\]))+", re.DOTALL)
_UNREAD = re.compile(
    " :(?:location|vartypmod|varcollid|varnosyn|varattnosyn|consttypmod|constcollid|inputcollid|opcollid|funccollid"
    "|funcformat|stmt_location|stmt_len|rellockmode|perminfoindex|requiredPerms|checkAsUser|tablesample|securityQuals"
    "|querySource|utilityStmt|resulttypmod|resultcollid|resorigtbl|resorigcol|colcollations|coltypmods|aggcollid"
    "|relabelformat|coerceformat|resno_location|hasForUpdate|hasRowSecurity|isReturn|rowMarks|constraintDeps"
    "|withCheckOptions|override|canSetTag|aggno|aggtransno|aggsplit|aggtranstype|inFromCl|collation) [^ (){}]+"
    r"(?=[ })])| :(?:selectedCols|insertedCols|updatedCols|extraUpdatedCols|varnullingrels) \(b[ \d]*\)"
)
_FIELD_LIKE_VALUE = re.compile(r" :\w+ :")
_CLOSING = frozenset("})")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Node:
    """A node of the tree: its tag and its fields, which are asked for by the kind of value that is expected."""

    __slots__ = ("fields", "tag")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.fields: dict[str, Value] = {}

    def __repr__(self) -> str:
        return f"<{self.tag} {' '.join(self.fields)}>"

    def node(self, name: str) -> Node | None:
        """Return a field that is a node, or None where it is empty or does not exist in this version."""
        value = self.fields.get(name)
        return value if isinstance(value, Node) else None

    def need(self, name: str) -> Node:
        """Return a field that is always a node."""
        value = self.fields.get(name)
        if not isinstance(value, Node):
            raise TreeUnreadable(f"{self.tag} has no node {name}")
        return value

    def nodes(self, name: str) -> list[Node]:
        """Return the nodes of a list; an empty one where the field is empty."""
        value = self.fields.get(name)
        return [item for item in value if isinstance(item, Node)] if isinstance(value, list) else []

    def number(self, name: str, default: int = 0) -> int:
        """Return a field that is a number."""
        value = self.fields.get(name)
        return int(value) if isinstance(value, str) else default

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of a list or of a set."""
        value = self.fields.get(name)
        if not isinstance(value, list):
            return []
        return [int(item) for item in value if isinstance(item, str) and item not in {"i", "o", "b", "x"}]

    def flag(self, name: str) -> bool:
        """Return a field that is true or false."""
        return self.fields.get(name) == "true"

    def text(self, name: str) -> str | None:
        """Return a field that is a string, or None where there is none."""
        value = self.fields.get(name)
        return None if not isinstance(value, str) else _unescaped("" if value == '""' else value)

    def texts(self, name: str) -> list[str]:
        """Return the strings of a list."""
        value = self.fields.get(name)
        return [_unescaped(item[1:-1]) for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def octets(self, name: str) -> bytes:
        """Return the bytes of a constant, as they lie in the server's memory."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value.startswith("["):
            return b""
        return bytes(int(octet) & 0xFF for octet in value[1:-1].split())


class TreeUnreadable(ValueError):
    """The text is not a `pg_node_tree`, or lacks what every version has."""


def parse(text: str, *, whole: bool = False) -> Value:
    r"""Read a `pg_node_tree`; the fields that nobody reads only where the whole is asked for.

    Raises:
        TreeUnreadable: brackets do not match, or something stands where nothing can.

    >>> tree = parse(r"({VAR :varno 1 :location -1} {CONST :constvalue 4 [ 1 0 -1 0 ] :alias a\ b} <>)")
    >>> tree[0].number("varno"), tree[1].octets("constvalue"), tree[1].text("alias"), tree[2]
    (1, b'\x01\x00\xff\x00', 'a b', None)
    """
    if not whole and not _FIELD_LIKE_VALUE.search(text):
        text = _UNREAD.sub("", text)
    root: list[Value] = []
    try:
        _assemble(_TOKEN.findall(text), root)
    except (IndexError, StopIteration) as error:
        raise TreeUnreadable("a bracket or a value is missing") from error
    if len(root) != 1:
        raise TreeUnreadable(f"{len(root)} values instead of one")
    return root[0]


def _assemble(pieces: list[str], root: list[Value]) -> None:
    outer: list[tuple[Node | None, list[Value]]] = []  # what is open around the present node or list
    node: Node | None = None
    items = root
    field = ""
    following = iter(pieces)
    for piece in following:
        if piece in _CLOSING:
            if (piece == "}") != (node is not None) or field:
                raise TreeUnreadable(f"{piece} stands where it cannot")
            node, items = outer.pop()
            continue
        if node is not None and not field:
            field = _field_name(node, piece)
            continue
        value = _begun(piece, following)
        if node is None:
            items.append(value)
        else:
            node.fields[field] = value
            field = ""
        if isinstance(value, (Node, list)):
            outer.append((node, items))
            node, items = (value, items) if isinstance(value, Node) else (None, value)
    if outer:
        raise TreeUnreadable("a bracket is not closed")


def _field_name(node: Node, piece: str) -> str:
    """Return the name of the next field, or "" after storing the bytes that follow the number of a field before."""
    if piece[0] == "[":
        node.fields[next(reversed(node.fields))] = piece
        return ""
    return piece[1:]


def _begun(piece: str, following: Iterator[str]) -> Value:
    """Return the value that begins with a piece: a node or a list, still empty, an atom or nothing."""
    if piece == "{":
        return Node(next(following))
    if piece == "(":
        return []
    return None if piece == "<>" else piece


def _unescaped(atom: str) -> str:
    return _ESCAPE.sub(r"\1", atom) if "\\" in atom else atom
