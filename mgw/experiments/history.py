"""A metric as it was before: what an experiment of some time would have measured of the users active in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.database import queries
from mgw.core.errors import ExperimentInvalid, NotEnoughData
from mgw.experiments.joint import Joint

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.experiments.definition import Metric

MOST_USERS = 200_000


@dataclass(frozen=True, slots=True)
class History:
    """Users in the order in which they came.

    Attributes:
        y: the metric of each, `(n,)`; of a ratio, what is above the line.
        x: what is below the line of a ratio, or the same metric before, `(n,)`.
        days: how long the time was.
    """

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    days: float

    @property
    def users_per_day(self) -> float:
        """How many users come for the first time on a day of that time."""
        return len(self.y) / self.days

    def joint(self) -> Joint:
        """Sum up all users."""
        return Joint.of(self.y, self.x)


def read_history(
    connection: Connection[TupleRow], metric: Metric, days: float, until: datetime | None = None
) -> History:
    """Read a metric's history, of 200,000 users at most.

    Args:
        connection: to the database.
        metric: which one.
        days: how long the time is.
        until: its end; None is when something was watched last.

    Raises:
        ExperimentInvalid: it is a quantile, which takes more than a mean and a variance.
        NotEnoughData: nobody watched anything in that time, or the metric was the same for all.
    """
    if metric.kind == "quantile":
        raise ExperimentInvalid(f"{metric.name}: a quantile cannot be planned", hint="plan by another metric")
    latest = queries.experiments_latest_viewing(connection)
    if latest is None:
        raise NotEnoughData("nothing was watched at a time that is known", hint="give --mean, --sd and --users-per-day")
    end = until or latest + timedelta(seconds=1)
    rows = queries.experiments_history(
        connection,
        start=max(end - timedelta(days=days), datetime(1, 1, 2, tzinfo=UTC)),
        until=end,
        most=MOST_USERS,
        event=metric.counted,
        per=metric.per or "",
        window_s=metric.window_s,
        before_s=86_400 * (metric.before_days or 0.0),
        kind=metric.kind,
    )
    values = np.array([(row.y, row.x) for row in rows], dtype=np.float64).reshape(-1, 2)
    if len(values) < 4 or not np.ptp(values[:, 0]) > 0:
        raise NotEnoughData(
            f"in {days:g} days until {end:%Y-%m-%d} {len(values)} users were active, and {metric.name} says too little",
            hint="take a longer time with --days, or give --mean, --sd and --users-per-day",
        )
    y, x = values.T
    if metric.winsorize is not None:
        y = _capped(y, metric.winsorize)
        x = x if metric.kind == "ratio" else _capped(x, metric.winsorize)
    return History(y, x, days)


def _capped(values: NDArray[np.float64], quantile: float) -> NDArray[np.float64]:
    """Take what is above a quantile of the values that are not 0 as that one."""
    some = values[values != 0]
    return np.minimum(values, np.quantile(some, quantile)) if len(some) else values
