"""The lines that each benchmark begins with, and the figures that `benchmarks/all.py` makes its tables of."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

ROWS = "BENCHMARK_ROWS"  # names the file that figures go to; without it they are only printed


def print_machine(libraries: tuple[str, ...], note: str) -> None:
    """Print the date, the machine, the versions of some libraries and a note, such as the seed."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")
    system = f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}"
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs, {cpu}, {system}")
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    print(f"Python {platform.python_version()}, {versions}; {note}", flush=True)


def add_row(
    what: str, ours: float, unit: str = "", *, peer: str = "", theirs: float | None = None, more_is_better: bool = False
) -> None:
    """Hand a figure to whoever collects them; the ratio says how many times as good as the peer's it is.

    What is not a number was not reached, and is told like that.
    """
    if not (file := os.environ.get(ROWS)):
        return
    mine, its = (None if each is None or math.isnan(each) else float(each) for each in (ours, theirs))
    ratio = None
    if mine and its:
        ratio = mine / its if more_is_better else its / mine
    found = {"what": what, "ours": mine, "unit": unit, "peer": peer, "theirs": its, "ratio": ratio}
    with Path(file).open("a", encoding="utf-8") as rows:
        rows.write(f"{json.dumps(found)}\n")
