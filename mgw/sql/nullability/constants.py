"""Constants in the tree: which are NULL, and what can be seen in the bytes of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgw.sql.nullability.tree import Node

_PLAIN_HEADER_BITS = 0b11
_BIGINT_OF_INTEGER = 481


def is_null_constant(node: Node) -> bool:
    """Return whether a node is the constant NULL."""
    return node.tag == "CONST" and node.flag("constisnull")


def text_constant(node: Node) -> str | None:
    """Return the text of a constant of type text, or None where it is something else."""
    octets = node.octets("constvalue") if node.tag == "CONST" and node.number("consttype") == 25 else b""
    return octets[4:].decode("utf-8", "replace") if _is_plain(octets) else None


def whole_number(node: Node) -> int | None:
    """Return the value of an integer constant, or None where it is something else."""
    if node.tag == "FUNCEXPR" and node.number("funcid") == _BIGINT_OF_INTEGER:  # as in LIMIT 1
        node = node.nodes("args")[0]
    if node.tag != "CONST" or is_null_constant(node) or node.number("consttype") not in {20, 21, 23}:
        return None
    return int.from_bytes(node.octets("constvalue")[: node.number("constlen")], "little", signed=True)


def is_filled_array(node: Node) -> bool:
    """Return whether an array, literal or ARRAY[…], certainly has an element."""
    if node.tag in {"ARRAYEXPR", "ARRAY"}:
        return bool(node.nodes("elements")) and not node.flag("multidims")
    header = _array_header(node)
    return header is not None and header[0] > 0


def is_array_without_nulls(node: Node) -> bool:
    """Return whether an array literal certainly holds no NULL."""
    header = _array_header(node)
    return header is not None and header[1] == 0


def _array_header(node: Node) -> tuple[int, int] | None:
    """Return how many dimensions an array literal has, and where its data begin if it has NULLs, else 0.

    The layout is that of `ArrayType` in PostgreSQL's `utils/array.h`: a length word, `ndim`, `dataoffset`, the type.
    """
    if node.tag in {"RELABELTYPE", "ARRAYCOERCEEXPR"}:
        return None
    octets = node.octets("constvalue") if node.tag == "CONST" and node.number("constlen") == -1 else b""
    if len(octets) < 16 or not _is_plain(octets):
        return None
    return int.from_bytes(octets[4:8], "little"), int.from_bytes(octets[8:12], "little")


def _is_plain(octets: bytes) -> bool:
    """Return whether a value of variable length has the long header, and is not compressed.

    The server is assumed to be little-endian, as all are that PostgreSQL is built for today; its length word says so
    as well: a big-endian one would not match the length.
    """
    return (
        len(octets) >= 4
        and not octets[0] & _PLAIN_HEADER_BITS
        and int.from_bytes(octets[:4], "little") >> 2 == len(octets)
    )
