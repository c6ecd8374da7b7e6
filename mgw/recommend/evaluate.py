"""Evaluation: several models, one split, the same users, and how sure we are of each figure.

Every model ranks the whole catalogue for every user of the split's audience. A figure is the mean over these users
with a 95 % percentile bootstrap interval (Efron & Tibshirani 1993, section 13.3), for which users are drawn, not
pairs: pairs of one user are not independent. All models are resampled with the same draws, so the difference between
two of them is paired: what is hard about a user is hard for both and cancels.

Intervals speak of other users like these, with this training run and this split: they do not hold the variation
between training runs, nor that of another day's split.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import numpy as np

from mgw.core.errors import NothingToEvaluate, ParametersInvalid
from mgw.core.progress import SILENT
from mgw.recommend import metrics
from mgw.recommend.interactions import strength_matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress, Stage
    from mgw.core.settings.schema import EvaluateSettings
    from mgw.recommend.baselines import Scorer
    from mgw.recommend.split import Audience, Split

    AnyScorer = TypeVar("AnyScorer", bound=Scorer)

CONFIDENCE = 0.95
_BATCH_CELLS = 2**21
"""Scores, or draws of the bootstrap, held at once: memory is bounded however many users and titles there are."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval; no bounds where none can be given, which is not the same as a narrow interval."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """How one model did.

    Attributes:
        per_user: metric (`ndcg@10`, …) → its value for each user of the audience, `(n,)`.
        metrics: metric → mean over the audience; also `coverage@k` and `gini@k`, which belong to all lists together.
        differences: metric → this model minus the baseline, paired; none for the baseline.
        lists: what each user of the audience was recommended, best first, -1 behind the last, `(n, k)`.
    """

    per_user: Mapping[str, NDArray[np.float64]]
    metrics: Mapping[str, Estimate]
    differences: Mapping[str, Estimate] | None
    lists: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Models side by side.

    Attributes:
        split: name of the split.
        description: the sentence that states it.
        audience: the users asked, and how many were left out and why.
        baseline: name of the model that the others are compared with.
        bootstrap_samples: resamples behind each interval.
        seed: their seed.
        models: name → how that model did, in the order given.
    """

    split: str
    description: str
    audience: Audience
    baseline: str
    bootstrap_samples: int
    seed: int
    models: Mapping[str, ModelEvaluation]

    def to_json(self) -> dict[str, Any]:
        """Sum up as plain dicts, strings and numbers; the figures of single users stay behind."""
        return {
            "split": {"name": self.split, "description": self.description},
            "users": {"evaluated": len(self.audience.users), "left_out": dict(self.audience.left_out)},
            "bootstrap": {"samples": self.bootstrap_samples, "confidence": CONFIDENCE, "seed": self.seed},
            "baseline": self.baseline,
            "models": {
                name: {
                    "metrics": msgspec.to_builtins(model.metrics),
                    "differences": msgspec.to_builtins(model.differences),
                }
                for name, model in self.models.items()
            },
        }


@dataclass(frozen=True, slots=True)
class _Titles:
    """What is known of each title: its `self_information` and its watchers as `unit_columns`."""

    surprise: NDArray[np.float64]
    watchers: csr_array[np.float64]


def evaluate(
    models: Mapping[str, Scorer],
    split: Split,
    settings: EvaluateSettings,
    progress: Progress = SILENT,
    *,
    baseline: str | None = None,
) -> Evaluation:
    """Compare models, which were fitted on `split.train`, on what the split held out.

    Args:
        models: name → model, at least one.
        split: what to learn from and what to find.
        settings: lengths of the lists, resamples and their seed.
        progress: told of each user ranked.
        baseline: the model that the others are compared with; none means the first.

    Raises:
        ValueError: there are no models, or none is called `baseline`.
        NothingToEvaluate: the split has nobody with both a history and a held-out pair.
        ParametersInvalid: a model's scores are not numbers.
    """
    if baseline is None:
        baseline = next(iter(models), "")
    if baseline not in models:
        raise ValueError(f"no model to compare with: {baseline!r} is not among {list(models)}")
    audience = split.audience()
    if not len(audience.users):
        raise NothingToEvaluate("the split leaves no user to evaluate", hint="import more events, or split otherwise")
    relevant, seen = split.test[audience.users], split.seen()[audience.users]
    strengths = strength_matrix(split.train)
    titles = _Titles(metrics.self_information(strengths), metrics.unit_columns(strengths))
    k = max(settings.top_k, settings.recall_k)
    per_user, overall, listed = {}, {}, {}
    for name, model in models.items():
        with progress.stage(f"Evaluating {name}", total=len(audience.users)) as stage:
            lists = _rank(name, informed(model, split), audience.users, seen, split.candidates, k=k, stage=stage)
        listed[name] = lists
        per_user[name] = _measure(lists, relevant, titles, settings)
        shown = lists[:, : settings.top_k]
        overall[name] = {
            f"coverage@{settings.top_k}": metrics.coverage(shown, seen.shape[1]),
            f"gini@{settings.top_k}": metrics.gini(shown, seen.shape[1]),
        }
    return Evaluation(
        split=split.name,
        description=split.description,
        audience=audience,
        baseline=baseline,
        bootstrap_samples=settings.bootstrap_samples,
        seed=settings.seed,
        models=_compare(per_user, overall, listed, baseline, settings),
    )


def informed(model: AnyScorer, split: Split) -> AnyScorer:
    """Return a model, which was fitted on `split.train`, that knows of the users what the split lets it know."""
    return model.given(strength_matrix(split.history)) if split.has_new_users else model


def estimated(values: NDArray[np.float64], samples: int, seed: int) -> Estimate:
    """Return the mean of some users' figures, `(n,)`, at least one, and its interval."""
    return _estimate(float(values.mean()), resampled_means(values[:, None], samples, seed)[:, 0], len(values))


