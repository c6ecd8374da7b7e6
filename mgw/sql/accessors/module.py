"""The generated module: a preamble that is always the same, the types, and one block for each query.

Each block begins with a line that names the query and carries two checksums: of what the block was made from, and of
the block itself. So a check without a database finds what is stale without writing the module anew, an edit by hand is
found too, and two branches that add different queries change different lines.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from mgw.sql.accessors import registration
from mgw.sql.prepared import checksum_of, encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mgw.sql.description import Description
    from mgw.sql.source import Query

GENERATOR = 3  # to be raised when the same description gives another accessor
_MARK = re.compile(r"^# ---- (\S+) ([0-9a-f]{16}) ([0-9a-f]{16})\n", re.MULTILINE)
TYPES = ":types"  # no query can be called like this

PREAMBLE = '''# fmt: off
# ruff: noqa: PGH004
# ruff: noqa
"""The queries as functions: written by `mgw prepare`, and not to be edited.

Each takes a connection and the parameters by name, and comes with an `_async` twin. A value that can be NULL says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from decimal import Decimal
    from ipaddress import (
        IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network,
    )
    from uuid import UUID

    from psycopg import AsyncConnection, AsyncCopy, Connection, Copy
    from psycopg.types import TypeInfo
    from psycopg.types.json import Json, Jsonb
    from psycopg.types.multirange import (
        DateMultirange, Int4Multirange, Int8Multirange, Multirange, NumericMultirange, TimestampMultirange,
        TimestamptzMultirange,
    )
    from psycopg.types.range import (
        DateRange, Int4Range, Int8Range, NumericRange, Range, TimestampRange, TimestamptzRange,
    )

    Inet: TypeAlias = IPv4Address | IPv6Address | IPv4Interface | IPv6Interface
    Cidr: TypeAlias = IPv4Network | IPv6Network

_T = TypeVar("_T")


def _into(make: Callable[[Sequence[Any]], _T]) -> Callable[[object], Callable[[Sequence[Any]], _T]]:
    return lambda _cursor: make


def _first(values: Sequence[Any]) -> Any:
    return values[0]


def _value(_cursor: object) -> Callable[[Sequence[Any]], Any]:
    return _first


def _one(name: str, rows: list[_T]) -> _T:
    if len(rows) != 1:
        msg = f"{name} gave {len(rows)} rows instead of one"
        raise LookupError(msg)
    return rows[0]


def _at_most_one(name: str, rows: list[_T]) -> _T | None:
    if len(rows) > 1:
        msg = f"{name} gave {len(rows)} rows instead of at most one"
        raise LookupError(msg)
    return rows[0] if rows else None
'''


def module_source(pieces: Iterable[tuple[Query, Description]]) -> str:
    """Return the whole module."""
    ordered = sorted(pieces, key=lambda piece: piece[0].name)
    blocks = [types_block(description for _, description in ordered)]
    blocks += [query_block(query, description) for query, description in ordered]
    return "\n\n".join([PREAMBLE, *blocks])


def query_block(query: Query, description: Description) -> str:
    """Return the block of one query."""
    # Here and not above: a check that finds nothing stale writes no code, and has no time to load what does.
    from mgw.sql.accessors.function import source  # noqa: PLC0415

    made_from = inputs(query.checksum, checksum_of(encode(description)))
    return _marked(query.name, made_from, source(query, description))


def types_block(descriptions: Iterable[Description]) -> str:
    """Return the block with the schema's own types."""
    body = registration.source(descriptions)
    return _marked(TYPES, _sha(body), body)


def inputs(query: str, description: str) -> str:
    """Return the checksum of what a block is made from: the checksums of the query and of its description."""
    return _sha(f"{GENERATOR} {query} {description}")


def _marked(name: str, made_from: str, body: str) -> str:
    return f"# ---- {name} {made_from} {_sha(body)}\n{body}"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Block(NamedTuple):
    """A block of a module that was read.

    Attributes:
        inputs: the checksum of what it was made from.
        text: the block, its first line included.
        intact: whether its text is as it was written.
    """

    inputs: str
    text: str
    intact: bool


def read_module(text: str) -> tuple[str, dict[str, Block]]:
    """Take a module apart into its preamble and its blocks, by query."""
    marks = list(_MARK.finditer(text))
    if not marks:
        return text, {}
    preamble = text[: marks[0].start()].removesuffix("\n\n")
    blocks: dict[str, Block] = {}
    for index, mark in enumerate(marks):
        last = index + 1 == len(marks)
        end = len(text) if last else marks[index + 1].start()
        body = text[mark.end() : end] if last else text[mark.end() : end].removesuffix("\n\n")
        intact = _sha(body) == mark[3] and mark[1] not in blocks
        blocks[mark[1]] = Block(mark[2], text[mark.start() : mark.end()] + body, intact)
    return preamble, blocks
