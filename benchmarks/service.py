"""The recommendation service under load, beside FastAPI with implicit on the same factors.

    python benchmarks/service.py [--seconds 8] [--rounds 3]

wrk (Debian: apt install wrk) asks from the same two cores. "Whole" is the whole pipeline, for a user and a length of
list that were not asked for before: history and graph from PostgreSQL, four sources, reasons. "Cached" is a list that
is kept. This copy of the data has no times, so the graph is not asked; where it is to be ("graph asked"), each event
gets a time of the last half year, drawn from its ids. The peer answers by ALS alone, from memory, without history,
graph, reasons or validation of ids: the least that a recommendation service can do. Needs MovieLens 1M (MOVIELENS_DATA
names the folder that holds ml-1m) and `pip install --group benchmarks`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from datasets import ROOT
from machine import add_row, print_machine
from serving import MGW, free_port, make_project, run, serving
from threadpoolctl import threadpool_limits

from mgw.core.artifacts import ModelStore
from mgw.core.database import Database
from mgw.core.settings import load_settings
from mgw.recommend.hybrid import Hybrid

USERS, KEPT, SEED = 6040, 100, 0
_PEER = """
import sys
import numpy as np
from fastapi import FastAPI
from implicit.cpu.als import AlternatingLeastSquares
from pydantic import BaseModel
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits
threadpool_limits(1)
folder = sys.argv[1]
names = ("user_factors", "item_factors", "content_ids", "user_ids")
x, y, ids, users = (np.load(f"{folder}/{name}.npy") for name in names)
model = AlternatingLeastSquares(factors=x.shape[1], num_threads=1)
model.user_factors, model.item_factors = x, y
rows = {name.decode(): row for row, name in enumerate(users)}
data = np.load(f"{sys.argv[2]}")
matrix = csr_matrix((np.ones(len(data["items"]), np.float32), (data["users"], data["items"])), shape=(len(x), len(y)))
app = FastAPI()
class Request(BaseModel):
    user_id: str
    limit: int = 10
@app.get("/health")
def health():
    return {"status": "ok"}
@app.post("/api/v1/recommendations")
def recommend(request: Request):
    row = rows[request.user_id]
    found, scores = model.recommend(row, matrix[row], N=request.limit)
    return {"recommendations": [{"content_id": ids[i].decode(), "score": float(s)} for i, s in zip(found, scores)]}
import uvicorn
uvicorn.run(app, port=int(sys.argv[3]), log_level="error", access_log=False)
"""
_LUA = """
local n = %d
request = function()
  n = n + 1
  local body = '{"user_id": "' .. ((n * 7919) %% %d + 1) .. '", "limit": ' .. (%s) .. '}'
  return wrk.format("POST", "/api/v1/recommendations", {["content-type"] = "application/json"}, body)
