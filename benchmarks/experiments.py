"""How long a report takes: ten million exposures in PostgreSQL, and the same users in memory with tea-tasting.

    python benchmarks/experiments.py [--exposures 10000000]

Two experiments of as many exposures: one user in ten windows, and one user for each. A third of the users convert once
or twice. The report has a rate, a mean with CUPED and a ratio, with all that `mgw experiment report` computes. The peer
is given the users' values as a data frame and asked for the same three metrics; what it takes to get them out of the
database is told apart. The embedded server runs with its own settings, on the same machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import psycopg
import tea_tasting as tt
from machine import add_row, print_machine

from mgw.core.audit import Actor
from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.migrations import migrate, read_migrations
from mgw.experiments.definition import Definition
from mgw.experiments.measure import Look
from mgw.experiments.report import make_report
from mgw.experiments.store import create_experiment, set_status

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS = 3
SEED = 0
METRICS: list[dict[str, Any]] = [
    {"name": "bought", "kind": "binary", "event": "purchase"},
    {"name": "spent", "kind": "mean", "event": "purchase", "before_days": 14},
    {"name": "basket", "kind": "ratio", "event": "purchase", "per": "visit"},
]
VARIANTS = [{"name": "control", "weight": 0.5}, {"name": "more", "weight": 0.5}]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def main() -> None:
    """Measure both experiments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exposures", type=int, default=10_000_000)
    asked = parser.parse_args()
    print_machine(("tea-tasting", "pandas", "psycopg", "numpy"), f"seed {SEED}")
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedServer(Path(folder) / "postgres", timeout_s=600)
        with server.lease() as url, psycopg.connect(url, options="-c timezone=UTC") as connection:
            migrate(connection, read_migrations())
            connection.commit()
            for windows in (10, 1):
                measure(connection, asked.exposures, windows)
        server.stop()


def measure(connection: psycopg.Connection[Any], exposures: int, windows: int) -> None:
    """Fill an experiment and report on it."""
    users = exposures // windows
    name = f"windows-{windows}"
    definition = msgspec.convert({"name": name, "variants": VARIANTS, "metrics": METRICS}, Definition)
    create_experiment(connection, definition, Actor("benchmark"))
    experiment = set_status(connection, name, "running", Actor("benchmark"))
    fill(connection, experiment.id, users, windows)
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")
    connection.autocommit = False
    (rows,) = connection.execute(
        "SELECT count(*) FROM experiment_conversions WHERE experiment_id = %s", [experiment.id]
    ).fetchone() or (0,)
    print(f"\n{exposures:,} exposures of {users:,} users, {rows:,} conversions and visits")
    look = Look(connection, experiment, NOW + timedelta(days=60))
    _, reported = timed("mgw: report of three metrics, from the database", lambda: make_report(look))
    frame, brought = timed(
        "tea-tasting: reading the users' values into pandas", lambda: read(connection, experiment.id), runs=1
    )
    theirs, computed = timed("tea-tasting: the same three metrics, once they are there", lambda: analyse(frame))
    what = f"report, {exposures:,} exposures of {users:,} users"
    add_row(what, reported, "s", peer="tea-tasting, with reading", theirs=brought + computed)
    ours = make_report(look).metrics
    for found, metric in zip(ours, ("bought", "spent", "basket"), strict=True):
        difference = found.comparisons[0].difference
        assert difference is not None
        if metric != "spent":  # its CUPED takes θ over all users, ours within the variants
            assert np.isclose(difference.estimate, theirs[metric].effect_size, rtol=1e-6, atol=1e-12), metric
    connection.rollback()


