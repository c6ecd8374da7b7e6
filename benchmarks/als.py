"""ALS beside irspack and implicit: how long to a given validation NDCG@20, to a given loss, and for an epoch.

All train on the same matrix with the same factors, and two threads; BLAS has one. Ours and irspack's minimise the same
objective (ours is twice irspack's), so one function measures the loss of both, outside of the time. implicit has no
frequency-scaled regularization and its own weight of the unobserved; it gets the confidence and the regularization
that come nearest (see `_implicit`), and is compared by NDCG and by the epoch. The models take turns, several times.

    python benchmarks/als.py [--factors 64 128 256] [--rounds 3] [--data m2 synthetic] [--epochs 12]

Needs `pip install --group benchmarks`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "1")

import numpy as np
from datasets import movielens1m_m2, synthetic
from implicit.cpu.als import AlternatingLeastSquares
from irspack.recommenders.ials import IALSTrainer, str_to_loss_type, str_to_solver_type
from machine import add_row, print_machine
from scipy.sparse import csr_array, csr_matrix

from mgw.core.settings import AlsSettings
from mgw.recommend import metrics
from mgw.recommend.als import ALS, loss
from mgw.recommend.als.side import regularization_weights

if TYPE_CHECKING:
    from collections.abc import Callable

THREADS = 2
SEED = 0
QUALITY_USERS = 4096
# Where each set is learned well: α0, λ. The weight of all pairs together has to go with their number.
PARAMETERS = {"MovieLens1M_m2": (0.222, 0.0105), "100k × 50k × 5M": (0.01, 0.0105)}
EXPONENT = 0.97
Epoch = tuple[float, float, float]  # seconds since the start, loss, NDCG@20


@dataclass
class Measured:
    """What looking at a model costs is not its own time: the clock stands meanwhile."""

    train: csr_array
    validation: csr_array
    settings: AlsSettings

    def __post_init__(self) -> None:
        users = np.flatnonzero(np.diff(self.validation.indptr) > 0)
        self.users = np.random.default_rng(SEED).permutation(users)[:QUALITY_USERS]

    def ndcg(self, model: ALS) -> float:
        """Return NDCG@20 on the validation pairs of some users, drawn once."""
        users = self.users
        lists, _ = model.recommend(users, 20, exclude=self.train[users], threads=THREADS)
        hits = metrics.find_hits(lists, self.validation[users])
        return float(metrics.ndcg(hits, np.diff(self.validation[users].indptr).astype(np.int64)).mean())

    def watch(self) -> Callable[[np.ndarray, np.ndarray], None]:
        """Return what is to be called after each epoch; its attribute `epochs` has what it saw."""
        epochs: list[Epoch] = []
        looking = 0.0
        began = time.perf_counter()

        def see(users: np.ndarray, items: np.ndarray) -> None:
            nonlocal looking
            now = time.perf_counter()
            model = ALS(users.copy(), items.copy(), self.settings)
            epochs.append((now - began - looking, loss(model, self.train, self.settings), self.ndcg(model)))
            looking += time.perf_counter() - now

        see.epochs = epochs  # type: ignore[attr-defined]
        return see


def _ours(case: Measured, epochs: int, **changes: object) -> list[Epoch]:
    settings = AlsSettings(**{**_settings(case), "epochs": epochs, **changes})  # type: ignore[arg-type]
    see = case.watch()
    ALS.fit(
        case.train, settings, threads=THREADS, on_epoch=lambda _, model: see(model.user_factors, model.item_factors)
    )
    return see.epochs  # type: ignore[attr-defined, no-any-return]


def _settings(case: Measured) -> dict[str, object]:
    return {name: getattr(case.settings, name) for name in case.settings.__struct_fields__}


def _irspack(case: Measured, epochs: int) -> list[Epoch]:
    settings = case.settings
    matrix = csr_matrix(case.train)
    see = case.watch()
    trainer = IALSTrainer(
        matrix, n_components=settings.factors, alpha0=settings.unobserved_weight, reg=settings.regularization,
        nu=settings.regularization_exponent, init_std=0.1, solver_type=str_to_solver_type("CG"), max_cg_steps=3,
        ialspp_subspace_dimension=64, loss_type=str_to_loss_type("IALSPP"), random_seed=SEED, n_threads=THREADS,
        prediction_time_max_cg_steps=5, prediction_time_ialspp_iteration=7,
    )  # fmt: skip
    for _ in range(epochs):
        trainer.run_epoch()
        see(trainer.core_trainer.user, trainer.core_trainer.item)
    return see.epochs  # type: ignore[attr-defined, no-any-return]


def _implicit(case: Measured, epochs: int) -> list[Epoch]:
    """Train implicit: divided by α0, an observed pair weighs 1/α0 + 1 beside 1 for all others.

    Its λ is the mean of ours over users and titles, divided by α0 too.
    """
    settings = case.settings
    weights = np.concatenate([regularization_weights(m, settings) for m in (case.train, case.train.T.tocsr())])
    model = AlternatingLeastSquares(
        factors=settings.factors, regularization=float(weights.mean()) / settings.unobserved_weight,
        alpha=1 / settings.unobserved_weight + 1, iterations=epochs, num_threads=THREADS, random_state=SEED,
    )  # fmt: skip
    matrix = csr_matrix(case.train)
    see = case.watch()
    model.fit(matrix, show_progress=False, callback=lambda *_: see(model.user_factors, model.item_factors))
    return see.epochs  # type: ignore[attr-defined, no-any-return]


def _time_to(epochs: list[Epoch], reached: Callable[[Epoch], bool]) -> float:
    return next((epoch[0] for epoch in epochs if reached(epoch)), float("nan"))


def _compare(name: str, case: Measured, rounds: int, epochs: int) -> None:
    _ours(case, 1)  # compiles, or loads what is compiled
    runs: dict[str, list[list[Epoch]]] = {
        "mgw": [],
        "mgw, 2 steps": [],
        "mgw, plain": [],
        "irspack": [],
        "implicit": [],
    }
    for _ in range(rounds):
        runs["mgw"].append(_ours(case, epochs))
        runs["mgw, 2 steps"].append(_ours(case, epochs, cg_steps=2))
        runs["mgw, plain"].append(_ours(case, epochs, start="random", relaxation=1.0))
        runs["irspack"].append(_irspack(case, epochs))
        runs["implicit"].append(_implicit(case, epochs))
    peer = runs["irspack"][0]
    # The targets: what irspack has after all epochs, less a hair; implicit's own best where that is less.
    least = peer[-1][1] * 1.001
    quality = max(epoch[2] for epoch in peer) * 0.995
    lesser = min(quality, max(epoch[2] for epoch in runs["implicit"][0]) * 0.995)
    print(f"\n{name}, {case.settings.factors} factors, {rounds} rounds; loss ≤ {least:,.0f}, NDCG@20 ≥ {quality:.4f}")
    heads = ("s/epoch", "to loss", "to NDCG", f"to {lesser:.4f}", "best NDCG")
    print(f"{'':12} {' '.join(f'{head:>9}' for head in heads)}   last loss")
    table = {}
    for model, found in runs.items():
        per_epoch = statistics.median((run[-1][0] - run[0][0]) / (len(run) - 1) for run in found)
        targets = (lambda e: e[1] <= least, lambda e: e[2] >= quality, lambda e: e[2] >= lesser)
        times = [statistics.median(_time_to(run, target) for run in found) for target in targets]
        table[model] = (per_epoch, *times)
        cells = " ".join(f"{each:9.3f}" for each in table[model])
        best, last = max(epoch[2] for epoch in found[0]), found[0][-1][1]
        print(f"{model:12} {cells} {best:9.4f} {last:11,.0f}")
    for model in ("irspack", "implicit"):
        ratios = [theirs / ours for theirs, ours in zip(table[model], table["mgw"], strict=True)]
        print(f"{f'÷ {model}':12} " + " ".join(f"{ratio:9.2f}" for ratio in ratios))
        whats = ("an epoch", "to irspack's last loss", "to irspack's best NDCG@20", f"to NDCG@20 {lesser:.4f}")
        for what, ours, theirs in zip(whats, table["mgw"], table[model], strict=True):
            if model == "implicit" and "loss" in what:
                continue  # its loss is another
            if not np.isnan(ours) or not np.isnan(theirs):
                add_row(f"{name}, {case.settings.factors} factors: {what}", ours, "s", peer=model, theirs=theirs)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factors", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--data", nargs="+", choices=["m2", "synthetic"], default=["m2", "synthetic"])
    options = parser.parse_args()
    print_machine(("mgw", "numpy", "numba", "irspack", "implicit"), f"{THREADS} threads, seed {SEED}")
    sets = {}
    if "m2" in options.data and (train := movielens1m_m2("train")) is not None:
        sets["MovieLens1M_m2"] = train, movielens1m_m2("validation")
    if "synthetic" in options.data:
        sets["100k × 50k × 5M"] = synthetic(100_000, 50_000, 5_000_000, SEED)
    for name, (train, validation) in sets.items():
        alpha0, regularization = PARAMETERS[name]
        for factors in options.factors:
            settings = AlsSettings(
                factors=factors, unobserved_weight=alpha0, regularization=regularization,
                regularization_exponent=EXPONENT, activity_exponent=0.0, seed=SEED,
            )  # fmt: skip
            _compare(name, Measured(train, validation, settings), options.rounds, options.epochs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
