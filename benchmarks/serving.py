"""A service to measure: a project over a data set, and `mgw serve` on a free port; shared by the benchmarks of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MGW = [sys.executable, "-m", "mgw"]


def make_project(folder: Path, movielens: Path | None, sample: dict[str, int]) -> None:
    """Import a MovieLens folder, or generate a sample, and train."""
    run(folder, "init")
    if movielens is not None:
        run(folder, "import", "movielens", str(movielens))
    else:
        run(folder, "sample", *(word for name, count in sample.items() for word in (f"--{name}", str(count))))
    run(folder, "train", "als")


def run(folder: Path, *words: str) -> None:
    """Run one command of mgw in a project."""
    subprocess.run([*MGW, *words], cwd=folder, check=True, capture_output=True)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """Send one request and return the status and the answer."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")


@contextlib.contextmanager
def serving(command: list[str], folder: Path, port: int, health: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; the block begins when it answers."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder, stdout=file, stderr=file, env={**os.environ, "NO_COLOR": "1"})
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError):
                    if ask(port, "GET", health)[0] == 200:
                        break
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"the server does not answer: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(40)
            process.kill()
