"""Events that do not come from the database: rows of somebody's own split, as arrays over one set of users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from mgw.recommend.engagement import engagement
from mgw.recommend.interactions import Events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class Row(Protocol):
    """One viewing event, users and titles by the caller's ids."""

    @property
    def user_id(self) -> str:
        """Who watched."""

    @property
    def content_id(self) -> str:
        """What."""

    @property
    def at(self) -> datetime | None:
        """When; None where it is not known."""

    @property
    def completion_rate(self) -> float:
        """Share of the title that was watched, 0 to 1."""

    @property
    def rating(self) -> float | None:
        """Stars, 1 to 5; None where there is no rating."""

    @property
    def is_rewatch(self) -> bool:
        """Whether the viewer had seen the title before."""

    @property
    def dismissed(self) -> bool:
        """Whether the viewer said "not interested"."""


def events_of(*parts: Sequence[Row]) -> list[Events]:
    """Turn lists of rows into events over the users and titles of them all, in the order of their first rows."""
    users: dict[str, int] = {}
    items: dict[str, int] = {}
    places = [
        (
            np.array([users.setdefault(row.user_id, len(users)) for row in part], dtype=np.int32),
            np.array([items.setdefault(row.content_id, len(items)) for row in part], dtype=np.int32),
        )
        for part in parts
    ]
    user_ids, item_ids = np.arange(len(users)), np.arange(len(items))
    return [
        Events(
            users=rows,
            items=columns,
            at=np.array([np.nan if row.at is None else row.at.timestamp() for row in part], dtype=np.float64),
            engagement=engagement(
                np.array([row.completion_rate for row in part], dtype=np.float32),
                np.array([np.nan if row.rating is None else row.rating for row in part], dtype=np.float32),
                np.array([row.is_rewatch for row in part], dtype=np.bool_),
                np.array([row.dismissed for row in part], dtype=np.bool_),
            ),
            user_ids=user_ids,
            item_ids=item_ids,
        )
        for part, (rows, columns) in zip(parts, places, strict=True)
    ]