def resampled_means(values: NDArray[np.float64], samples: int, seed: int) -> NDArray[np.float64]:
    """Draw as many users as there are, with replacement, and average; again and again.

    Args:
        values: figures of each user, one column for each kind, `(n, m)`.
        samples: how many times.
        seed: seed of the draws, which all columns share.

    Returns:
        Means, `(samples, m)`.
    """
    n = len(values)
    rng = np.random.default_rng(seed)
    means = np.empty((samples, values.shape[1]))
    batch = max(1, _BATCH_CELLS // n)
    for start in range(0, samples, batch):
        size = min(batch, samples - start)
        # How often each user is drawn is multinomial. Counting n uniform draws gives just that, and takes an eighth of
        # the time of a generator of multinomial numbers.
        drawn = rng.integers(n, size=(size, n)) + np.arange(size)[:, None] * n
        weights = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means[start : start + size] = weights @ values / n
    return means


def _rank(
    name: str,
    model: Scorer,
    users: NDArray[np.int64],
    seen: csr_array[np.bool_],
    candidates: NDArray[np.int64] | None,
    *,
    k: int,
    stage: Stage,
) -> NDArray[np.int32]:
    """List the `k` best candidates that each of `users`, the rows of `seen`, has not seen, `(len(users), k)`."""
    ranked = seen if candidates is None else seen[:, candidates]
    lists = np.empty((len(users), k), dtype=np.int32)
    batch = max(1, _BATCH_CELLS // seen.shape[1])
    for start in range(0, len(users), batch):
        rows = slice(start, start + batch)
        scores = model.scores(users[rows])  # (batch, n_items)
        if np.isnan(scores).any():
            message = f"the model {name!r} gives scores that are not numbers"
            raise ParametersInvalid(message, hint="train it again with more regularization")
        if candidates is None:
            lists[rows] = metrics.top_columns(scores, seen[rows], k)
        else:
            places = metrics.top_columns(scores[:, candidates], ranked[rows], k)
            lists[rows] = np.where(places < 0, -1, candidates[places])
        stage.advance(len(scores))
    return lists


def _measure(
    lists: NDArray[np.int32],
    relevant: csr_array[np.float32],
    titles: _Titles,
    settings: EvaluateSettings,
) -> dict[str, NDArray[np.float64]]:
    hits = metrics.find_hits(lists, relevant)
    n_relevant = np.diff(relevant.indptr).astype(np.int64)
    k, recall_k = settings.top_k, settings.recall_k
    return {
        f"ndcg@{k}": metrics.ndcg(hits[:, :k], n_relevant),
        f"recall@{recall_k}": metrics.recall(hits[:, :recall_k], n_relevant),
        f"precision@{k}": metrics.precision(hits[:, :k]),
        f"map@{k}": metrics.average_precision(hits[:, :k], n_relevant),
        f"mrr@{k}": metrics.reciprocal_rank(hits[:, :k]),
        f"hit_rate@{k}": metrics.hit_rate(hits[:, :k]),
        f"novelty@{k}": metrics.novelty(lists[:, :k], titles.surprise),
        f"diversity@{k}": metrics.diversity(lists[:, :k], titles.watchers),
    }


def _compare(
    per_user: Mapping[str, Mapping[str, NDArray[np.float64]]],
    overall: Mapping[str, Mapping[str, float]],
    listed: Mapping[str, NDArray[np.int32]],
    baseline: str,
    settings: EvaluateSettings,
) -> dict[str, ModelEvaluation]:
    """Average each model's figures, and its lead over the baseline, with intervals from one set of resamples."""
    columns = [(name, metric) for name, measured in per_user.items() for metric in measured]
    table = np.column_stack([per_user[name][metric] for name, metric in columns])  # (n, models · metrics)
    drawn = dict(zip(columns, resampled_means(table, settings.bootstrap_samples, settings.seed).T, strict=True))
    mean = dict(zip(columns, table.mean(axis=0).tolist(), strict=True))

    # Users drawn twice bring no new title, so resampled coverage is too low by construction: what belongs to all lists
    # together gets no interval.
    results = {}
    for name, measured in per_user.items():
        own = {metric: _estimate(mean[name, metric], drawn[name, metric], len(table)) for metric in measured}
        lead = {
            metric: _estimate(
                mean[name, metric] - mean[baseline, metric],
                drawn[name, metric] - drawn[baseline, metric],
                len(table),
            )
            for metric in measured
        }
        own |= {metric: Estimate(value) for metric, value in overall[name].items()}
        lead |= {metric: Estimate(value - overall[baseline][metric]) for metric, value in overall[name].items()}
        results[name] = ModelEvaluation(measured, own, None if name == baseline else lead, listed[name])
    return results


def _estimate(value: float, drawn: NDArray[np.float64], n_users: int) -> Estimate:
    if n_users < 2:
        return Estimate(value)  # one user resampled is the same user: an interval without width would be a lie
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high))
