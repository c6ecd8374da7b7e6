"""A gateway that runs, and upstreams behind it that do as they are told, well or badly."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from ports import free_port
from prometheus_client.parser import text_string_to_metric_families
from waiting import until

from mgw.core.processes import bound_to_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECRET = "development-secret-of-forty-characters!!"


@dataclass
class Upstream:
    """Answers every connection with one request, read raw, so that what was sent is seen byte for byte.

    Attributes:
        answer: what is sent back: bytes, or a function that is given the connection and the request.
        requests: heads and bodies that came.
    """

    answer: bytes | Callable[[socket.socket, bytes], None] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    def run(self, server: socket.socket) -> None:
        self.port = server.getsockname()[1]
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while (request := read_request(connection)) is not None:
                self.requests.append(request)
                if callable(self.answer):
                    self.answer(connection, request)
                    return
                connection.sendall(self.answer)

    @property
    def head(self) -> dict[str, str]:
        """The last request's first line, and its headers by lower name."""
        first, *lines = self.requests[-1].partition(b"\r\n\r\n")[0].decode().split("\r\n")
        found = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return {"": first, **found}

    @property
    def body(self) -> bytes:
        return self.requests[-1].partition(b"\r\n\r\n")[2]


def read_request(connection: socket.socket) -> bytes | None:
    """Read one request, the chunks of its body put together."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65_536)
        if not piece:
            return None
        head += piece
    head, _, body = head.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while not body.endswith(b"0\r\n\r\n"):
            piece = connection.recv(65_536)
            if not piece:
                return None
            body += piece
        return head + b"\r\n\r\n" + unchunked(body)
    length = next((int(line.split(b":")[1]) for line in lower.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = connection.recv(65_536)
        if not piece:
            return None
        body += piece
    return head + b"\r\n\r\n" + body


def unchunked(body: bytes) -> bytes:
    whole = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if int(size, 16) == 0:
            return whole
        whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


@dataclass
class Running:
    """A gateway that runs."""

    folder: Path
    port: int
    process: subprocess.Popen[str]
    upstream: Upstream
    document: dict[str, Any]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return everything that comes until the gateway closes, or nothing more comes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(request)
            answer = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while piece := connection.recv(65_536):
                    answer += piece
            return answer

    def log(self) -> list[dict[str, Any]]:
        lines = (self.folder / "out").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def write(self, **changes: object) -> None:
        """Change the gateway's file."""
        self.document.update(changes)
        (self.folder / "gateway.yaml").write_text(json.dumps(self.document))

    def told(self, text: str, *, times: int = 1) -> str:
        """Wait until the gateway has told something, and return all that it told."""
        return until(lambda: (said := (self.folder / "err").read_text()).count(text) >= times and said)

    def workers(self) -> list[int]:
        """Return the processes that answer."""
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        pids = Path(children).read_text().split()
        found = []
        for pid in pids:
            with contextlib.suppress(OSError):  # it has ended by now
                if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
        return found

    def admin(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Ask the admin port."""
        shown = (self.folder / ".mgw" / "gateway.admin").read_text().strip()
        port = self.document["admin"]["port"]
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, path, content, {"authorization": f"Bearer {shown}", **headers})
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def metric(self, name: str, **labels: str) -> float:
        """Return what was counted, as a scrape of Prometheus sees it."""
        reply = self.ask("GET", "/metrics")
        assert reply.status == 200
        families = text_string_to_metric_families(reply.body.decode())
        samples = [each for family in families for each in family.samples if each.name == name]
        return sum(each.value for each in samples if labels.items() <= each.labels.items())

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def answering(*headers: str, body: bytes = b"ok", status: str = "200 OK") -> bytes:
    """Return an answer as it is sent."""
    head = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body


def token(user: str = "ann", *, seconds: float = 600, **claims: object) -> str:
    given = {"sub": user, "exp": int(time.time() + seconds), "tier": "enterprise", **claims}
    return "Bearer " + jwt.encode({"alg": "HS256"}, given, OctKey.import_key(SECRET))


@contextlib.contextmanager
def listening() -> Iterator[Upstream]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        upstream = Upstream(port=server.getsockname()[1])
        threading.Thread(target=upstream.run, args=(server,), daemon=True).start()
        yield upstream
        server.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def starting(
    folder: Path, upstream: Upstream, *routes: dict[str, object], waits: bool = True, **given: Any
) -> Iterator[Running]:
    """Start a gateway in front of an upstream, and wait until it answers where it `waits`."""
    port = given.get("port") or free_port()
    (folder / "secret").write_text(SECRET)
    document = {
        "port": port,
        "prefix": "/api",
        "upstreams": {"own": {"urls": [f"http://127.0.0.1:{upstream.port}"]}},
        "tokens": {"keys": {"secret_file": "secret"}},
        "routes": [{"upstream": "own", **route} for route in routes],
        **given,
    }
    (folder / "gateway.yaml").write_text(json.dumps(document))
    (folder / "mgw.yaml").write_text("{}")
    with (folder / "out").open("w") as out, (folder / "err").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "mgw", "serve", "--only", "gateway"], cwd=folder, stdout=out, stderr=err, text=True,
            preexec_fn=bound_to_parent(),  # noqa: PLW1509 - one call of the kernel, looked up before
        )  # fmt: skip
    running = Running(folder, port, process, upstream, document)
    try:
        if waits:
            _wait_for(running)
        yield running
    finally:
        process.kill()
        process.wait()


def _wait_for(running: Running) -> None:
    try:
        until(lambda: _answers(running), "the gateway answers")
    except AssertionError as error:
        error.add_note((running.folder / "err").read_text())
        raise


def _answers(running: Running) -> bool:
    assert running.process.poll() is None, "the gateway has ended"
    try:
        return running.ask("GET", "/api/health").status == 200
    except OSError:
        return False


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with listening() as made:
        yield made


@pytest.fixture
def start(tmp_path: Path, upstream: Upstream) -> Iterator[Callable[..., Running]]:
    """A function that starts a gateway in front of the upstream; routes and what else it is given go into its file."""
    with contextlib.ExitStack() as stack:
        yield lambda *routes, **given: stack.enter_context(starting(tmp_path, upstream, *routes, **given))
