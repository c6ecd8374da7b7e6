"""Adapters at size, and one at a time.

    python benchmarks/lora.py [--users 100000]

First many users with 50 titles each, generated, from events to B of everybody, without a database. Titles are drawn, so
the adapters are worth nothing; what is measured is time. `mgw evaluate lora` measures quality. Then single users of
ml-latest-small (MOVIELENS_DATA names the folder that holds it) in the embedded database: to load, save and train one,
and to rank 200 candidates anew by NumPy and by ONNX Runtime on one thread, each in turn with the others.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import onnxruntime
from datasets import ROOT
from machine import add_row, print_machine
from serving import make_project, run
from threadpoolctl import threadpool_limits

from mgw.core.artifacts import ModelStore
from mgw.core.database import Database
from mgw.core.settings import AlsSettings, ContentSettings, LoraSettings, load_settings
from mgw.recommend.als import ALS
from mgw.recommend.foldin import FoldIn, among_embeddings
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.lora.adapters import Adapters
from mgw.recommend.lora.exchange import write_adapter
from mgw.recommend.lora.online import train_user
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.scoring_graph import write_scoring_graph
from mgw.recommend.lora.store import Adapter, prune_adapters, save_adapters
from mgw.recommend.lora.support import measure_support
from mgw.recommend.lora.towers import Towers
from mgw.recommend.lora.user import fit_users
from mgw.recommend.snapshot import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mgw.core.artifacts import Snapshot

_Result = TypeVar("_Result")
TITLES, EACH, SEED, CANDIDATES, TIMES = 20_000, 50, 0, 200, 2_000
SETTINGS, ALS_SETTINGS = LoraSettings(), AlsSettings()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100_000, help="how many are generated")
    users = parser.parse_args().users
    note = f"seed {SEED}, {users:,} users × {EACH} titles of {TITLES:,}"
    print_machine(("mgw", "numpy", "numba", "onnxruntime"), note)
    at_size(users)
    with tempfile.TemporaryDirectory() as folder:
        one_at_a_time(Path(folder))
    return 0


def at_size(n_users: int) -> None:
    """Measure everybody's training."""
    rng = np.random.default_rng(SEED)
    items = (TITLES * rng.random(n_users * EACH) ** 2).astype(np.int32)
    events = Events(
        np.repeat(np.arange(n_users, dtype=np.int32), EACH), items, rng.uniform(1.7e9, 1.8e9, n_users * EACH),
        np.ones(n_users * EACH, dtype=np.float32), np.arange(n_users), np.arange(TITLES),
    )  # fmt: skip
    matrix = strength_matrix(events)
    model = ALS.fit(matrix, ALS_SETTINGS)
    fold_in = FoldIn(model.item_factors, model.settings)
    everybody = np.arange(n_users)
    recency = Recency.of(events.where(events.users < 100))
    embeddings = rng.normal(size=(TITLES, ContentSettings().dimensions)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1)[:, None]
    content = among_embeddings(embeddings, model.settings, ContentSettings().regularization)
    spaces = (fold_in, content)
    fit_users(Towers.fit(spaces, recency, SETTINGS), recency, everybody[:10], SETTINGS)  # compiled by now
    recency = _timed("events in order", lambda: Recency.of(events))
    towers = _timed("the shared tier", lambda: Towers.fit(spaces, recency, SETTINGS))
    _timed("B of everybody", lambda: fit_users(towers, recency, everybody, SETTINGS))
    users = np.flatnonzero(recency.counts >= SETTINGS.minimum_events)
    _timed(
        "what held-out titles say",
        lambda: measure_support(matrix, recency, users, ALS_SETTINGS, SETTINGS, content=content),
    )
    print(f"{'memory, at most':28}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:7.2f} GiB")


