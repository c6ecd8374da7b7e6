"""Sizes: many connections that say nothing, and bodies much longer than what is held of them."""

from __future__ import annotations

import contextlib
import http.client
import resource
import selectors
import socket
import threading
from pathlib import Path

import pytest
from waiting import until

from .conftest import answering

OPEN = {"path": "/open/{id}", "methods": ["GET", "POST"], "auth": "none", "body_limit_bytes": 2_000_000_000}
MUCH = {"per_second": 100_000, "per_minute": 6_000_000, "burst": 100_000}
PIECE = b"x" * 1_048_576


def memory_mb(pid):
    """Return what a process holds in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def the_worker(gateway):
    (pid,) = until(gateway.workers)
    return pid


def _streams(gateway, size_mb):
    """Send a body there and get one back of the same size; return the most that the worker held meanwhile."""
    pid, held = the_worker(gateway), []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)) as connection:
        connection.putrequest("POST", "/api/open/1")
        connection.putheader("content-length", str(size_mb * len(PIECE)))
        connection.endheaders()
        for _ in range(size_mb):
            connection.send(PIECE)
            held.append(memory_mb(pid))
        answer, received = connection.getresponse(), 0
        assert answer.status == 200
        while piece := answer.read(len(PIECE)):
            received += len(piece)
            held.append(memory_mb(pid))
    assert received == size_mb * len(PIECE)
    return max(held)


@contextlib.contextmanager
def swallowing():
    """An upstream that holds nothing of what it gets, and sends as much back."""

    def serve(connection):
        with connection, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65_536)
            head, _, begun = head.partition(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            length = int(lengths[0].split(b":")[1]) if lengths else 0
            left = length - len(begun)
            while left:
                left -= len(connection.recv(min(left, 1_048_576)))
            connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n".encode())
            for _ in range(length // len(PIECE)):
                connection.sendall(PIECE)

    def accept(server):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("size_mb", [100, pytest.param(1024, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("transport", ["pyreqwest", "aiohttp"])
def test_a_long_body_is_never_held(start, transport, size_mb):
    with swallowing() as port:
        gateway = start(OPEN, transport=transport, upstreams={"own": {"urls": [f"http://127.0.0.1:{port}"]}})
        before = memory_mb(the_worker(gateway))
        assert _streams(gateway, size_mb) < before + 80


def test_what_a_client_does_not_take_is_not_fetched_and_it_is_given_up_in_the_end(start):
    """Backpressure: an answer of which nobody takes anything stays upstream."""
    size = 200 * len(PIECE)
    with swallowing() as port:
        own = {"urls": [f"http://127.0.0.1:{port}"]}
        gateway = start(OPEN, upstreams={"own": own}, client_timeout_s=2.5)
        pid = the_worker(gateway)
        before = memory_mb(pid)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
            _ask_for(connection, 100)  # what the connection carried before gives no credit
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(4_096)
            left = 100 * len(PIECE) - len(received.partition(b"\r\n\r\n")[2])
            while left:
                left -= len(connection.recv(min(left, len(PIECE))))
            _ask_for(connection, 200)
            threading.Event().wait(2)
            assert memory_mb(pid) < before + 80
            threading.Event().wait(2)
            received = 0
            with contextlib.suppress(ConnectionResetError):
                while piece := connection.recv(len(PIECE)):
                    received += len(piece)
            assert received < size


def _ask_for(connection, size_mb):
    """Send so much, for as much to be sent back."""
    head = f"POST /api/open/1 HTTP/1.1\r\nHost: x\r\nContent-Length: {size_mb * len(PIECE)}\r\n\r\n"
    connection.sendall(head.encode())
    for _ in range(size_mb):
        connection.sendall(PIECE)


def test_an_answer_to_a_client_that_takes_its_time_arrives_whole(start):
    with swallowing() as port:
        gateway = start(OPEN, upstreams={"own": {"urls": [f"http://127.0.0.1:{port}"]}})
        pid, held = the_worker(gateway), []
        before = memory_mb(pid)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)) as connection:
            connection.request("POST", "/api/open/1", PIECE * 60)
            answer, received = connection.getresponse(), 0
            while piece := answer.read(4 * len(PIECE)):
                received += len(piece)
                threading.Event().wait(0.05)
                held.append(memory_mb(pid))
        assert received == 60 * len(PIECE)
        assert max(held) < before + 80


def test_an_upstream_that_takes_its_time_has_the_client_wait(start):
    go = threading.Event()

    def serve(server):
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            with connection:
                connection.recv(1_000)
                go.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, args=(server,), daemon=True).start()
        own = {"urls": [f"http://127.0.0.1:{server.getsockname()[1]}"]}
        gateway = start(OPEN, upstreams={"own": own})
        pid = the_worker(gateway)
        before = memory_mb(pid)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=2) as connection:
            connection.sendall(b"POST /api/open/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 500000000\r\n\r\n")
            sent = 0
            with contextlib.suppress(TimeoutError):
                for _ in range(300):
                    connection.sendall(PIECE)
                    sent += 1
            assert sent < 100
            assert memory_mb(pid) < before + 80
            go.set()


@pytest.mark.nightly
def test_ten_thousand_idle_connections_take_little_and_hinder_nobody(start, upstream):
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 1_000:
        pytest.skip(f"this machine lets a process open {hard} files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        gateway = start(OPEN, limits={"anonymous": MUCH, "free": MUCH})
        pid = the_worker(gateway)
        upstream.answer = answering()
        with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
            for _ in range(count):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=20))
                connection.sendall(b"GET /api/open/1 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(4_096).startswith(b"HTTP/1.1 200")
                selector.register(connection, selectors.EVENT_READ)
            held = memory_mb(pid)
            assert held <= 200
            assert {gateway.ask("GET", "/api/open/1").status for _ in range(50)} == {200}
            assert selector.select(0) == []  # none was closed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
