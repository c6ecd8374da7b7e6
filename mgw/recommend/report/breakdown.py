"""Where the quality is: by how much is known of a user, by how popular what they went on to like is, by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mgw.recommend import metrics
from mgw.recommend.als import ALS
from mgw.recommend.evaluate import estimated, informed
from mgw.recommend.interactions import strength_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mgw.core.progress import Progress
    from mgw.core.settings import Settings
    from mgw.recommend.evaluate import Estimate, Evaluation
    from mgw.recommend.split import Split

_BANDS = 4
_FEWEST = 10
"""Users below which a mean says nothing."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A metric in several groups, for each model.

    Attributes:
        title: what it shows.
        axis: what the groups are.
        metric: the name of the metric.
        groups: a label for each.
        models: name → an estimate for each group, none where too few users are in it.
    """

    title: str
    axis: str
    metric: str
    groups: tuple[str, ...]
    models: Mapping[str, tuple[Estimate | None, ...]]


def by_history(evaluation: Evaluation, split: Split) -> Breakdown:
    """Break NDCG down by how many titles with positive evidence a user is known by, in four equal groups."""
    lengths = np.diff(strength_matrix(split.history).indptr)[evaluation.audience.users]
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, _BANDS + 1)).astype(np.int64))
    group = np.clip(np.searchsorted(edges, lengths, side="right") - 1, 0, max(len(edges) - 2, 0))
    labels = tuple(
        f"{low}-{high - (1 if at < len(edges) - 2 else 0)}" for at, (low, high) in enumerate(pairwise(edges))
    ) or (str(edges[0]),)
    metric = next(name for name in next(iter(evaluation.models.values())).per_user if name.startswith("ndcg@"))
    models = {
        name: tuple(
            _estimate(found.per_user[metric][group == at], evaluation.bootstrap_samples, evaluation.seed)
            for at in range(len(labels))
        )
        for name, found in evaluation.models.items()
    }
    return Breakdown("By what is known of the user", "titles that the user is known by", metric, labels, models)


def by_popularity(evaluation: Evaluation, split: Split) -> Breakdown:
    """Break recall down by the popularity of the held-out titles, in four bands of equally many held-out pairs."""
    wanted = split.test[evaluation.audience.users]
    viewers = np.bincount(strength_matrix(split.train).indices, minlength=wanted.shape[1])
    edges = np.quantile(viewers[wanted.indices], np.linspace(0, 1, _BANDS + 1)[1:-1])
    band = np.searchsorted(edges, viewers, side="left")
    labels = ("least popular", *[""] * (_BANDS - 2), "most popular")
    models: dict[str, tuple[Estimate | None, ...]] = {}
    for name, found in evaluation.models.items():
        estimates = []
        for at in range(_BANDS):
            part = csr_array(wanted.multiply(band == at))
            part.eliminate_zeros()
            users = np.flatnonzero(np.diff(part.indptr))
            hits = metrics.find_hits(found.lists[users], part[users])
            recall = metrics.recall(hits, np.diff(part[users].indptr).astype(np.int64))
            estimates.append(_estimate(recall, evaluation.bootstrap_samples, evaluation.seed))
        models[name] = tuple(estimates)
    k = next(iter(evaluation.models.values())).lists.shape[1]
    axis = "held-out titles by their viewers in the training, a quarter of the pairs each"
    return Breakdown("By how popular the title is", axis, f"recall@{k}", labels, models)


def by_epoch(split: Split, settings: Settings, progress: Progress) -> Breakdown:
    """Train ALS once more and measure NDCG after each epoch."""
    users, k = split.audience().users, settings.evaluate.top_k
    seen, wanted = split.seen()[users], split.test[users]
    n_wanted = np.diff(wanted.indptr).astype(np.int64)
    found: list[Estimate | None] = []

    def measure(_: int, model: ALS) -> None:
        lists, _scores = informed(model, split).recommend(users, k, exclude=seen, threads=settings.threads)
        values = metrics.ndcg(metrics.find_hits(lists, wanted), n_wanted)
        found.append(_estimate(values, settings.evaluate.bootstrap_samples, settings.evaluate.seed))

    matrix = strength_matrix(split.train)
    ALS.fit(matrix, settings.als, threads=settings.threads, progress=progress, on_epoch=measure)
    labels = tuple(str(epoch) for epoch in range(1, len(found) + 1))
    return Breakdown("ALS by epoch", "epoch", f"ndcg@{k}", labels, {"ALS": tuple(found)})


def _estimate(values: NDArray[np.float64], samples: int, seed: int) -> Estimate | None:
    return None if len(values) < _FEWEST else estimated(values, samples, seed)
