"""Many comparisons at once: p-values that count how many there are.

Holm                 the chance of any false finding is at most α (Holm 1979)
Benjamini-Hochberg   the expected share of false ones among the findings is at most α (1995)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgw.core.errors import NotEnoughData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return the p-values adjusted for the family, in the order given, `(n,)`.

    Raises:
        NotEnoughData: one of them is no p-value.
    """
    found, order = _checked(p_values)
    steps = np.arange(len(found), 0, -1)
    return _in_order(np.maximum.accumulate(found[order] * steps), order)


def benjamini_hochberg(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return the p-values adjusted for the false discovery rate, in the order given, `(n,)`.

    Raises:
        NotEnoughData: one of them is no p-value.
    """
    found, order = _checked(p_values)
    n = len(found)
    scaled = found[order] * n / np.arange(1, n + 1)
    return _in_order(np.minimum.accumulate(scaled[::-1])[::-1], order)


def _checked(p_values: Sequence[float]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    found = np.asarray(p_values, dtype=np.float64)
    if not np.all((found >= 0) & (found <= 1)):  # NaN is not
        raise NotEnoughData("a comparison without a p-value cannot be adjusted; leave it out of the family")
    return found, np.argsort(found, kind="stable")


def _in_order(adjusted: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.float64]:
    placed = np.empty_like(adjusted)
    placed[order] = np.minimum(adjusted, 1.0)
    return placed
