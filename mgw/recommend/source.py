"""Viewing events out of the database and into arrays.

Each user's events come as one value, the binary form of all their columns one behind the other, which is an array as
it stands: no Python object is made for an event.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from psycopg import IsolationLevel

from mgw.core.database import queries
from mgw.core.errors import NoEvents
from mgw.recommend.engagement import engagement
from mgw.recommend.interactions import Events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

# The values of an event as `training/events` puts them one behind the other, each as PostgreSQL sends it.
_EVENT = np.dtype(
    [
        ("user_id", ">i8"), ("content_id", ">i8"), ("at", ">f8"), ("completion_rate", ">f4"), ("rating", ">f4"),
        ("is_rewatch", "?"), ("dismissed", "?"),
    ]
)  # fmt: skip
# The frame of a binary COPY of one column: a header, then for each row a count of columns and a length (PostgreSQL's
# manual, "COPY", "Binary Format"). The count is -1 after the last row.
_HEADER_BYTES = 19
_ROW_FRAME = struct.Struct("!hi")


class TrainingData(NamedTuple):
    """Events with the callers' own ids of the matrix's rows and columns.

    Attributes:
        events: all viewing events.
        user_ids: the caller's id of each row, `(n_users,)`, UTF-8 bytes.
        content_ids: the caller's id of each column, `(n_items,)`, UTF-8 bytes.
    """

    events: Events
    user_ids: NDArray[np.bytes_]
    content_ids: NDArray[np.bytes_]


def read_training_data(connection: Connection[TupleRow]) -> TrainingData:
    """Read every viewing event, in one view of the database; the connection may not be in a transaction.

    Raises:
        NoEvents: there is none.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    with connection.transaction():
        users, user_ids = _ids(queries.training_users(connection))
        items, content_ids = _ids(queries.training_content(connection))
        rows = _parse(queries.training_events(connection))
    if len(rows) == 0:
        raise NoEvents("there are no viewing events in the database", hint="`mgw import` yours, or try `mgw sample`")
    labels = engagement(
        rows["completion_rate"].astype(np.float32),
        rows["rating"].astype(np.float32),
        rows["is_rewatch"],
        rows["dismissed"],
    )
    events = Events(
        users=np.searchsorted(users, rows["user_id"]).astype(np.int32),
        items=np.searchsorted(items, rows["content_id"]).astype(np.int32),
        at=rows["at"].astype(np.float64),
        engagement=labels,
        user_ids=users,
        item_ids=items,
    )
    return TrainingData(events, user_ids, content_ids)


def _ids(rows: Sequence[tuple[int, str]]) -> tuple[NDArray[np.int64], NDArray[np.bytes_]]:
    internal = np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows))
    return internal, np.array([row[1].encode() for row in rows], dtype=np.bytes_)


def _parse(blocks: Iterable[memoryview]) -> NDArray[np.void]:
    content = memoryview(b"".join(blocks))
    parts, place = [], _HEADER_BYTES
    while place + _ROW_FRAME.size <= len(content):
        _, length = _ROW_FRAME.unpack_from(content, place)
        place += _ROW_FRAME.size
        parts.append(content[place : place + length])
        place += length
    return np.frombuffer(b"".join(parts), dtype=_EVENT)
