"""Training here and on Spark's ALS: seconds, and NDCG@20 of the validation pairs, on one machine with the same threads.

Both get the parameters that suit ours: α0 as in `benchmarks/als.py`, translated for Spark and tuned for neither.
Spark's seconds are those of `fit` with everything: Java's start, the data's way there and back. The users are folded
in by the same code for both.

    python benchmarks/spark.py [--rounds 3] [--data m2 synthetic]

Needs Java and `pip install 'mgw[spark]'`.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from statistics import median

import numpy as np
from datasets import movielens1m_m2, synthetic
from machine import add_row, print_machine
from scipy.sparse import csr_array

from mgw.core.progress import SILENT
from mgw.core.settings import SparkSettings
from mgw.recommend import ALS, AlsSettings, metrics
from mgw.recommend.spark import fit_on_spark

SEED, FACTORS, EPOCHS, THREADS = 0, 64, 12, 2
SPARK = SparkSettings(master=f"local[{THREADS}]")


def main() -> int:
    """Alternate the engines on each set and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", nargs="+", choices=["m2", "synthetic"], default=["m2", "synthetic"])
    asked = parser.parse_args()
    if shutil.which("java") is None:
        print("SKIPPED: needs Java", file=sys.stderr)
        return 0
    print_machine(("mgw", "numpy", "numba", "scipy", "pyspark"), f"seed {SEED}, {FACTORS} factors, {EPOCHS} epochs")
    sets = {}
    if "m2" in asked.data and (train := movielens1m_m2("train")) is not None:
        sets["MovieLens1M_m2"] = (train, movielens1m_m2("validation"), 0.2)
    if "synthetic" in asked.data:
        sets["100k × 50k × 5M, generated"] = (*synthetic(100_000, 50_000, 5_000_000, SEED), 0.01)
    ALS.fit(csr_array(np.eye(20, dtype=np.float32)), AlsSettings(factors=FACTORS, epochs=2))  # compiles
    print(f"\n{'':28} {'here s':>8} {'Spark s':>9} {'ratio':>6}   NDCG@20 here, Spark")
    for name, (known, held_out, alpha0) in sets.items():
        settings = AlsSettings(
            factors=FACTORS, epochs=EPOCHS, unobserved_weight=alpha0, activity_exponent=0.0, seed=SEED
        )
        here, there = [], []
        for _ in range(asked.rounds):
            here.append(_timed(lambda: ALS.fit(known, settings, threads=THREADS), known, held_out))  # noqa: B023
            there.append(
                _timed(
                    lambda: fit_on_spark(known, settings, SPARK, threads=THREADS, progress=SILENT),  # noqa: B023
                    known,
                    held_out,
                )
            )
        ours, theirs = median(seconds for seconds, _ in here), median(seconds for seconds, _ in there)
        print(f"{name:28} {ours:8.2f} {theirs:9.2f} {theirs / ours:6.1f}   {here[-1][1]:.4f}, {there[-1][1]:.4f}")
        add_row(f"{name}: training", ours, "s", peer="Spark", theirs=theirs)
        quality = {"peer": "Spark", "theirs": there[-1][1]}
        add_row(f"{name}: NDCG@20", here[-1][1], more_is_better=True, **quality)
    return 0


def _timed(fit, known: csr_array, held_out: csr_array) -> tuple[float, float]:  # noqa: ANN001 - a function of none
    began = time.perf_counter()
    model = fit()
    return time.perf_counter() - began, _ndcg(model, known, held_out)


def _ndcg(model: ALS, known: csr_array, held_out: csr_array) -> float:
    users = np.flatnonzero(np.diff(held_out.indptr))
    lists, _ = model.recommend(users, 20, exclude=known[users])
    hits = metrics.find_hits(lists, held_out[users])
    return float(metrics.ndcg(hits, np.diff(held_out[users].indptr).astype(np.int64)).mean())


if __name__ == "__main__":
    sys.exit(main())
