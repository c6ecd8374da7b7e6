"""Whether adapters are used: what they do for titles that neither they nor the model knew.

Of each user the latest titles are held out, and a model is trained on what is left: one that was trained on them would
rank them high by itself, and no adapter could help. The gain of a user is the share of titles that rank below the
held-out ones, with the adapter less without.

One user's few titles say little, so users with about as many titles are looked at together: their adapters are used
where the mean gain is above 0 by 1.64 standard errors (one-sided 5 %), but for users whose own gain is below 0 by two
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mgw.core.progress import SILENT
from mgw.recommend.als import ALS
from mgw.recommend.confidence import user_weights
from mgw.recommend.foldin import FoldIn
from mgw.recommend.lora.kernels import gain_rows
from mgw.recommend.lora.lengths import length_groups
from mgw.recommend.lora.shared import covariance, n_held_out
from mgw.recommend.lora.towers import Towers
from mgw.recommend.lora.user import fit_users
from mgw.recommend.threads import numba_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings, LoraSettings
    from mgw.recommend.lora.recency import Recency

_COMPARED, _FOR, _AGAINST = 400, 1.64, 2.0


@dataclass(frozen=True, slots=True)
class Support:
    """What held-out titles say of the adapters of some users.

    Attributes:
        events: how many titles each user has, `(n,)`.
        gain: what the adapter does for the user's held-out titles, -1 to 1, `(n,)`.
        error: its standard error, `(n,)`.
    """

    events: NDArray[np.int64]
    gain: NDArray[np.float64]
    error: NDArray[np.float64]

    @property
    def supported(self) -> NDArray[np.bool_]:
        """Whose adapters are used, `(n,)`."""
        supported = self.gain >= -_AGAINST * self.error
        group = length_groups(self.events)
        for each in np.unique(group):
            gains = self.gain[group == each]
            if gains.mean() <= _FOR * gains.std() / np.sqrt(len(gains)):
                supported[group == each] = False
        return supported


def measure_support(
    matrix: csr_array[np.float32],
    recency: Recency,
    users: NDArray[np.int64],
    als: AlsSettings,
    settings: LoraSettings,
    *,
    content: FoldIn | None = None,
    threads: int = 0,
    progress: Progress = SILENT,
) -> Support:
    """Train on what is left of everybody's titles without the latest, and look at these.

    Args:
        matrix: strengths, `(n_users, n_items)`.
        recency: the same, the latest first.
        users: whose adapters are measured, `(n,)`; each has `lora.minimum_events` titles.
        als: the parameters of the model in use.
        settings: of the adapters.
        content: the embeddings of the titles; None measures adapters on the factors alone.
        threads: how many; 0 means one for each CPU.
        progress: where to report.

    Raises:
        ParametersInvalid, NoEvents: there is no shared tier to be had.
    """
    counts = recency.counts[users]
    skipped = np.array([n_held_out(int(count)) for count in counts], dtype=np.int64)
    model = ALS.fit(_without_latest(matrix, recency, users, skipped), als, threads=threads, progress=progress)
    fold_in = FoldIn(model.item_factors, model.settings)
    spaces = (fold_in,) if content is None else (fold_in, content)
    towers = Towers.fit(spaces, recency.without_latest(users, skipped), settings)
    weights = fit_users(towers, recency, users, settings, skipped=skipped, threads=threads)
    factors = np.ascontiguousarray(fold_in.item_factors)
    listed = np.flatnonzero(factors.any(axis=1))
    compared = np.random.default_rng(settings.seed).choice(listed, min(_COMPARED, len(listed)), replace=False)
    known, parameters = counts - skipped, model.settings
    seen = known + parameters.unobserved_weight * len(factors)
    ridge = np.asarray(parameters.regularization * seen**parameters.regularization_exponent, dtype=np.float64)
    spread = covariance(factors[listed])
    gain, error = np.zeros(len(users)), np.zeros(len(users))
    with numba_threads(threads):
        gain_rows(
            recency.indptr, recency.items, recency.strength, users, skipped, user_weights(known, parameters), ridge,
            factors, fold_in.gram, spread, towers.projected, weights.astype(np.float64), compared.astype(np.int64),
            settings.strength * settings.alpha / settings.rank, gain, error,
        )  # fmt: skip
    return Support(counts, gain, error)


def _without_latest(
    matrix: csr_array[np.float32], recency: Recency, users: NDArray[np.int64], skipped: NDArray[np.int64]
) -> csr_array[np.float32]:
    rows = np.repeat(users, skipped)
    starts = np.repeat(recency.indptr[users], skipped)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(skipped) - skipped, skipped)
    dropped = rows * matrix.shape[1] + recency.items[starts + within]
    pairs = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)) * matrix.shape[1] + matrix.indices
    kept = ~np.isin(pairs, dropped)
    indptr = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return csr_array((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)
