"""`mgw` run as a command, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def mgw(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command in a folder to its end; return its exit code, what it printed, and what it said beside."""
    answer = subprocess.run(
        [sys.executable, "-m", "mgw", *arguments],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1", **environment},
    )  # fmt: skip
    assert "Traceback" not in answer.stderr, answer.stderr
    return answer.returncode, answer.stdout, answer.stderr
