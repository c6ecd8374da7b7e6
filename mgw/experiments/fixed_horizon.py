"""The interval and the p-value of one look, at a time that was chosen beforehand (Welch 1947).

Whoever looks every day for a month and stops at the first difference finds one in a quarter of the experiments that
have none; `sequential` is for them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scipy import stats

from mgw.experiments.statistics import Interval

if TYPE_CHECKING:
    from mgw.experiments.statistics import Difference


def welch(difference: Difference, alpha: float = 0.05) -> Interval:
    """Return the interval of a fixed horizon, for one look."""
    reach = float(stats.t.ppf(1 - alpha / 2, difference.freedom)) * math.sqrt(difference.variance)
    return Interval(difference.estimate, difference.estimate - reach, difference.estimate + reach)


def welch_p_value(difference: Difference) -> float:
    """Return the chance of a difference at least as large where there is none, for one look."""
    return float(2 * stats.t.sf(abs(difference.estimate) / math.sqrt(difference.variance), difference.freedom))
