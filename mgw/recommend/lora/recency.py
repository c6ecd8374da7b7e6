"""What each user likes, the latest first: what the adapters of all users are trained from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.recommend.interactions import strength_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.recommend.interactions import Events


@dataclass(frozen=True, slots=True)
class Recency:
    """Titles with positive evidence whose time is known, user by user, the latest first.

    Attributes:
        indptr: where the titles of each user begin, `(n_users + 1,)`.
        items: their columns, `(n,)`.
        strength: their strengths, in (0, 1], `(n,)`.
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    strength: NDArray[np.float32]

    @classmethod
    def of(cls, events: Events) -> Self:
        """Order the pairs of some events by the latest event of each; those without a time are left out."""
        matrix = strength_matrix(events)
        rows = np.repeat(np.arange(events.n_users), np.diff(matrix.indptr))
        pair_of_event = events.users.astype(np.int64) * events.n_items + events.items
        pairs = rows * events.n_items + matrix.indices
        latest = np.full(len(pairs), -np.inf)
        counts = (events.engagement > 0) & np.isfinite(events.at)
        place = np.minimum(np.searchsorted(pairs, pair_of_event[counts]), max(len(pairs) - 1, 0))
        of_pair = pairs[place] == pair_of_event[counts] if len(pairs) else np.zeros(0, dtype=np.bool_)
        np.maximum.at(latest, place[of_pair], events.at[counts][of_pair])
        known = latest > -np.inf
        rows, items, strength = rows[known], matrix.indices[known], matrix.data[known]
        order = np.lexsort((-latest[known], rows))  # stable: of those at once, the first column comes first
        indptr = np.searchsorted(rows[order], np.arange(events.n_users + 1))
        return cls(indptr.astype(np.int64), items[order].astype(np.int32), strength[order].astype(np.float32))

    @property
    def counts(self) -> NDArray[np.int64]:
        """How many titles each user has, `(n_users,)`."""
        return np.diff(self.indptr)

    def without_latest(self, users: NDArray[np.int64], skipped: NDArray[np.int64]) -> Self:
        """Leave out so many of the latest titles of some users, both `(n,)`."""
        fewer = np.zeros(len(self.counts), dtype=np.int64)
        fewer[users] = skipped
        place = np.arange(len(self.items)) - np.repeat(self.indptr[:-1], self.counts)
        kept = place >= np.repeat(fewer, self.counts)
        indptr = np.concatenate([[0], np.cumsum(kept)])[self.indptr].astype(np.int64)
        return type(self)(indptr, self.items[kept], self.strength[kept])

    def of_user(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the titles of a user, the latest first, and their strengths."""
        part = slice(self.indptr[row], self.indptr[row + 1])
        return self.items[part], self.strength[part]
