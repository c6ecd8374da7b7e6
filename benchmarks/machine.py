"""The lines that each benchmark begins with: when, on what, with which versions."""

from __future__ import annotations

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path


def print_machine(libraries: tuple[str, ...], note: str) -> None:
    """Print the date, the machine, the versions of some libraries and a note, such as the seed."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs, {cpu}, {platform.platform()}")
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    print(f"Python {platform.python_version()}, {versions}; {note}")
