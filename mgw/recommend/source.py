"""Viewing events out of the database and into arrays.

The whole table comes as one binary COPY of rows of fixed width, which is an array as it stands: no Python object is
made per row, and a million events are read in about a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from psycopg import IsolationLevel

from mgw.core.database import queries
from mgw.core.errors import DatabaseFailed, NoEvents
from mgw.recommend.engagement import engagement
from mgw.recommend.interactions import Events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

_COLUMNS = [
    ("user_id", ">i8"), ("content_id", ">i8"), ("at", ">f8"), ("completion_rate", ">f4"), ("rating", ">f4"),
    ("is_rewatch", "?"), ("dismissed", "?"),
]  # fmt: skip
# Each row is a count of columns, then for each column its length and its value (PostgreSQL's manual, "COPY").
_ROW = np.dtype(
    [("n_columns", ">i2")]
    + [part for name, kind in _COLUMNS for part in ((f"{name}_length", ">i4"), (name, kind))]
)  # fmt: skip
_HEADER_BYTES = 19
_TRAILER_BYTES = 2


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
    content = b"".join(blocks)
    rows = np.frombuffer(content[_HEADER_BYTES : len(content) - _TRAILER_BYTES], dtype=_ROW)
    for name, kind in _COLUMNS:
        if np.any(rows[f"{name}_length"] != np.dtype(kind).itemsize):
            raise DatabaseFailed(f"training/events: column {name} is not of the width that was expected")
    return rows
