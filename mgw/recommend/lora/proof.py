"""Whether adapters help: the blend with a user's adapter, beside everything that could do the same with less.

All rank the same titles for the same users, and are compared user by user. The adapters are fitted to what the split
tells of each user, and judged by what it holds out.

    no adapter            the blend of all sources
    adapter               the blend and the user's adapter, where held-out titles speak for it
    unchecked adapter     the same for everybody
    shared tier alone     everybody's mean B in place of the user's
    another user's        the B of the next user
    fold-in ALS           ALS alone on the same events
    ridge, in full        the same fit with A = I: d + e numbers a user in place of 2r
    logistic (GLMix)      per-user logistic regression on all factors, shrunk to the blend (Zhang et al. 2016), with
                          sampled negatives and the same weights for the latest titles
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import replace
from scipy.special import expit
from threadpoolctl import threadpool_limits

from mgw.core.errors import NothingToEvaluate
from mgw.core.progress import SILENT
from mgw.recommend import metrics
from mgw.recommend.blend import source_weights
from mgw.recommend.evaluate import CONFIDENCE, Estimate, resampled_means
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.lora.lengths import GROUPS, length_groups
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.shared import covariance
from mgw.recommend.lora.support import measure_support
from mgw.recommend.lora.towers import Towers, limit_rank
from mgw.recommend.lora.user import fit_users

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from mgw.core.progress import Progress
    from mgw.core.settings import Settings
    from mgw.recommend.foldin import FoldIn
    from mgw.recommend.offline import Scored
    from mgw.recommend.split import Split

ADAPTER, NONE = "adapter", "no adapter"
_NEGATIVES, _SHRINKAGE, _STEPS = 10, 100.0, 8
_POOLED = 20


@dataclass(frozen=True, slots=True)
class Group:
    """Users with about as many titles.

    Attributes:
        name: how many, as "20-49".
        users: how many users.
        values: model → metric → its mean over the users.
        gains: model → metric → the adapter minus that model, paired by user.
    """

    name: str
    users: int
    values: Mapping[str, Mapping[str, Estimate]]
    gains: Mapping[str, Mapping[str, Estimate]]


class Tiers(NamedTuple):
    """The adapters that are measured: of which users, B of each, and whether held-out titles speak for it."""

    users: NDArray[np.int64]
    weights: NDArray[np.float32]
    supported: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was measured.

    Attributes:
        description: how the events were split.
        rank: r: lora.rank, or less where the model's vectors are shorter.
        groups: by history length, then all with at least 20 titles, and all users last.
        supported: share of the users whose adapter is used, because held-out titles speak for it.
        metrics: the names of the figures.
    """

    description: str
    rank: int
    groups: Sequence[Group]
    supported: float
    metrics: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """Return all figures."""
        return {
            "split": self.description,
            "rank": self.rank,
            "supported": self.supported,
            "groups": [msgspec.to_builtins(group) for group in self.groups],
        }


def prove(scored: Scored, split: Split, settings: Settings, progress: Progress = SILENT) -> Proof:
    """Measure adapters on a split that all sources were asked about.

    Raises:
        NothingToEvaluate: nobody has enough titles with times.
        NoEvents: there is no shared tier to be had.
    """
    recency = Recency.of(split.history)
    counts = recency.counts[scored.users]
    rows = np.flatnonzero(counts >= settings.lora.minimum_events)
    if not len(rows):
        raise NothingToEvaluate(
            f"nobody has {settings.lora.minimum_events} liked titles whose times are known",
            hint="adapters are for the latest titles: import events with times",
        )
    users = scored.users[rows]
    spaces = (scored.pipeline.collaborative.fold_in, scored.pipeline.content)
    settings = replace(settings, lora=limit_rank(settings.lora, spaces))
    towers = Towers.fit(spaces, Recency.of(split.train), settings.lora)
    matrix = strength_matrix(split.train)
    support = measure_support(
        matrix, Recency.of(split.train), users, settings.als, settings.lora,
        content=spaces[1], threads=settings.threads, progress=progress,
    )  # fmt: skip
    tiers = Tiers(users, fit_users(towers, recency, users, settings.lora, threads=settings.threads), support.supported)
    models = _models(scored, rows, towers, tiers, recency=recency, settings=settings)
    blend = scored.blended(source_weights(settings.blend))
    names = (f"ndcg@{settings.evaluate.top_k}", "auc")
    found = {name: np.empty((len(rows), 2)) for name in models}
    relevant, seen = split.test[users], split.seen()[users]
    with (
        threadpool_limits(1, user_api="blas"),  # many small systems: two threads at one only wait for each other
        progress.stage("Ranking with and without adapters", total=len(rows)) as stage,
    ):
        for place in range(len(rows)):
            base = blend.scores(users[[place]])[0].astype(np.float64)
            for name, scores in models.items():
                ranked = scores(place, base)
                found[name][place] = _measure(ranked, relevant[[place]], seen[[place]], settings.evaluate.top_k)
            stage.advance()
    likes = counts[rows]
    groups = [*_groups(likes), (f"{_POOLED} and more", likes >= _POOLED), ("all", likes >= 0)]
    return Proof(
        split.description,
        settings.lora.rank,
        [_group(name, {model: values[within] for model, values in found.items()}, names, settings)
         for name, within in groups if within.any()],
        float(tiers.supported.mean()),
        names,
    )  # fmt: skip


