"""`mgw` run as a command, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
# What whoever runs the tests likes otherwise. Their MGW_ is gone since conftest: what is there now, a test has set.
_OF_THE_MACHINE = ("PG", "LC_", "LANG", "PYTHON", "FORCE_COLOR")


class Done(NamedTuple):
    """What became of a command.

    Attributes:
        code: its exit code.
        out: what it printed.
        err: what it said beside.
    """

    code: int
    out: str
    err: str


def environment(**changes: str | None) -> dict[str, str]:
    """Return the environment of a command, the same on every machine, with changes: None takes a variable away."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_MACHINE)}
    merged = {**kept, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", "NO_COLOR": "1", **changes}
    return {name: value for name, value in merged.items() if value is not None}


def python(folder: Path | None, *arguments: str | bytes, **changes: str | None) -> Done:
    """Run the interpreter in a folder, or here, to its end. Nothing can be read from its standard input."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment(**changes), stdin=subprocess.DEVNULL,
        capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=240,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


def mgw(folder: Path | None, *arguments: str | bytes, **changes: str | None) -> Done:
    """Run a command in a folder, or here, to its end; it says what is wrong in its own words, and in UTF-8."""
    done = python(folder, "-m", "mgw", *arguments, **changes)
    assert "Traceback" not in done.err, done.err
    assert "\N{REPLACEMENT CHARACTER}" not in done.out + done.err
    return done
