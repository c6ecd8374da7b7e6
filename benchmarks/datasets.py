"""Data for the benchmarks: a published split where it is at hand, and a generated set of any size."""

from __future__ import annotations

import gzip
import os
import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

ROOT = Path(os.environ.get("MOVIELENS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
SHAPE = 6022, 3043


def movielens1m_m2(part: str) -> csr_array | None:
    """Return `train`, `validation` or `test` of the MovieLens1M_m2 split, or None, and a word on stderr, without it."""
    path = ROOT / "movielens1m-m2" / f"{part}.csv.gz"
    if not path.is_file():
        print(f"SKIPPED: no {path}; MOVIELENS_DATA names the folder that holds movielens1m-m2", file=sys.stderr)
        return None
    with gzip.open(path, "rt") as file:
        pairs = np.loadtxt(file, delimiter=",", skiprows=1, dtype=np.int32)
    return csr_array((np.ones(len(pairs), dtype=np.float32), (pairs[:, 0], pairs[:, 1])), shape=SHAPE)


def synthetic(n_users: int, n_items: int, pairs: int, seed: int) -> tuple[csr_array, csr_array]:
    """Return train and validation pairs of users with tastes: 50 hidden groups of titles, popularity by a power law."""
    rng = np.random.default_rng(seed)
    groups = 50
    group_of = rng.integers(groups, size=n_items)
    popularity = 1 / (np.arange(n_items) + 20.0) ** 0.8
    by_group = [np.flatnonzero(group_of == group) for group in range(groups)]
    chance = [np.cumsum(popularity[items]) / popularity[items].sum() for items in by_group]
    activity = rng.lognormal(0, 1, n_users)
    users = rng.choice(n_users, size=int(pairs * 1.35), p=activity / activity.sum())
    tastes = rng.integers(groups, size=(n_users, 4))
    liked = np.where(
        rng.random(len(users)) < 0.85,
        tastes[users, rng.integers(4, size=len(users))],
        rng.integers(groups, size=len(users)),
    )
    drawn, items = rng.random(len(users)), np.empty(len(users), dtype=np.int64)
    for group in range(groups):
        mine = liked == group
        items[mine] = by_group[group][np.searchsorted(chance[group], drawn[mine])]
    keys = np.unique(users.astype(np.int64) * n_items + items)
    keys = rng.permutation(keys)[: int(pairs * 1.05)]
    held_out = rng.random(len(keys)) < 0.05
    return tuple(  # type: ignore[return-value]
        csr_array((np.ones(len(part), dtype=np.float32), np.divmod(part, n_items)), shape=(n_users, n_items))
        for part in (keys[~held_out], keys[held_out])
    )
