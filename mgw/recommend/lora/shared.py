"""The shared tier: in which directions people's latest titles differ from what ALS expects of them.

    R_u = √m · (mean of y over the m latest titles of u  -  Σ_i p_ui y_i)
    p_ui ∝ exp(τ · z_ui)          z_ui: the z-score of ALS, folded in from the user's other titles

The rows of A are the leading right singular vectors of R, a low-rank regression on the residuals of the base model:
with few of them, B_u can say what matters. It is fitted to a sample of users; a few thousand fix a few directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from threadpoolctl import threadpool_limits

from mgw.core.errors import NoEvents, ParametersInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.settings import LoraSettings
    from mgw.recommend.foldin import FoldIn
    from mgw.recommend.lora.recency import Recency

_HELD_OUT_OF, _LEAST_HELD_OUT, _SHARPNESS = 5, 2, 1.5
_SCORES_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class SharedTier:
    """A, and what all users' fits have in common.

    Attributes:
        directions: A, rows of unit length, `(r, d)`.
        projected: A y_i of every title, `(n_items, r)`.
        gram: α0 Σ_i (A y_i)(A y_i)ᵀ, `(r, r)`.
        spread: covariance of `projected` over the titles that have factors, `(r, r)`.
        unobserved: α0 times the number of titles, what λ is a share of.
    """

    directions: NDArray[np.float32]
    projected: NDArray[np.float32]
    gram: NDArray[np.float64]
    spread: NDArray[np.float64]
    unobserved: float

    @classmethod
    def of(cls, directions: NDArray[np.float32], fold_in: FoldIn) -> Self:
        """Project the titles on some directions, `(r, d)`.

        Raises:
            ParametersInvalid: the directions are not as long as the factors.
        """
        factors = fold_in.item_factors
        if directions.ndim != 2 or directions.shape[1] != factors.shape[1]:
            raise ParametersInvalid(
                f"a shared tier of shape {directions.shape} does not fit factors of length {factors.shape[1]}"
            )
        projected = np.ascontiguousarray(factors @ directions.T, dtype=np.float32)
        exact = projected.astype(np.float64)
        return cls(
            directions,
            projected,
            fold_in.settings.unobserved_weight * exact.T @ exact,
            covariance(projected[factors.any(axis=1)]),
            fold_in.settings.unobserved_weight * len(factors),
        )

    @classmethod
    def fit(cls, fold_in: FoldIn, recency: Recency, settings: LoraSettings) -> Self:
        """Learn the directions from everybody, or a sample.

        Args:
            fold_in: the base model.
            recency: what users like.
            settings: rank, least events, sample and seed.

        Raises:
            ParametersInvalid: the rank is larger than the factors are long.
            NoEvents: fewer users than the rank have enough titles with times.
        """
        n_factors = fold_in.item_factors.shape[1]
        if settings.rank > n_factors:
            raise ParametersInvalid(
                f"lora.rank {settings.rank} is larger than the vectors of the model's titles, of {n_factors} numbers",
                hint=f"at most {n_factors}",
            )
        users = np.flatnonzero(recency.counts >= settings.minimum_events)
        if len(users) < settings.rank:
            raise NoEvents(
                f"{len(users)} users have {settings.minimum_events} liked titles whose times are known; a shared tier"
                f" of rank {settings.rank} takes at least {settings.rank}",
                hint="events with times, a smaller lora.rank, or a smaller lora.minimum_events",
            )
        if len(users) > settings.sample_users:
            rng = np.random.default_rng(settings.seed)
            users = np.sort(rng.choice(users, settings.sample_users, replace=False))
        at_once = max(_SCORES_AT_ONCE // len(fold_in.item_factors), 1)
        residuals = np.concatenate(
            [_residuals(fold_in, recency, users[start : start + at_once]) for start in range(0, len(users), at_once)]
        )
        _, _, directions = np.linalg.svd(residuals, full_matrices=False)
        first = directions[: settings.rank]
        # Which of v and -v the SVD gives is chance: the largest number of each is positive here.
        signs = np.sign(first[np.arange(len(first)), np.abs(first).argmax(axis=1)])
        return cls.of((first * signs[:, None]).astype(np.float32), fold_in)


def covariance(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the covariance of the columns of some rows, `(n, d)`, as `(d, d)`."""
    return np.asarray(np.atleast_2d(np.cov(rows.astype(np.float64), rowvar=False, bias=True)), dtype=np.float64)


def n_held_out(n_titles: int) -> int:
    """Return how many of a user's latest titles are held out to learn from: one in five, and at least two."""
    return max(_LEAST_HELD_OUT, n_titles // _HELD_OUT_OF)


def _residuals(fold_in: FoldIn, recency: Recency, users: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return R of some users, `(n, d)`."""
    factors = fold_in.item_factors
    vectors = np.empty((len(users), factors.shape[1]), dtype=np.float32)
    latest, earlier, held_out = np.empty(vectors.shape), [], np.empty(len(users), dtype=np.int64)
    with threadpool_limits(1, user_api="blas"):  # many small systems: two threads at one only wait for each other
        for place, user in enumerate(users):
            items, strength = recency.of_user(int(user))
            first = held_out[place] = n_held_out(len(items))
            vectors[place] = fold_in.user_factors(items[first:].astype(np.int64), strength[first:])
            latest[place] = factors[items[:first]].mean(axis=0, dtype=np.float64)
            earlier.append(items[first:])
    scores = vectors @ factors.T
    for row, known in zip(scores, earlier, strict=True):
        row[known] = row.min()  # what is known already is not expected again
    spread = scores.std(axis=1, dtype=np.float64)[:, None]
    expected = np.exp(_SHARPNESS * (scores - scores.max(axis=1)[:, None]) / np.where(spread > 0, spread, 1.0))
    for row, known in zip(expected, earlier, strict=True):
        row[known] = 0.0
    mean = expected @ factors / np.maximum(expected.sum(axis=1), 1e-300)[:, None]
    return np.asarray(np.sqrt(held_out)[:, None] * (latest - mean))
