"""A generated module: loaded as one of Python's, and looked at by mypy."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


@contextmanager
def loaded(path: Path) -> Iterator[ModuleType]:
    """Import a file, under the name that it has, for a block."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    try:
        yield module
    finally:
        del sys.modules[path.stem]


def mypy(path: Path, *lines: str) -> list[str]:
    """Return what mypy --strict says of a function that uses the module, its lines from the fourth on."""
    program = path.parent / "program.py"
    head = f"from psycopg import Connection\nimport {path.stem}\ndef run(connection: Connection) -> None:\n"
    program.write_text(head + "".join(f"    {line}\n" for line in lines))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--hide-error-context", "program.py"]
    answer = subprocess.run(
        [*command, "--cache-dir", "/dev/null"], cwd=path.parent, capture_output=True, text=True, check=False
    )
    return answer.stdout.splitlines()
