"""A viewer: one person's events on the titles of a snapshot, as all sources of a recommendation want them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.recommend.interactions import Events, strength_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mgw.recommend.history import History


@dataclass(frozen=True, slots=True)
class Viewer:
    """What is known of one user, by columns of a snapshot.

    Attributes:
        items: of each event, `(m,)`.
        at: seconds since 1970 in UTC, NaN where not known, `(m,)`.
        label: engagement of each event, -1 to 1, `(m,)`.
        liked: titles with positive evidence, `(n,)`.
        strength: of each of `liked`, in (0, 1], `(n,)`.
    """

    items: NDArray[np.int64]
    at: NDArray[np.float64]
    label: NDArray[np.float32]
    liked: NDArray[np.int64]
    strength: NDArray[np.float32]

    @classmethod
    def of_history(cls, history: History, columns: Mapping[str, int]) -> Self:
        """Take what a database says; titles that the snapshot does not know are left out."""
        places = np.array([columns.get(content_id, -1) for content_id in history.event_ids], dtype=np.int64)
        known = places >= 0
        liked = np.array([columns.get(content_id, -1) for content_id in history.liked], dtype=np.int64)
        found = liked >= 0
        return cls(places[known], history.at[known], history.label[known], liked[found], history.strength[found])

    @classmethod
    def of_events(cls, items: NDArray[np.int32], at: NDArray[np.float64], label: NDArray[np.float32]) -> Self:
        """Take events whose titles are columns already, all `(m,)`."""
        n_items = int(items.max(initial=-1)) + 1
        one = np.zeros(1, dtype=np.int64)
        users = np.zeros(len(items), dtype=np.int32)
        row = strength_matrix(Events(users, items, at, label, one, np.arange(n_items)))
        return cls(items.astype(np.int64), at, label, row.indices.astype(np.int64), row.data)

    @property
    def timed(self) -> float:
        """The share of the events whose time is known; 1 where there is no event."""
        return float(np.isfinite(self.at).mean()) if len(self.at) else 1.0

    @property
    def seen(self) -> NDArray[np.int64]:
        """Titles that the user met, dismissed ones too, `(k,)`."""
        return np.unique(self.items)
