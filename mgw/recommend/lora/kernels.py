"""The hot loops of the user tier: a small system for each user, and a look at what it does for titles held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_WEIGHT = 1e-4


@numba.njit(cache=True, parallel=True)
def fit_rows(
    indptr: NDArray[np.int64],
    items: NDArray[np.int32],
    strength: NDArray[np.float32],
    users: NDArray[np.int64],
    skipped: NDArray[np.int64],
    projected: NDArray[np.float32],
    gram: NDArray[np.float64],
    spread: NDArray[np.float64],
    half_life: float,
    ridge: float,
    weights: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Fit B of each user, but for as many of the latest titles as are skipped, into `weights`, `(n, r)`."""
    for place in numba.prange(len(users)):
        start, end = indptr[users[place]], indptr[users[place] + 1]
        start = min(start + skipped[place], end)
        weights[place] = _solve(items, strength, start, end, projected, gram, ridge, 1.0, half_life, spread)


@numba.njit(cache=True, parallel=True)
def gain_rows(
    indptr: NDArray[np.int64],
    items: NDArray[np.int32],
    strength: NDArray[np.float32],
    users: NDArray[np.int64],
    skipped: NDArray[np.int64],
    confidence: NDArray[np.float64],
    ridge: NDArray[np.float64],
    factors: NDArray[np.float32],
    gram: NDArray[np.float64],
    spread: NDArray[np.float64],
    projected: NDArray[np.float32],
    weights: NDArray[np.float64],
    compared: NDArray[np.int64],
    boost: float,
    gain: NDArray[np.float64],
    error: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Measure on the skipped titles of each user what B does for them, into `gain` and `error`."""
    for place in numba.prange(len(users)):
        start, end = indptr[users[place]], indptr[users[place] + 1]
        split = min(start + skipped[place], end)
        if not start < split < end:
            continue
        base = _solve(items, strength, split, end, factors, gram, ridge[place], confidence[place], np.inf, spread)
        _look_at_held_out(
            items, start, split, factors, base, projected, weights[place], compared, boost, place, gain, error
        )


@numba.njit(cache=True)
def _solve(
    items: NDArray[np.int32],
    strength: NDArray[np.float32],
    start: int,
    end: int,
    vectors: NDArray[np.float32],
    gram: NDArray[np.float64],
    ridge: float,
    confidence: float,
    half_life: float,
    spread: NDArray[np.float64],
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    """Solve for one user among some vectors of titles; with an endless half-life it is the fold-in of ALS."""
    rank = vectors.shape[1]
    system, right = gram.copy(), np.zeros(rank)
    for k in range(rank):
        system[k, k] += ridge
    for position in range(start, end):
        decay = 0.5 ** ((position - start) / half_life)
        if decay < _LEAST_WEIGHT:
            break
        weight, row = confidence * decay * strength[position], vectors[items[position]]
        for k in range(rank):
            scaled = weight * row[k]
            right[k] += scaled
            for m in range(rank):
                system[k, m] += scaled * row[m]
    return _scaled(np.linalg.solve(system, right).astype(np.float64), spread)


@numba.njit(cache=True)
def _scaled(
    vector: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:  # pragma: no cover - compiled
    variance = 0.0
    for k in range(len(vector)):
        for m in range(len(vector)):
            variance += vector[k] * spread[k, m] * vector[m]
    return vector / np.sqrt(variance) if variance > 0 else vector


@numba.njit(cache=True)
def _look_at_held_out(
    items: NDArray[np.int32],
    start: int,
    split: int,
    factors: NDArray[np.float32],
    base: NDArray[np.float64],
    projected: NDArray[np.float32],
    adapter: NDArray[np.float64],
    compared: NDArray[np.int64],
    boost: float,
    place: int,
    gain: NDArray[np.float64],
    error: NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Write the mean over the held-out titles of the share of titles below each that the adapter adds."""
    n_compared = len(compared)
    plain, adapted = np.empty(n_compared), np.empty(n_compared)
    for k in range(n_compared):
        plain[k] = _dot(factors[compared[k]], base)
        adapted[k] = plain[k] + boost * _dot(projected[compared[k]], adapter)
    total, squares = 0.0, 0.0
    for position in range(start, split):
        own = _dot(factors[items[position]], base)
        own_adapted = own + boost * _dot(projected[items[position]], adapter)
        below = 0.0
        for k in range(n_compared):
            below += (adapted[k] < own_adapted) - (plain[k] < own)
        below /= n_compared
        total += below
        squares += below * below
    n = split - start
    mean = total / n
    gain[place] = mean
    error[place] = np.sqrt(max(squares / n - mean * mean, 0.0) / n)


@numba.njit(cache=True)
def _dot(row: NDArray[np.float32], vector: NDArray[np.float64]) -> float:  # pragma: no cover - compiled
    total = 0.0
    for k in range(len(vector)):
        total += row[k] * vector[k]
    return total