end
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if shutil.which("wrk") is None or not (ROOT / "ml-1m").is_dir():
        print(f"SKIPPED: needs wrk, and ml-1m in {ROOT}", file=sys.stderr)
        return 0
    print_machine(
        ("mgw", "granian", "psycopg", "fastapi", "uvicorn", "implicit"), f"seed {SEED}, wrk on the same cores"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_project(folder, ROOT / "ml-1m", {})
        _load(folder, options)
        _give_times(folder)
        _time_parts(folder)
        _measure(folder, options.rounds, options.seconds, _whole(", graph asked"))
    return 0


def _give_times(folder: Path) -> None:
    with Database.of(load_settings(config=folder / "mgw.yaml")).session() as connection:
        connection.autocommit = True
        connection.execute(
            "UPDATE viewing_events SET at = timestamptz '2026-06-01Z'"
            " + make_interval(secs => abs(hashint8(user_id * 100003 + content_id)) % 15552000)"
        )
        connection.execute("VACUUM FULL ANALYZE viewing_events")
        connection.execute("VACUUM viewing_events")  # FULL leaves no map of what index-only scans may trust
    run(folder, "train", "als")


def _time_parts(folder: Path) -> None:
    """Time what the graph and a whole answer take, without HTTP, one after the other."""
    loaded = load_settings(config=folder / "mgw.yaml")
    hybrid = Hybrid(ModelStore(folder / ".mgw" / "models").current(), loaded.settings)
    rng = np.random.default_rng(SEED)
    users = [str(user) for user in rng.choice(USERS, 600, replace=False) + 1]
    taken: dict[str, list[float]] = {"graph": [], "history and graph": [], "sources, list, reasons": []}
    with threadpool_limits(1), Database.of(loaded).session(deadline_s=10) as connection:  # as in a worker
        connection.autocommit = True
        graph = hybrid._graph_source(connection)  # noqa: SLF001 - to time it by itself
        for user in users:
            marks = [time.perf_counter()]
            graph.scores(connection, user)
            marks.append(time.perf_counter())
            evidence = hybrid.read(connection, user)
            marks.append(time.perf_counter())
            hybrid.answer(evidence, 10, rng=rng)
            marks.append(time.perf_counter())
            for name, begun, ended in zip(taken, marks, marks[1:], strict=False):
                taken[name].append(1000 * (ended - begun))
    print("\nMovieLens 1M, one user after the other, ms      median      p95      p99")
    for name, each in taken.items():
        print(f"{name:44}" + "".join(f"{value:9.2f}" for value in np.percentile(each[100:], [50, 95, 99])))


def _load(folder: Path, options: argparse.Namespace) -> None:
    pairs = folder / "pairs.npz"
    loaded = load_settings(config=folder / "mgw.yaml")
    from mgw.recommend.source import read_training_data  # noqa: PLC0415 - after the settings

    with Database.of(loaded).session() as connection:
        events = read_training_data(connection).events
    np.savez(pairs, users=events.users, items=events.items)
    snapshot = ModelStore(folder / ".mgw" / "models").current().path
    (folder / "peer.py").write_text(_PEER)
    port = free_port()
    command = [sys.executable, "peer.py", str(snapshot), str(pairs), str(port)]
    peer = Server("FastAPI + implicit, 1 worker", command, port)
    one, two = _servers()
    cases = [
        *_whole(""), Case("cached, 16 connections", one, 16, cached=True),
        Case("cached, 32 connections", two, 32, cached=True), Case("ALS alone, 4 connections", peer, 4),
    ]  # fmt: skip
    _measure(folder, options.rounds, options.seconds, cases)


class Server(NamedTuple):
    """Who is asked."""

    name: str
    command: list[str]
    port: int


class Case(NamedTuple):
    """What is asked, of whom, over how many connections."""

    name: str
    server: Server
    connections: int
    cached: bool = False


def _servers() -> tuple[Server, Server]:
    ports = free_port(), free_port()
    one = Server("mgw, 1 worker", [*MGW, "serve", "--only", "service", "--port", str(ports[0])], ports[0])
    return one, Server(
        "mgw, 2 workers", [*MGW, "serve", "--only", "service", "--port", str(ports[1]), "--workers", "2"], ports[1]
    )


def _whole(suffix: str) -> list[Case]:
    one, two = _servers()
    return [
        Case(f"whole, 1 connection{suffix}", one, 1), Case(f"whole, 4 connections{suffix}", one, 4),
        Case(f"whole, 4 connections{suffix}", two, 4),
    ]  # fmt: skip


def _measure(folder: Path, rounds: int, seconds: int, cases: list[Case]) -> None:
    found: dict[int, list[tuple[float, float, float]]] = {}
    for turn in range(rounds):
        for place, case in enumerate(cases):
            server = case.server
            with serving(server.command, folder, server.port, "/health", folder / "log"):
                if case.cached:
                    _wrk(folder, server.port, case.connections, 5, 0, cached=True)  # until every worker has every list
                result = _wrk(folder, server.port, case.connections, seconds, 10_000 * turn, cached=case.cached)
                found.setdefault(place, []).append(result)
    print(f"\n{f'medians of {rounds} rounds of {seconds} s':66}    req/s median ms    p99 ms")
    for place, results in found.items():
        rate, median, tail = (statistics.median(values) for values in zip(*results, strict=True))
        print(f"{cases[place].name:36}{cases[place].server.name:30}{rate:9,.0f}{median:10.2f}{tail:10.2f}")
    rates = [statistics.median(rate for rate, *_ in found[place]) for place in range(len(cases))]
    peers = [rate for rate, case in zip(rates, cases, strict=True) if not case.server.name.startswith("mgw")]
    for rate, case in zip(rates, cases, strict=True):
        if case.server.name.startswith("mgw"):
            what = f"{case.name}, {case.server.name.removeprefix('mgw, ')}"
            compared = peers and not case.cached  # the peer keeps no lists
            beside = {"peer": "FastAPI + implicit, ALS alone", "theirs": peers[0]} if compared else {}
            add_row(what, rate, "per s", more_is_better=True, **beside)


def _wrk(
    folder: Path, port: int, connections: int, seconds: int, start: int, *, cached: bool
) -> tuple[float, float, float]:
    script = folder / "requests.lua"
    users, limit = (KEPT, "10") if cached else (USERS, f"10 + math.floor(n / {USERS}) % 20")
    script.write_text(_LUA % (start, users, limit))
    words = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "-s",
        str(script),
        f"http://127.0.0.1:{port}",
    ]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    if wrong := [line.strip() for line in said.splitlines() if "Non-2xx" in line or "Socket errors" in line]:
        raise SystemExit(f"FAILED: {connections} connections, {'cached' if cached else 'whole'}: {'; '.join(wrong)}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    return rate, _ms(said, "50%"), _ms(said, "99%")


def _ms(said: str, share: str) -> float:
    value, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s)\b", said).groups()
    return float(value) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


if __name__ == "__main__":
    sys.exit(main())
