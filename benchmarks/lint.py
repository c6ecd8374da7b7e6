"""How long `mgw lint` looks at a project, without the tools that it asks: this one, and one of 500 files made for it.

Beside it ruff looks at the same Python with the rules that it has for queries' strings and unused names: it looks for
other things, so this says what order of time such a tool takes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import add_row, print_machine

ROOT = Path(__file__).parents[1]
VERBS = ("find", "count", "update", "load", "search")


def make_project(root: Path, files: int, rng: random.Random) -> None:
    """Write a project: two fifths queries, as many modules that call them, the rest YAML of experiments and routes."""
    queries = files * 2 // 5
    (root / "queries").mkdir()
    for number in range(queries):
        columns = ", ".join(f"t.column_{rng.randrange(30)}_{place}" for place in range(rng.randrange(2, 12)))
        conditions = "\n    AND ".join(f"t.column_{place} = :parameter_{place}" for place in range(rng.randrange(1, 6)))
        (root / "queries" / f"{rng.choice(VERBS)}_{number}.sql").write_text(
            f"-- Something that is asked, number {number}.\nSELECT {columns}\nFROM things t\n"
            f"LEFT JOIN others o ON o.id = t.other_id\nWHERE {conditions}\nORDER BY t.id\nLIMIT :top_k;\n"
        )
    (root / "app").mkdir()
    names = [path.stem for path in (root / "queries").glob("*.sql")]
    (root / "queries" / ".prepared").mkdir()
    (root / "queries" / ".prepared" / ".project.json").write_text('{"module": "../app/queries.py"}')
    (root / "app" / "queries.py").write_text("".join(f"def {name}(connection, **given): ...\n" for name in names))
    modules = sorted((ROOT / "mgw").rglob("*.py"), key=lambda path: path.stat().st_size)[50:]
    for number in range(queries):
        asked = rng.sample(names, 3)
        calls = "\n\n\n".join(
            f"def ask_{name}(connection):\n    for row in queries.{name}(connection, parameter_0=1):\n"
            "        if row.column_1 is not None:\n            yield row.column_1 + 1, row.column_2"
            for name in asked
        )
        body = (
            modules[number % len(modules)].read_text(encoding="utf-8").replace("from __future__", "# from __future__")
        )
        (root / "app" / f"module_{number}.py").write_text(f"from app import queries\n\n\n{calls}\n\n\n{body}")
    for number in range(files - 2 * queries - 1):
        (root / f"experiment_{number}.yaml").write_text(
            f"name: e{number}\nvariants:\n  - {{name: a, weight: 0.5}}\n  - {{name: b, weight: 0.5}}\n"
            "metrics:\n  - {name: watched, kind: count, event: viewing.titles}\n"
        )


def seconds(command: list[str], root: Path) -> float:
    """Return how long a command takes, its start included; whatever it finds."""
    began = time.perf_counter()
    subprocess.run(command, cwd=root, capture_output=True, check=False)
    return time.perf_counter() - began


def measure(name: str, root: Path, runs: int) -> None:
    """Measure a project with and without what is kept between runs, alternating, and print medians."""
    kept = root / ".mgw" / "lint-facts.msgpack"
    lint = [sys.executable, "-m", "mgw", "lint", "--delegate", "none", "--root", str(root)]
    ruff = [
        str(Path(sys.executable).parent / "ruff"),
        "check",
        "--select",
        "F,ARG,S608",
        "--no-cache",
        "--isolated",
        ".",
    ]
    cold, warm, beside = [], [], []
    for _ in range(runs):
        kept.unlink(missing_ok=True)
        cold.append(seconds(lint, root))
        warm.append(seconds(lint, root))
        beside.append(seconds(ruff, root))
    said = subprocess.run(lint, cwd=root, capture_output=True, text=True, check=False)
    looked = (said.stdout + said.stderr).strip().splitlines()[-1]
    lines = sum(
        path.read_text(errors="replace").count("\n") for path in root.rglob("*.py") if ".venv" not in path.parts
    )
    print(
        f"{name}: {looked}; {lines:,} lines of Python\n"
        f"  whole process: {statistics.median(cold):.2f} s at first, {statistics.median(warm):.2f} s again;"
        f" ruff by itself {statistics.median(beside):.2f} s"
    )
    for what, taken in (("at first", cold), ("again", warm)):
        theirs = statistics.median(beside)
        add_row(f"{name}: {what}", statistics.median(taken), "s", peer="ruff, other rules", theirs=theirs)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print_machine(("mgw", "ruff", "msgspec"), f"seed {asked.seed}, medians of {asked.runs} runs")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "mgw"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", ".mgw", "*_cache", "__pycache__"))
        measure("this project", copy, asked.runs)
        made = Path(folder) / "made"
        made.mkdir()
        make_project(made, asked.files, random.Random(asked.seed))
        measure(f"{asked.files} files", made, asked.runs)


if __name__ == "__main__":
    main()