def _models(
    scored: Scored,
    rows: NDArray[np.int64],
    towers: Towers,
    tiers: Tiers,
    *,
    recency: Recency,
    settings: Settings,
) -> dict[str, Callable[[int, NDArray[np.float64]], NDArray[np.float64]]]:
    """Return what scores all titles for the user of a place among `rows`, given the blend's scores, by name."""
    fold_in, strength = scored.pipeline.collaborative.fold_in, settings.lora.strength
    spaces = (fold_in, scored.pipeline.content)
    lengths = [space.item_factors.shape[1] for space in spaces]
    everything = Towers.of([np.eye(length, dtype=np.float32) for length in lengths], spaces, settings.lora)
    ridge = fit_users(everything, recency, tiers.users, settings.lora, threads=settings.threads)
    mean = tiers.weights.mean(axis=0)
    listed = fold_in.item_factors.any(axis=1)
    spread = (
        float(np.sqrt(mean @ covariance(towers.projected[listed]) @ mean)) * settings.lora.alpha / settings.lora.rank
    )
    mean = mean / spread if spread > 0 else mean
    scale = settings.lora.alpha / settings.lora.rank

    def adapted(base: NDArray[np.float64], weights: NDArray[np.float32], amount: float = 1.0) -> NDArray[np.float64]:
        return np.asarray(base + amount * strength * scale * (towers.projected @ weights))

    def logistic(place: int, base: NDArray[np.float64]) -> NDArray[np.float64]:
        items, strengths = recency.of_user(int(tiers.users[place]))
        return base + _glmix(fold_in, items, strengths, base, settings=settings, seed=place)

    def ridged(place: int, base: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(base + strength * scale * (everything.projected @ ridge[place]))

    return {
        NONE: lambda _place, base: base,
        ADAPTER: lambda place, base: adapted(base, tiers.weights[place], float(tiers.supported[place])),
        "unchecked adapter": lambda place, base: adapted(base, tiers.weights[place]),
        "shared tier alone": lambda _place, base: adapted(base, mean),
        "another user's": lambda place, base: adapted(base, tiers.weights[(place + 1) % len(tiers.weights)]),
        "fold-in ALS": lambda place, _base: scored.als[rows[place]].astype(np.float64),
        "ridge, in full": ridged,
        "logistic (GLMix)": logistic,
    }


def _glmix(
    fold_in: FoldIn,
    items: NDArray[np.int32],
    strengths: NDArray[np.float32],
    base: NDArray[np.float64],
    *,
    settings: Settings,
    seed: int,
) -> NDArray[np.float64]:
    """Return what per-user logistic regression on the factors adds to the base score of every title."""
    rng = np.random.default_rng([settings.lora.seed, seed])
    positive = strengths * 0.5 ** (np.arange(len(items)) / settings.lora.half_life)
    negatives = rng.integers(len(base), size=_NEGATIVES * len(items))
    chosen = np.concatenate([items, negatives])
    label = np.repeat([1.0, 0.0], [len(items), len(negatives)])
    weight = np.concatenate([positive, np.full(len(negatives), positive.sum() / len(negatives))])
    listed = fold_in.item_factors.any(axis=1)
    features = fold_in.item_factors / max(float(fold_in.item_factors[listed].std()), 1e-12)
    x = np.column_stack([features[chosen], np.ones(len(chosen))]).astype(np.float64)
    theta = np.zeros(x.shape[1])
    shrinkage = np.append(np.full(x.shape[1] - 1, _SHRINKAGE), 1e-3)  # the constant is free
    for _ in range(_STEPS):
        p = expit(x @ theta + base[chosen])
        gradient = x.T @ (weight * (label - p)) - shrinkage * theta
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + np.diag(shrinkage)
        theta += np.linalg.solve(hessian, gradient)
    return np.asarray(features @ theta[:-1], dtype=np.float64)


def _measure(scores: NDArray[np.float64], relevant: Any, seen: Any, top_k: int) -> tuple[float, float]:  # noqa: ANN401 - rows of sparse matrices
    """Return NDCG and AUC of one user's ranking of the titles that are not seen."""
    lists = metrics.top_columns(scores[None].astype(np.float32), seen, top_k)
    hits = metrics.find_hits(lists, relevant)
    ndcg = float(metrics.ndcg(hits, np.array([relevant.nnz]))[0])
    others = np.ones(len(scores), dtype=np.bool_)
    others[seen.indices] = False
    others[relevant.indices] = False
    ranked = np.sort(scores[others])
    wanted = scores[relevant.indices]
    below, up_to = np.searchsorted(ranked, wanted, "left"), np.searchsorted(ranked, wanted, "right")
    return ndcg, float(np.mean(below + up_to) / 2 / max(len(ranked), 1))


def _groups(counts: NDArray[np.int64]) -> list[tuple[str, NDArray[np.bool_]]]:
    group = length_groups(counts)
    return [(name, group == place) for place, name in enumerate(GROUPS)]


def _group(name: str, values: dict[str, NDArray[np.float64]], names: Sequence[str], settings: Settings) -> Group:
    samples, seed = settings.evaluate.bootstrap_samples, settings.evaluate.seed

    def estimates(of_users: NDArray[np.float64]) -> dict[str, Estimate]:
        drawn = resampled_means(of_users, samples, seed)
        edges = [50 * (1 - CONFIDENCE), 50 * (1 + CONFIDENCE)]
        low, high = np.percentile(drawn, edges, axis=0)
        means = of_users.mean(axis=0)
        return {metric: Estimate(float(means[k]), float(low[k]), float(high[k])) for k, metric in enumerate(names)}

    return Group(
        name,
        len(values[NONE]),
        {model: estimates(found) for model, found in values.items()},
        {model: estimates(values[ADAPTER] - found) for model, found in values.items() if model != ADAPTER},
    )