def one_at_a_time(folder: Path) -> None:
    """Measure single adapters in a project of its own."""
    if not (movielens := ROOT / "ml-latest-small").is_dir():
        print(f"SKIPPED: no {movielens}; MOVIELENS_DATA names the folder that holds it", file=sys.stderr)
        return
    make_project(folder, movielens, {})
    run(folder, "train", "lora")
    loaded = load_settings(config=folder / "mgw.yaml", environ={})
    snapshot = ModelStore(folder / ".mgw" / "models").current()
    adapters = Adapters.of(ModelStore(folder / ".mgw" / "adapters").current(), snapshot, loaded.settings.lora)
    columns = columns_of(snapshot)
    with Database.of(loaded).session() as connection:
        connection.autocommit = True
        rows = connection.execute(
            "SELECT u.external_id FROM lora_adapters a JOIN users u ON u.id = a.user_id ORDER BY 1"
        ).fetchall()
        users = [row[0] for row in rows]
        first = adapters.load(connection, users[0])
        assert first is not None

        def save(turn: int) -> None:
            save_adapters(connection, adapters.name, [Adapter(users[turn % len(users)], first.weights, 20)])
            prune_adapters(connection, [users[turn % len(users)]], keep=3)

        print(f"one adapter of {len(first.weights[0])} numbers, ml-latest-small, {len(users)} users in turn, ms")
        _latency(
            {
                "load": lambda turn: adapters.load(connection, users[turn % len(users)]),
                "save, and prune to 3": save,
                "train, and save": lambda turn: train_user(
                    connection, users[turn % len(users)], adapters, columns, force=True
                ),
            }
        )
    _rank_anew(folder, snapshot, adapters, first)


def _rank_anew(folder: Path, snapshot: Snapshot, adapters: Adapters, adapter: Adapter) -> None:
    write_scoring_graph(folder / "scoring.onnx", snapshot)
    write_adapter(folder / "user.onnx_adapter", adapters, adapter)
    options, active, loaded = onnxruntime.SessionOptions(), onnxruntime.RunOptions(), onnxruntime.LoraAdapter()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    graph = onnxruntime.InferenceSession(folder / "scoring.onnx", options, providers=["CPUExecutionProvider"])
    loaded.Load(str(folder / "user.onnx_adapter"))
    active.add_active_adapter(loaded)
    rng = np.random.default_rng(SEED)
    base = rng.normal(size=(1, CANDIDATES)).astype(np.float32)
    candidates = rng.integers(len(adapters.towers.projected), size=(1, CANDIDATES))
    given = {"base_scores": base, "candidates": candidates}

    def load_and_run(_turn: int) -> None:
        another, with_it = onnxruntime.LoraAdapter(), onnxruntime.RunOptions()
        another.Load(str(folder / "user.onnx_adapter"))
        with_it.add_active_adapter(another)
        graph.run(None, given, with_it)

    print(f"{CANDIDATES} candidates ranked anew, ms")
    with threadpool_limits(1):
        _latency(
            {
                "NumPy": lambda _turn: (
                    base + adapters.towers.projected[candidates[0]] @ adapters.scaled(adapter.weights)[0]
                ),
                "NumPy, all titles": lambda _turn: adapters.boost(adapter.weights),
                "ONNX Runtime": lambda _turn: graph.run(None, given, active),
                "ONNX Runtime, no adapter": lambda _turn: graph.run(None, given),
                "ONNX Runtime, adapter loaded": load_and_run,
            }
        )


def _latency(works: dict[str, Callable[[int], object]]) -> None:
    """Do some works in turn, and print the median and the p99 of each, in milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(TIMES + TIMES // 10):
        for name, work in works.items():
            began = time.perf_counter()
            work(turn)
            taken[name].append(1000 * (time.perf_counter() - began))
    for name, all_taken in taken.items():
        counted = all_taken[TIMES // 10 :]
        add_row(name, float(np.median(counted)), "ms")
        print(f"  {name:30}median {np.median(counted):6.3f}  p99 {np.percentile(counted, 99):6.3f}")


def _timed(name: str, work: Callable[[], _Result]) -> _Result:
    began = time.perf_counter()
    result = work()
    taken = time.perf_counter() - began
    print(f"{name:28}{taken:7.2f} s", flush=True)
    add_row(name, taken, "s")
    return result


if __name__ == "__main__":
    sys.exit(main())
