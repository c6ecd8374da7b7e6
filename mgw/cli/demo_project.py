"""A project that is used as anybody would: its commands are typed, its platform is asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mgw.cli.output import out
from mgw.core.errors import DemoFailed
from mgw.core.resources import resource
from mgw.gateway.files import read_gateway

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GATEWAY = "gateway.yaml"
_PATIENCE_S = 60.0


class Answer(NamedTuple):
    """What a request was answered with.

    Attributes:
        status: of HTTP.
        content: the JSON; None where there is no body.
        headers: by their names in small letters.
    """

    status: int
    content: Any
    headers: dict[str, str]


@dataclass(slots=True)
class DemoProject:
    """A folder with a project.

    Attributes:
        folder: of the project.
        environment: that its programs run in.
        port: of the gateway.
        tokens: of users, made once each.
    """

    folder: Path
    environment: dict[str, str]
    port: int
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)

    def mgw(self, *arguments: str) -> str:
        """Run a command and return what it says.

        Raises:
            DemoFailed: it ends with another exit code than 0.
        """
        done = subprocess.run(
            [sys.executable, "-m", "mgw", *arguments], cwd=self.folder, env=self.environment, capture_output=True,
            text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode != 0:
            raise DemoFailed(
                f"`mgw {shlex.join(arguments)}` ended with {done.returncode}", hint=(done.stderr or done.stdout).strip()
            )
        return done.stdout

    def show(self, *arguments: str) -> None:
        """Run a command, and show it and what it says.

        Raises:
            DemoFailed: it ends with another exit code than 0.
        """
        out.print(f"$ mgw {shlex.join(arguments)}")
        out.print(f"{self.mgw(*arguments).rstrip()}\n")

    def token(self, user: str, *scopes: str) -> str:
        """Return a token of a user for development, of the tier that may ask most."""
        if (user, *scopes) not in self.tokens:
            options = [option for scope in scopes for option in ("--scope", scope)]
            self.tokens[user, *scopes] = self.mgw("token", user, "--tier", "enterprise", *options).strip()
        return self.tokens[user, *scopes]

    def ask(self, method: str, path: str, message: object = None, token: str | None = None, **headers: str) -> Answer:
        """Send a request to the gateway.

        Args:
            method: of HTTP.
            path: below `/api/v1`.
            message: sent as JSON, or as it is where it is bytes; None sends no body.
            token: of whoever asks.
            headers: others, with `_` for `-`.

        Raises:
            OSError, http.client.HTTPException: there is no answer.
            ValueError: it is not JSON.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        body = message if isinstance(message, bytes) else None if message is None else json.dumps(message).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, f"/api/v1{path}", body, sent)
            answer = connection.getresponse()
            content = answer.read()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, json.loads(content) if content else None, named)

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run service and gateway until the block ends, however it does.

        Raises:
            DemoFailed: they do not come up.
        """
        with (self.folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "mgw", "serve"], cwd=self.folder, env=self.environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        try:
            until("the gateway answers", lambda: self._is_ready(process))
            yield process
        finally:
            if process.poll() is None:
                self.end(process)

    def _is_ready(self, process: subprocess.Popen[bytes]) -> bool:
        if process.poll() is not None:
            raise DemoFailed(f"`mgw serve` ended with {process.returncode}", hint=f"{self.folder}/serve.log says why")
        try:
            return self.ask("GET", "/health/aggregate").status == 200
        except OSError:
            return False

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End service and gateway, and see that no process of theirs is left.

        Raises:
            DemoFailed: they do not end, or not well, or something is left.
        """
        below = _descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            code = process.returncode
        if code != 0:
            raise DemoFailed(f"`mgw serve` ended with {code}", hint=f"{self.folder}/serve.log says why")
        until("its processes are gone", lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))


def prepare(folder: Path, service_port: int, gateway_port: int, admin_port: int) -> DemoProject:
    """Give a project a gateway on free ports, unless it has one, and return the project."""
    path = folder / GATEWAY
    if not path.exists():
        text = (resource("configs") / GATEWAY).read_text(encoding="utf-8")
        text = text.replace("port: 8080", f"port: {gateway_port}", 1)
        path.write_text(text.replace("# admin: {port: 8090}", f"admin: {{port: {admin_port}}}", 1), encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}
    environment = {**kept, "MGW_SERVICE_PORT": str(service_port), "NO_COLOR": "1"}
    return DemoProject(folder, environment, read_gateway(path).port)


def until(what: str, holds: Callable[[], object]) -> None:
    """Look again and again until something holds.

    Raises:
        DemoFailed: a minute has passed.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise DemoFailed(f"{_PATIENCE_S:.0f} s have passed, and it did not come about that {what}")
        time.sleep(0.1)


def _descendants(pid: int) -> set[int]:
    """Return the processes that a process started, and those that they did; none where the system does not tell."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1])
    found, newest = set[int](), {pid}
    while newest := {child for child, parent in parents.items() if parent in newest}:
        found |= newest
    return found
