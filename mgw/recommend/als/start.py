"""Where the factors begin: near the leading singular vectors of the normalised interactions, or anywhere.

The first epochs from random values do little more than find the subspace in which users and titles differ most. One
multiplication finds it about as well: with W = D_U^-½ S D_I^-½, the strengths with both sides divided by the root of
their sums, the columns of (WᵀW) Ω for a random Ω of d columns span nearly what the d leading right singular vectors do
(Halko, Martinsson & Tropp 2011, algorithm 4.3 with q = 0, and one multiplication by Wᵀ more). Without the division,
the most popular titles would take up all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mgw.recommend.als.kernels import weighted_sums
from mgw.recommend.foldin import weighted_gram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.settings import AlsSettings
    from mgw.recommend.als.side import Side

_ROW_NORM = 0.15
"""Root mean square of the titles' norms. Columns of length 1 alone would be too short for users to lean on where there
are many titles; of .05 to .6, tried on sets of 3,000 and 50,000 titles with four weights of the unobserved, .1 to .2
were ahead or nearly so after three epochs in all."""
_ROWS = 4096
"""Titles whose product is made at once: one of all of them would be as large as their factors."""
_SMALLEST = 1e-9
"""Share of the largest eigenvalue below which a direction is nothing but rounding."""


def starting_values(users: Side, items: Side, settings: AlsSettings) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return factors of users, `(n_users, d)`, and of titles, `(n_items, d)`: zero for those without interactions."""
    rng = np.random.default_rng(settings.seed)
    x, y = (_random(side, settings, rng) for side in (users, items))
    if settings.start == "spectral":
        x[:] = 0  # they are solved for first
        _align(x, y, users, items)
    return x, y


def _random(side: Side, settings: AlsSettings, rng: np.random.Generator) -> NDArray[np.float32]:
    scale = np.float32(settings.init_stddev / np.sqrt(settings.factors))
    factors = rng.standard_normal((side.n_rows, settings.factors), dtype=np.float32)
    factors *= scale
    factors[side.counts == 0] = 0
    return factors


def _align(room: NDArray[np.float32], y: NDArray[np.float32], users: Side, items: Side) -> None:
    """Replace the random `y` by orthogonal columns that span where it is taken by WᵀW.

    Directions that the interactions do not have, because there are fewer titles or users than factors, stay random.

    Args:
        room: for the users' half of the product, `(n_users, d)`; zero afterwards.
        y: `(n_items, d)`.
        users: the interactions by user.
        items: the interactions by title.
    """
    by_user, by_item = (1 / np.sqrt(np.maximum(side.sums(), np.finfo(np.float32).tiny)) for side in (users, items))
    spread = y * by_item[:, None].astype(np.float32)
    weighted_sums(users.shares, users.indptr, users.indices, users.strength, spread, room)
    room *= (by_user**2)[:, None].astype(np.float32)
    weighted_sums(items.shares, items.indptr, items.indices, items.strength, room, spread)
    spread *= by_item[:, None].astype(np.float32)
    room[:] = 0
    values, vectors = np.linalg.eigh(weighted_gram(spread, 1.0))
    present = values > _SMALLEST * max(values[-1], np.finfo(np.float64).tiny)
    basis = (vectors[:, present] / np.sqrt(values[present])).astype(np.float32)
    basis *= np.float32(_ROW_NORM * np.sqrt(max(np.count_nonzero(items.counts), 1) / basis.shape[1]))
    for start in range(0, len(y), _ROWS):
        y[start : start + _ROWS, : basis.shape[1]] = spread[start : start + _ROWS] @ basis