def fill(connection: psycopg.Connection[Any], experiment: int, users: int, windows: int) -> None:
    """Make users, exposures, and what they did before and after; in SQL, for they are many."""
    values = {"e": experiment, "n": users, "w": windows, "at": NOW, "prefix": f"w{windows}-"}
    connection.execute("SELECT setseed(0.5)")
    connection.execute(
        "INSERT INTO users (external_id) SELECT %(prefix)s || n FROM generate_series(1, %(n)s) AS s (n)", values
    )
    mine = "SELECT u.id, random() AS r FROM users u WHERE u.external_id LIKE %(prefix)s || '%%'"
    connection.execute(
        "INSERT INTO experiment_assignments (experiment_id, user_id, position, phase, exposed_at)"
        f" SELECT %(e)s, m.id, m.id %% 2, 0, %(at)s + m.r * interval '20 days' FROM ({mine}) AS m",
        values,
    )
    connection.execute(
        "INSERT INTO experiment_exposures (experiment_id, user_id, window_start, position, exposed_at)"
        " SELECT a.experiment_id, a.user_id, a.exposed_at + g * interval '1 day', a.position,"
        " a.exposed_at + g * interval '1 day'"
        " FROM experiment_assignments a, generate_series(0, %(w)s - 1) AS s (g) WHERE a.experiment_id = %(e)s",
        values,
    )
    connection.execute(
        "INSERT INTO experiment_conversions (experiment_id, idempotency_key, event, user_id, value, converted_at)"
        " SELECT a.experiment_id, k.event || a.user_id || '-' || k.after, k.event, a.user_id,"
        " CASE WHEN k.event = 'visit' THEN 1 ELSE 5 + 20 * random() END, a.exposed_at + k.after * interval '1 day'"
        " FROM experiment_assignments a"
        " CROSS JOIN LATERAL (VALUES ('purchase', 2), ('purchase', -3), ('visit', 1)) AS k (event, after)"
        " WHERE a.experiment_id = %(e)s AND a.user_id %% 3 = 0 AND (k.after <> 2 OR a.user_id %% 7 < 4 + a.position)",
        values,
    )


def read(connection: psycopg.Connection[Any], experiment: int) -> pd.DataFrame:
    """Return a row for each user, as a pipeline for the peer would make it."""
    rows = connection.execute(
        "SELECT a.position, coalesce(t.spent, 0), coalesce(t.visits, 0), coalesce(t.before, 0)"
        " FROM experiment_assignments a LEFT JOIN ("
        " SELECT c.user_id,"
        " sum(c.value) FILTER (WHERE c.event = 'purchase' AND c.converted_at >= b.exposed_at) AS spent,"
        " sum(c.value) FILTER (WHERE c.event = 'visit' AND c.converted_at >= b.exposed_at) AS visits,"
        " sum(c.value) FILTER (WHERE c.event = 'purchase' AND c.converted_at < b.exposed_at) AS before"
        " FROM experiment_conversions c JOIN experiment_assignments b USING (experiment_id, user_id)"
        " WHERE c.experiment_id = %(e)s GROUP BY c.user_id) AS t ON t.user_id = a.user_id"
        " WHERE a.experiment_id = %(e)s",
        {"e": experiment},
    ).fetchall()
    frame = pd.DataFrame(rows, columns=["variant", "spent", "visits", "before"])
    return frame.assign(bought=(frame["spent"] > 0).astype(float))


def analyse(frame: pd.DataFrame) -> Any:  # noqa: ANN401 - of the peer
    """Ask the peer for the three metrics."""
    experiment = tt.Experiment(
        bought=tt.Mean("bought"), spent=tt.Mean("spent", covariate="before"), basket=tt.RatioOfMeans("spent", "visits"),
        shares=tt.SampleRatio(),
    )  # fmt: skip
    return experiment.analyze(frame, control=0)


def timed(what: str, work: Callable[[], Any], runs: int = RUNS) -> tuple[Any, float]:
    """Run something a few times, print the median, and return what it found and the median."""
    taken = []
    found = None
    for _ in range(runs):
        began = time.perf_counter()
        found = work()
        taken.append(time.perf_counter() - began)
    print(
        f"  {what}: {statistics.median(taken):.2f} s (of {runs}: {', '.join(f'{each:.2f}' for each in taken)})",
        flush=True,
    )
    return found, statistics.median(taken)


if __name__ == "__main__":
    main()
