"""One user's history, read from the database and summed up title by title."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.core.database import queries
from mgw.recommend.engagement import engagement
from mgw.recommend.interactions import Events, strength_matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow


@dataclass(frozen=True, slots=True)
class History:
    """What is known of one user.

    Attributes:
        user_exists: whether the database knows the user at all.
        seen: ids of every title that the user met, dismissed ones too.
        liked: ids of the titles with positive evidence.
        strength: of each of `liked`, in (0, 1].
        event_ids: the id of each event's title, oldest first, `(m,)`.
        at: seconds since 1970 in UTC of each event, NaN where not known, `(m,)`.
        label: engagement of each event, -1 to 1, `(m,)`.
    """

    user_exists: bool
    seen: tuple[str, ...]
    liked: tuple[str, ...]
    strength: NDArray[np.float32]
    event_ids: tuple[str, ...]
    at: NDArray[np.float64]
    label: NDArray[np.float32]

    @classmethod
    def empty(cls, *, user_exists: bool) -> Self:
        """Return the history of somebody without events."""
        nothing = np.zeros(0, dtype=np.float32)
        return cls(user_exists, (), (), nothing, (), nothing.astype(np.float64), nothing)


def read_history(connection: Connection[TupleRow], user_id: str) -> History:
    """Read the history of the user with the caller's id `user_id`."""
    with connection.pipeline():
        return send_history(connection, user_id)()


def send_history(connection: Connection[TupleRow], user_id: str) -> Callable[[], History]:
    """Ask, in a pipeline, for the history of a user; return what fetches it."""
    fetch = queries.history_by_user_pipelined(connection, user_id=user_id)

    def read() -> History:
        rows = fetch()
        if not rows:
            return History.empty(user_exists=queries.history_user_exists(connection, user_id=user_id))
        return history_of(rows)

    return read


def history_of(rows: Sequence[queries.HistoryByUserRow | queries.ProfileAddEventsRow]) -> History:
    """Sum up events of one user, of which there is at least one."""
    ids, at, completion, rating, is_rewatch, dismissed = zip(*rows, strict=True)
    seen = tuple(dict.fromkeys(ids))
    column = {content_id: place for place, content_id in enumerate(seen)}
    events = Events(
        users=np.zeros(len(rows), dtype=np.int32),
        items=np.array([column[content_id] for content_id in ids], dtype=np.int32),
        at=np.array(at, dtype=np.float64),
        engagement=engagement(
            np.array(completion, dtype=np.float32),
            np.array(rating, dtype=np.float32),
            np.array(is_rewatch),
            np.array(dismissed),
        ),
        user_ids=np.zeros(1, dtype=np.int64),
        item_ids=np.arange(len(seen)),
    )
    strengths = strength_matrix(events)
    liked = tuple(seen[place] for place in strengths.indices)
    return History(True, seen, liked, strengths.data, tuple(ids), events.at, events.engagement)
