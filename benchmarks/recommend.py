"""Answers of a fitted ALS: everybody's best titles beside implicit and the bare matrix product, and one user's fold-in.

    python benchmarks/recommend.py [--users 20000] [--items 40000] [--factors 64] [--top-k 20] [--rounds 5]

Factors are random, since what they are makes no difference to the time; each user has seen 50 titles, which are left
out. Everything has two threads, BLAS too. Needs `pip install --group benchmarks`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time

os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"), "2")

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from machine import add_row, print_machine
from scipy.sparse import csr_array, csr_matrix
from threadpoolctl import threadpool_limits

from mgw.core.settings import AlsSettings
from mgw.recommend.als import ALS
from mgw.recommend.foldin import FoldIn

THREADS, SEED, SEEN, EVENTS, ASKED = 2, 0, 50, 100, 5000
_BATCH = 256


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("users", 20_000), ("items", 40_000), ("factors", 64), ("top-k", 20), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    print_machine(("mgw", "numpy", "numba", "implicit"), f"{THREADS} threads, seed {SEED}")
    _everybody(options)
    for factors in (64, 128, 256):
        _fold_in(factors)
    return 0


def _everybody(options: argparse.Namespace) -> None:
    rng = np.random.default_rng(SEED)
    x, y = (
        rng.standard_normal((n, options.factors), dtype=np.float32) / np.float32(options.factors**0.5)
        for n in (options.users, options.items)
    )
    rows = np.repeat(np.arange(options.users), SEEN)
    seen = csr_array((np.ones(len(rows), np.float32), (rows, rng.integers(options.items, size=len(rows)))))
    seen.resize((options.users, options.items))
    model, everybody = ALS(x, y, AlsSettings(factors=options.factors)), np.arange(options.users)
    theirs = AlternatingLeastSquares(factors=options.factors, num_threads=THREADS)
    theirs.user_factors, theirs.item_factors, matrix = x, y, csr_matrix(seen)
    model.recommend(everybody[:10], options.top_k, exclude=seen[:10])  # compiles, or loads what is compiled
    steps = {
        "mgw": lambda: model.recommend(everybody, options.top_k, exclude=seen, threads=THREADS)[0],
        "implicit": lambda: theirs.recommend(everybody, matrix, N=options.top_k)[0],
        "product alone": lambda: _products(x, y),
    }
    seconds: dict[str, list[float]] = {}
    answers = {}
    for _ in range(options.rounds):
        for name, step in steps.items():
            began = time.perf_counter()
            answers[name] = step()
            seconds.setdefault(name, []).append(time.perf_counter() - began)
    same = float((answers["mgw"] == answers["implicit"]).mean())
    print(
        f"\n{options.users:,} users × {options.items:,} items, {options.factors} factors, top {options.top_k},"
        f" {options.rounds} rounds; {same:.4%} of the places are those of implicit"
    )
    ours = statistics.median(seconds["mgw"])
    for peer in ("implicit", "product alone"):
        what = f"top {options.top_k} for {options.users:,} users"
        add_row(what, ours, "s", peer=peer, theirs=statistics.median(seconds[peer]))
    for name, taken in seconds.items():
        median = statistics.median(taken)
        print(f"{name:14} {median:7.3f} s ({min(taken):.3f}-{max(taken):.3f})   ÷ mgw {median / ours:5.2f}")


def _products(x: np.ndarray, y: np.ndarray) -> None:
    with threadpool_limits(THREADS, user_api="blas"):
        out = np.empty((_BATCH, len(y)), dtype=np.float32)
        for start in range(0, len(x) - _BATCH + 1, _BATCH):
            np.matmul(x[start : start + _BATCH], y.T, out=out)


def _fold_in(factors: int) -> None:
    rng = np.random.default_rng(SEED)
    y = rng.standard_normal((40_000, factors), dtype=np.float32) / np.float32(factors**0.5)
    fold_in = FoldIn(y, AlsSettings(factors=factors))
    strength = np.ones(EVENTS, dtype=np.float32)
    taken = []
    with threadpool_limits(1, user_api="blas"):
        for number in range(ASKED + 100):
            items = rng.integers(len(y), size=EVENTS)
            began = time.perf_counter()
            fold_in.user_factors(items, strength)
            if number >= 100:
                taken.append(time.perf_counter() - began)
    median, tail = np.percentile(taken, [50, 99]) * 1000
    add_row(f"fold-in of a user, {factors} factors", median, "ms")
    print(f"fold-in, {factors:3} factors, {EVENTS} events, {ASKED:,} users: median {median:.3f} ms, p99 {tail:.3f} ms")


if __name__ == "__main__":
    sys.exit(main())
