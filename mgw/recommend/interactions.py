"""Viewing events as arrays, and as the sparse user × item matrix that models are fitted on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Events:
    """Viewing events of `n_users` users and `n_items` titles, one array per field, in the order of the database.

    Attributes:
        users: row of each event's user, `(n,)`, in [0, n_users).
        items: column of each event's title, `(n,)`, in [0, n_items).
        at: seconds since 1970 in UTC, NaN where the time is not known, `(n,)`.
        engagement: the label of `mgw.recommend.engagement`, in [-1, 1], `(n,)`.
        user_ids: the database's id of each row, ascending, `(n_users,)`.
        item_ids: the database's id of each column, ascending, `(n_items,)`.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    at: NDArray[np.float64]
    engagement: NDArray[np.float32]
    user_ids: NDArray[np.int64]
    item_ids: NDArray[np.int64]

    @property
    def n_users(self) -> int:
        """How many users there are, with or without events."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """How many titles there are, with or without events."""
        return len(self.item_ids)

    def __len__(self) -> int:
        return len(self.users)

    def where(self, mask: NDArray[np.bool_]) -> Events:
        """Keep the events under `mask`; the users and titles, and so the shapes, stay."""
        return Events(
            self.users[mask], self.items[mask], self.at[mask], self.engagement[mask], self.user_ids, self.item_ids
        )


def strength_matrix(events: Events) -> csr_array[np.float32]:
    """Sum up each (user, title) pair as one strength in (0, 1]; pairs without positive evidence are left out.

    A pair's strength is the largest engagement among its events. A dismissal clears what came before it: only the
    events after a pair's last dismissal count (events without a time stand at the beginning).

    Returns:
        Strengths, `(n_users, n_items)`, rows sorted by column.
    """
    pair = events.users.astype(np.int64) * events.n_items + events.items
    order = np.lexsort((events.engagement < 0, np.nan_to_num(events.at, nan=-np.inf), pair))
    pair, engagement = pair[order], events.engagement[order]
    position = np.arange(len(pair))
    starts = _run_starts(pair)
    cleared = np.maximum.reduceat(np.where(engagement < 0, position, -1), starts) if len(pair) else starts
    counts = (position > np.repeat(cleared, np.diff(starts, append=len(pair)))) & (engagement > 0)

    pair, engagement = pair[counts], engagement[counts]
    starts = _run_starts(pair)
    strength = np.maximum.reduceat(engagement, starts) if len(pair) else engagement
    users, items = np.divmod(pair[starts], events.n_items)
    indptr = np.searchsorted(users, np.arange(events.n_users + 1))
    return csr_array((strength, items.astype(np.int32), indptr), shape=(events.n_users, events.n_items))


def _run_starts(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each run of equal values begins, in an array whose equal values stand together."""
    return np.flatnonzero(np.diff(values, prepend=values[:1] - 1)) if len(values) else np.zeros(0, dtype=np.int64)
