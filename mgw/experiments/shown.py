"""What the users of an experiment were shown, read page by page: the log of a ranking that ran."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.rows import TupleRow

_PAGE = 2_000


def read_shown(
    connection: Connection[TupleRow], experiment_id: int, window_s: float
) -> Iterator[queries.ExperimentsShownTitlesRow]:
    """Yield every title that was shown, user by user.

    Args:
        connection: to the database.
        experiment_id: of the row.
        window_s: for how long after it was shown a title counts as watched.
    """
    user, window = -1, datetime(1, 1, 2, tzinfo=UTC)
    while True:
        rows = queries.experiments_shown_titles(
            connection,
            experiment_id=experiment_id,
            after_user=user,
            after_window=window,
            top_k=_PAGE,
            window_s=window_s,
        )
        if not rows:
            return
        yield from rows
        user, window = rows[-1].user_number, rows[-1].window_start
