"""Weights of the sources, by random search around the best so far, on pairs that no test asks for.

NDCG is no smooth function of weights, and four of them are few: each trial draws around the best weights, ever nearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.progress import SILENT
from mgw.recommend import metrics
from mgw.recommend.blend import Source

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mgw.core.progress import Progress
    from mgw.recommend.offline import Scored
    from mgw.recommend.split import Split

MOST_USERS = 5_000
"""More would only take longer: the differences that matter are seen by these."""
_WIDEST, _NARROWEST = 0.3, 0.02


@dataclass(frozen=True, slots=True)
class TunedBlend:
    """What a search found.

    Attributes:
        weights: by source, with sum 1.
        ndcg: with these.
        alone: of each source without the others.
    """

    weights: Mapping[str, float]
    ndcg: float
    alone: Mapping[str, float]


def tune_blend(
    scored: Scored, split: Split, *, trials: int, top_k: int, seed: int, progress: Progress = SILENT
) -> TunedBlend:
    """Try weights, after each source alone and all alike.

    Args:
        scored: what the sources say to the users of the split.
        split: whose test is for validation.
        trials: how many weightings are drawn.
        top_k: length of the lists that are measured.
        seed: of the draws.
        progress: told of each trial.
    """
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(len(scored.users))[:MOST_USERS])
    users = scored.users[rows]
    seen, relevant = split.seen()[users], split.test[users]
    n_relevant = np.diff(relevant.indptr).astype(np.int64)

    def measure(weights: NDArray[np.float64]) -> float:
        scores = scored.blended(weights).scores(users)
        hits = metrics.find_hits(metrics.top_columns(scores, seen, top_k), relevant)
        return float(metrics.ndcg(hits, n_relevant).mean())

    n = len(Source)
    alone = {str(source): measure(weights) for source, weights in zip(Source, np.eye(n), strict=True)}
    candidates = [*np.eye(n), np.full(n, 1 / n)]
    best = max(candidates, key=measure)
    found = measure(best)
    with progress.stage("Trying weights", total=trials) as stage:
        for trial in range(trials):
            width = _WIDEST * (_NARROWEST / _WIDEST) ** (trial / trials)
            drawn = np.maximum(best + rng.normal(0, width, n), 0)
            if drawn.sum() > 0 and (ndcg := measure(drawn / drawn.sum())) > found:
                best, found = drawn / drawn.sum(), ndcg
            stage.advance()
    return TunedBlend({str(source): float(w) for source, w in zip(Source, best, strict=True)}, found, alone)
