"""Adapters at size: 100,000 users with 50 titles each, generated, from events to B of everybody, without a database.

    python benchmarks/lora.py

Titles are drawn, so the adapters are worth nothing; what is measured is time. `mgw evaluate lora` measures quality.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from machine import print_machine

from mgw.core.settings import AlsSettings, LoraSettings
from mgw.recommend.als import ALS
from mgw.recommend.foldin import FoldIn
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.shared import SharedTier
from mgw.recommend.lora.support import measure_support
from mgw.recommend.lora.user import fit_users

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")
USERS, TITLES, EACH, SEED = 100_000, 20_000, 50, 0
SETTINGS, ALS_SETTINGS = LoraSettings(), AlsSettings()


def main() -> int:
    """Measure and print."""
    print_machine(("mgw", "numpy", "numba"), f"seed {SEED}, {USERS:,} users × {EACH} titles of {TITLES:,}")
    rng = np.random.default_rng(SEED)
    items = (TITLES * rng.random(USERS * EACH) ** 2).astype(np.int32)
    events = Events(
        np.repeat(np.arange(USERS, dtype=np.int32), EACH), items, rng.uniform(1.7e9, 1.8e9, USERS * EACH),
        np.ones(USERS * EACH, dtype=np.float32), np.arange(USERS), np.arange(TITLES),
    )  # fmt: skip
    matrix = strength_matrix(events)
    model = ALS.fit(matrix, ALS_SETTINGS)
    fold_in = FoldIn(model.item_factors, model.settings)
    everybody = np.arange(USERS)
    recency = Recency.of(events.where(events.users < 100))
    fit_users(SharedTier.fit(fold_in, recency, SETTINGS), recency, everybody[:10], SETTINGS)  # compiled by now
    recency = _timed("events in order", lambda: Recency.of(events))
    shared = _timed("the shared tier", lambda: SharedTier.fit(fold_in, recency, SETTINGS))
    _timed("B of everybody", lambda: fit_users(shared, recency, everybody, SETTINGS))
    users = np.flatnonzero(recency.counts >= SETTINGS.minimum_events)
    _timed("what held-out titles say", lambda: measure_support(matrix, recency, users, ALS_SETTINGS, SETTINGS))
    taken = []
    for user in range(1000):
        began = time.perf_counter()
        fit_users(shared, recency, everybody[[user]], SETTINGS, threads=1)
        taken.append(1000 * (time.perf_counter() - began))
    print(f"B of one user, ms: median {np.median(taken):.2f}, p99 {np.percentile(taken, 99):.2f}")
    return 0


def _timed(name: str, work: Callable[[], _Result]) -> _Result:
    began = time.perf_counter()
    result = work()
    print(f"{name:28}{time.perf_counter() - began:7.2f} s")
    return result


if __name__ == "__main__":
    sys.exit(main())
