"""How good the recommendations are: ALS, EASE, RP3β and blends on the published MovieLens1M_m2 split.

Everything is tuned on the validation pairs: ALS by `mgw.recommend.tuning`, and of its twelve trials with the highest
NDCG the one with the highest sum of NDCG and recall; the others and the weights of the blend by trying the values
below. A run looks at the test pairs once, by what was chosen, with the train pairs hidden. Nothing is trained on the
validation pairs.

    python benchmarks/quality.py [--trials 80] [--factors 512]

Needs MovieLens1M_m2 (MOVIELENS_DATA) and `pip install --group benchmarks`.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from datasets import movielens1m_m2
from machine import add_row, print_machine
from msgspec.structs import replace

from mgw.core.settings import AlsSettings
from mgw.recommend import metrics
from mgw.recommend.als import ALS
from mgw.recommend.baselines import EASE, ItemKNN, Popularity, RP3Beta
from mgw.recommend.tuning import Pairs, tune_als

if TYPE_CHECKING:
    from scipy.sparse import csr_array

K, SEED = 20, 0
LEADERS = 12
LENGTHS = (64, 128, 256, 1024)
PUBLISHED = {"UltraGCN": (0.2787, 0.2642), "MF-BPR": (0.2532, 0.2440), "GCN": (0.2365, 0.2259)}
Scores = np.ndarray


def main() -> int:
    """Tune, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=80)
    parser.add_argument("--factors", type=int, nargs="+", default=[512])
    options = parser.parse_args()
    parts = [movielens1m_m2(part) for part in ("train", "validation", "test")]
    if any(part is None for part in parts):
        return 0
    train, validation, test = parts
    print_machine(("mgw", "numpy", "numba", "scipy", "optuna"), f"seed {SEED}")
    tried: list[tuple[float, AlsSettings]] = []
    with tempfile.TemporaryDirectory() as folder:
        tuned = tune_als(
            Pairs(train, validation, train), AlsSettings(epochs=12, factors=options.factors[0], seed=SEED),
            trials=options.trials, factors=tuple(options.factors), top_k=K, journal=Path(folder) / "journal",
            on_trial=lambda _, ndcg, settings: tried.append((ndcg, settings)),
        )  # fmt: skip
    settings = _best_of_the_best(train, validation, tried)
    print(f"ALS after {tuned.trials} trials, {tuned.given_up} given up early: {settings}")
    everybody = np.arange(train.shape[0])
    scores: dict[str, Scores] = {
        "popularity": Popularity.fit(train).scores(everybody),
        "item-kNN": _best(validation, train, (ItemKNN.fit(train, shrinkage=s) for s in (0.0, 10.0, 100.0))),
        "RP3β": _best(
            validation, train,
            (RP3Beta.fit(train, alpha=a, beta=b) for a in (0.5, 1.0, 1.5) for b in (0.0, 0.2, 0.4)),
        ),
        "EASE": _best(validation, train, (EASE.fit(train, regularization=r) for r in (200.0, 300.0, 400.0, 600.0))),
        "EASE, refined": _best(
            validation, train,
            (
                EASE.fit(train, regularization=r, dropout=p, activity_exponent=b)
                for r in (300.0, 400.0, 500.0, 600.0) for p in (0.0, 0.25) for b in (0.25, 0.5)
            ),
        ),
        "ALS": ALS.fit(train, settings).scores(everybody),
    }  # fmt: skip
    standard = {name: _standard(each) for name, each in scores.items()}
    standard["popularity"] = _standard(np.log1p(scores["popularity"]))
    lengths = [_standard(ALS.fit(train, replace(settings, factors=n)).scores(everybody)) for n in LENGTHS]
    standard["ALS × 5"] = scores["ALS × 5"] = np.mean([standard["ALS"], *lengths], axis=0)
    for name in ("ALS", "ALS × 5"):
        scores[f"{name} + EASE"] = _blend(validation, train, standard, (name, "EASE, refined", "popularity"))
    print(f"\n{'':24} validation            test\n{'':24} Recall@20 NDCG@20    Recall@20 NDCG@20")
    for name, each in scores.items():
        figures = (*_measure(each, validation, train), *_measure(each, test, train))
        print(f"{name:24} {figures[0]:9.4f} {figures[1]:7.4f} {figures[2]:12.4f} {figures[3]:7.4f}")
        for metric, ours, theirs in zip(("Recall@20", "NDCG@20"), figures[2:], PUBLISHED["UltraGCN"], strict=True):
            beside = {"peer": "UltraGCN, published", "theirs": theirs} if name.startswith("ALS") else {}
            add_row(f"{name}: test {metric}", ours, more_is_better=True, **beside)
    for name, (recall, ndcg) in PUBLISHED.items():
        print(f"{name + ' (published)':24} {'':17} {recall:12.4f} {ndcg:7.4f}")
    return 0


def _best_of_the_best(train: csr_array, validation: csr_array, tried: list[tuple[float, AlsSettings]]) -> AlsSettings:
    """Of the trials with the highest NDCG take the one with the highest sum of both metrics."""

    def quality(settings: AlsSettings) -> float:
        return sum(_measure(ALS.fit(train, settings).scores(np.arange(train.shape[0])), validation, train))

    leaders = sorted(tried, key=lambda trial: -trial[0])[:LEADERS]
    return max((settings for _, settings in leaders), key=quality)


def _best(validation: csr_array, train: csr_array, models: object) -> Scores:
    users = np.arange(train.shape[0])
    return max((model.scores(users) for model in models), key=lambda each: _measure(each, validation, train)[1])


def _standard(scores: Scores) -> Scores:
    """Shift and scale each user's scores to mean 0 and deviation 1."""
    return (scores - scores.mean(axis=1, keepdims=True)) / np.maximum(scores.std(axis=1, keepdims=True), 1e-9)


def _blend(validation: csr_array, train: csr_array, standard: dict[str, Scores], names: tuple[str, ...]) -> Scores:
    best, chosen, weights = -1.0, standard[names[0]], (1.0, 0.0, 0.0)
    for second, third in itertools.product(np.arange(0, 0.65, 0.05), (-0.1, -0.05, 0.0)):
        tried = (1 - second, second, third)
        blended = sum(weight * standard[name] for weight, name in zip(tried, names, strict=True))
        found = sum(_measure(blended, validation, train))
        if found > best:
            best, chosen, weights = found, blended, tried
    print("blend: " + ", ".join(f"{weight:.2f} {name}" for weight, name in zip(weights, names, strict=True)))
    return chosen


def _measure(scores: Scores, wanted: csr_array, hidden: csr_array) -> tuple[float, float]:
    users = np.flatnonzero(np.diff(wanted.indptr))
    recall, ndcg = [], []
    for start in range(0, len(users), 512):
        part = users[start : start + 512]
        hits = metrics.find_hits(metrics.top_columns(scores[part].astype(np.float32), hidden[part], K), wanted[part])
        n = np.diff(wanted[part].indptr).astype(np.int64)
        recall.append(metrics.recall(hits, n))
        ndcg.append(metrics.ndcg(hits, n))
    return float(np.concatenate(recall).mean()), float(np.concatenate(ndcg).mean())


if __name__ == "__main__":
    sys.exit(main())
