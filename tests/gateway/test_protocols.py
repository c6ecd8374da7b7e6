"""What is spoken at the front: TLS, HTTP/2, WebSockets, server-sent events, and clients that take their time."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import http.client
import socket
import ssl
import threading
import time

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ports import free_port
from pyreqwest.client import ClientBuilder
from waiting import until

from .conftest import answering, token

OPEN = {"path": "/open/{id}", "methods": ["GET", "POST"], "auth": "none"}
TRANSPORTS = ["pyreqwest", "aiohttp"]
MUCH = {"per_second": 1_000, "per_minute": 60_000, "burst": 1_000}
MANY = {"anonymous": MUCH, "free": MUCH, "enterprise": MUCH}


@pytest.fixture
def certificate(tmp_path):
    """A certificate of 127.0.0.1, in a folder with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return tmp_path


def over_tls(port, folder, version=None):
    context = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    if version is not None:
        context.maximum_version = version
    connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
    with contextlib.closing(connection):
        connection.request("GET", "/api/open/1")
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())


def start_with_tls(start, upstream, **given):
    tls = {"cert_file": "cert.pem", "key_file": "key.pem", **given}
    return start(OPEN, upstreams={"own": at(upstream.port)}, tls=tls, limits=MANY, waits=False)


def at(port):
    return {"urls": [f"http://127.0.0.1:{port}"]}


def test_tls_is_spoken_and_what_is_older_is_refused(start, upstream, certificate):
    gateway = start_with_tls(start, upstream)
    until(lambda: "listens at https" in (gateway.folder / "err").read_text())
    assert until(lambda: _answer(gateway, certificate))[:2] == (200, b"ok")
    assert upstream.head["x-forwarded-proto"] == "https"
    with pytest.raises(ssl.SSLError):
        over_tls(gateway.port, certificate, ssl.TLSVersion.TLSv1_2)


def test_an_older_tls_can_be_allowed(start, upstream, certificate):
    gateway = start_with_tls(start, upstream, min_version="1.2")
    until(lambda: _answer(gateway, certificate))
    assert over_tls(gateway.port, certificate, ssl.TLSVersion.TLSv1_2)[0] == 200


def _answer(gateway, certificate):
    try:
        return over_tls(gateway.port, certificate)
    except OSError:
        return None


def ask_http2(url, cafile=None):
    async def run():
        builder = ClientBuilder().http2_prior_knowledge()
        if cafile is not None:
            builder = builder.add_root_certificate_pem(cafile.read_bytes())
        async with builder.build() as client:
            answers = [client.get(f"{url}/api/open/{n}").header("x-own", str(n)).build().send() for n in range(20)]
            found = await asyncio.gather(*answers)
            return {(each.version, each.status, bytes(await each.bytes())) for each in found}

    return asyncio.run(run())


def test_http2_is_spoken_without_tls(start, upstream):
    gateway = start(OPEN, limits=MANY, http2=True)
    assert ask_http2(f"http://127.0.0.1:{gateway.port}") == {("HTTP/2.0", 200, b"ok")}
    assert upstream.head[""].endswith("HTTP/1.1")
    assert upstream.head["x-forwarded-host"] == f"127.0.0.1:{gateway.port}"


def test_a_body_in_http2_of_which_nothing_is_said_is_refused_and_not_dropped(start, upstream):
    gateway = start(OPEN, limits=MANY, http2=True)
    url = f"http://127.0.0.1:{gateway.port}/api/open/1"

    async def pieces():
        yield b"abc"
        yield b"def"

    async def run():
        async with ClientBuilder().http2_prior_knowledge().build() as client:
            unsaid = await client.post(url).body_stream(pieces()).build().send()
            none = await client.post(url).build().send()
            said = await client.post(url).body_bytes(b"abcdef").build().send()
            return unsaid.status, none.status, said.status

    assert asyncio.run(run()) == (411, 200, 200)
    assert [request.partition(b"\r\n\r\n")[2] for request in upstream.requests] == [b"", b"abcdef"]


def test_http2_is_offered_and_spoken_over_tls(start, upstream, certificate):
    gateway = start_with_tls(start, upstream)
    until(lambda: _answer(gateway, certificate))
    context = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("localhost", gateway.port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
    assert ask_http2(f"https://localhost:{gateway.port}", certificate / "cert.pem") == {("HTTP/2.0", 200, b"ok")}


class SocketServer:
    """An upstream of WebSockets, on aiohttp: it says back what it hears, and keeps what it was asked with."""

    def __init__(self):
        self.port, self.headers, self.closed = free_port(), [], []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self):
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self):
        async def echo(request):
            ours = web.WebSocketResponse()
            await ours.prepare(request)
            self.headers.append(request.headers)
            async for message in ours:
                if message.type is aiohttp.WSMsgType.TEXT:
                    if message.data == "end":
                        break
                    await ours.send_str(message.data)
                elif message.type is aiohttp.WSMsgType.BINARY:
                    await ours.send_bytes(message.data)
            await ours.close()
            self.closed.append(1)
            return ours

        async def begin():
            app = web.Application()
            app.router.add_get("/api/live", echo)
            runner = web.AppRunner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            self._ready.set()
            return runner

        asyncio.set_event_loop(self._loop)
        runner = self._loop.run_until_complete(begin())
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()


@pytest.fixture
def sockets(start):
    routes = [
        {"path": "/live", "websocket": True},
        {"path": "/gone", "websocket": True, "auth": "none", "upstream": "gone"},
        {"path": "/paged", "websocket": True, "auth": "none", "cors": {"origins": ["https://app.example"]}},
        OPEN,
    ]
    with SocketServer() as server:
        yield server, start(*routes, upstreams={"own": at(server.port), "gone": at(free_port())}, limits=MANY)


