"""The user tier: B of every user, by one small linear system each, in parallel.

    B_u = argmin_b  Σ_e w_e (1 - b·A y_e)² + α0 Σ_i (b·A y_i)² + λ |b|²
    w_e = strength_e · 2^(-k_e / half_life)          k_e: how many titles the user liked after e

It is the objective of ALS in r dimensions with the latest titles for evidence; the titles that nobody told of count
with α0, where sampled negatives would be noise. B_u is then scaled so that s_u has the standard deviation 1 over all
titles.

With two towers (`towers`) each is fitted by itself. `online` solves the same system for one user, where no compiler is
wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgw.core.errors import ParametersInvalid
from mgw.recommend.lora.kernels import fit_rows
from mgw.recommend.threads import numba_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.settings import LoraSettings
    from mgw.recommend.lora.recency import Recency
    from mgw.recommend.lora.shared import SharedTier
    from mgw.recommend.lora.towers import Towers


def fit_users(
    towers: Towers,
    recency: Recency,
    users: NDArray[np.int64],
    settings: LoraSettings,
    *,
    skipped: NDArray[np.int64] | None = None,
    threads: int = 0,
) -> NDArray[np.float32]:
    """Fit B of all towers for some users, `(n, numbers)`; as `fit_tier`."""
    return towers.joined(
        [fit_tier(tier, recency, users, settings, skipped=skipped, threads=threads) for tier in towers.tiers]
    )


def fit_tier(
    shared: SharedTier,
    recency: Recency,
    users: NDArray[np.int64],
    settings: LoraSettings,
    *,
    skipped: NDArray[np.int64] | None = None,
    threads: int = 0,
) -> NDArray[np.float32]:
    """Fit B for some users, `(n, r)`; zero for one without titles.

    Args:
        shared: A.
        recency: what users like.
        users: which of them, its rows, `(n,)`.
        settings: half-life, regularization and α.
        skipped: how many of each user's latest titles are not looked at, `(n,)`; none skips nothing.
        threads: how many; 0 means one for each CPU.

    Raises:
        ParametersInvalid: a title is none of the model's.
    """
    n_items, rank = shared.projected.shape
    if recency.items.max(initial=-1) >= n_items:
        raise ParametersInvalid(f"events are on titles that a model of {n_items} titles does not have")
    skipped = np.zeros(len(users), dtype=np.int64) if skipped is None else skipped
    weights = np.zeros((len(users), rank))
    with numba_threads(threads):
        fit_rows(
            recency.indptr, recency.items, recency.strength, users, skipped, shared.projected, shared.gram,
            shared.spread, settings.half_life, settings.regularization * shared.unobserved, weights,
        )  # fmt: skip
    scaled: NDArray[np.float32] = (weights * (settings.rank / settings.alpha)).astype(np.float32)
    return scaled