def test_a_websocket_passes_both_ways(sockets):
    server, gateway = sockets
    headers = {"Authorization": token("ann"), "x-auth-user": "root"}

    async def run():
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{gateway.port}/api/live", headers=headers) as ours,
        ):
            for number in range(50):
                await ours.send_str(f"hello {number} é")
                assert await ours.receive_str(timeout=10) == f"hello {number} é"
            await ours.send_bytes(bytes(range(256)) * 400)
            assert await ours.receive_bytes(timeout=10) == bytes(range(256)) * 400
            await ours.send_str("end")
            assert (await ours.receive(timeout=10)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}

    asyncio.run(run())
    assert server.headers[0]["x-auth-user"] == "ann"
    until(lambda: server.closed)
    gateway.stop()
    (line,) = [line for line in gateway.log() if line["route"] == "/api/live"]
    assert (line["status"], line["user"]) == (101, "ann")


def test_a_client_that_goes_away_closes_the_upstreams_side(sockets):
    server, gateway = sockets

    async def run():
        async with aiohttp.ClientSession() as session:
            headers = {"Authorization": token("ann")}
            ours = await session.ws_connect(f"http://127.0.0.1:{gateway.port}/api/live", headers=headers)
            await ours.send_str("x")
            await ours.receive_str(timeout=10)
            await ours.close()

    asyncio.run(run())
    until(lambda: server.closed)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/live", 401), ("/api/gone", 503), ("/api/open/1", 426), ("/api/none", 404), ("/api/paged", 403)],
)
def test_a_websocket_that_is_not_to_be_is_refused_before_it_begins(sockets, path, status):
    server, gateway = sockets

    async def run():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await session.ws_connect(f"http://127.0.0.1:{gateway.port}{path}", origin="https://evil.example")
            assert caught.value.status == status

    asyncio.run(run())
    assert server.headers == []


def test_a_path_for_websockets_takes_nothing_else(sockets):
    _, gateway = sockets
    reply = gateway.ask("GET", "/api/live", Authorization=token("ann"))
    assert (reply.status, reply.code, reply.headers["upgrade"]) == (426, "UPGRADE_REQUIRED", "websocket")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_events_arrive_as_they_are_sent(start, upstream, transport):
    go = [threading.Event() for _ in range(3)]

    def answer(connection, _):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n\r\n")
        for number, each in enumerate(go):
            connection.sendall(f"data: {number}\n\n".encode())
            each.wait(10)

    upstream.answer = answer
    gateway = start(OPEN, transport=transport)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)) as connection:
        connection.request("GET", "/api/open/1")
        reply = connection.getresponse()
        assert reply.getheader("content-type") == "text/event-stream"
        for number, each in enumerate(go):  # the next one is only sent when this one has arrived
            assert reply.readline() == f"data: {number}\n".encode()
            assert reply.readline() == b"\n"
            each.set()
        assert reply.read() == b""


def test_clients_that_take_their_time_are_cut_off(start):
    gateway = start(OPEN, header_timeout_s=0.5, body_timeout_s=0.5)
    for begun in (b"GET /api/open/1 HTT", b"GET /api/open/1 HTTP/1.1\r\nHost: x\r\nX: "):
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            connection.sendall(begun)
            before = time.monotonic()
            while connection.recv(65_536):
                pass
            assert time.monotonic() - before < 5
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(b"POST /api/open/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        assert b" 408 " in connection.recv(65_536)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda connection, _: connection.close(), (502, "UPSTREAM_BROKEN")),
        (lambda connection, _: connection.sendall(b"nonsense\r\n\r\n"), (502, "UPSTREAM_BROKEN")),
        (lambda connection, _: connection.recv(1), (504, "UPSTREAM_TIMEOUT")),
        (lambda connection, _: connection.sendall(answering(body=b"xx")[:-1]), (502, "UPSTREAM_BROKEN")),
    ],
)
def test_both_transports_tell_faults_apart(start, upstream, transport, answer, told):
    upstream.answer = answer
    route = {**OPEN, "timeouts": {"connect_s": 0.5, "first_byte_s": 0.5, "idle_s": 0.5}}
    elsewhere = [{**route, "path": f"/{name}", "upstream": name} for name in ("gone", "unnamed")]
    upstreams = {
        "own": at(upstream.port),
        "gone": at(free_port()),
        "unnamed": {"urls": ["http://no-such-host.invalid"]},
    }
    gateway = start(route, *elsewhere, transport=transport, upstreams=upstreams)
    reply = gateway.ask("GET", "/api/open/1")
    assert (reply.status, reply.code) == told
    assert gateway.ask("GET", "/api/gone").code == "UPSTREAM_UNREACHABLE"
    assert gateway.ask("GET", "/api/unnamed").code == "UPSTREAM_UNREACHABLE"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_both_transports_send_what_was_asked_byte_for_byte(start, upstream, transport):
    upstream.answer = answering("set-cookie: a=1", "set-cookie: b=2", "content-encoding: gzip", body=b"not gzip at all")
    gateway = start({**OPEN, "body_limit_bytes": 10_000_000}, transport=transport)
    reply = gateway.ask("POST", "/api/open/%C3%A9%20x?a=%20&b=c+d&&e=%zz", b"x" * 100_000, X_Own="1")
    assert (reply.status, reply.body) == (200, b"not gzip at all")
    assert upstream.head[""] == "POST /api/open/%C3%A9%20x?a=%20&b=c+d&&e=%zz HTTP/1.1"
    assert upstream.body == b"x" * 100_000
    assert (upstream.head["x-own"], upstream.head["content-length"]) == ("1", "100000")
    assert "transfer-encoding" not in upstream.head
    assert gateway.ask("GET", "/api/open/1").status == 200
