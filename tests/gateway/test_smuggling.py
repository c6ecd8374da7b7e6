"""Requests that two readers could understand in two ways: refused, or sent on exactly as they were understood.

Each is sent raw, and what arrives upstream is read raw. Behind each stands a second request, `/api/open/smuggled`, that
an upstream must never see as part of the first one.
"""

from __future__ import annotations

import contextlib
import re
import socket

import pytest

from .conftest import answering, listening, starting

OPEN = {"path": "/open/{id}", "methods": ["GET", "POST"], "auth": "none"}
OWN = {"path": "/own/{id}"}
MUCH = {"per_second": 10_000, "per_minute": 600_000, "burst": 10_000}
END = b"0\r\n\r\n"
HIDDEN = b"GET /api/open/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    limits = dict.fromkeys(("anonymous", "free", "enterprise"), MUCH)
    folder = tmp_path_factory.mktemp("raw")
    with listening() as upstream, starting(folder, upstream, OPEN, OWN, limits=limits, body_timeout_s=0.5) as made:
        upstream.answer = answering()
        yield made


def head(*lines, method=b"POST", path=b"/api/open/1", version=b"HTTP/1.1", host=b"Host: x"):
    first = b" ".join((method, path, version))
    return b"\r\n".join((first, *((host,) if host else ()), *lines)) + b"\r\n\r\n"


BODIES = {
    "both lengths": head(b"Content-Length: 6", b"Transfer-Encoding: chunked") + END + HIDDEN,
    "both lengths, the other way": head(b"Transfer-Encoding: chunked", b"Content-Length: 6") + END + HIDDEN,
    "two lengths": head(b"Content-Length: 0", b"Content-Length: 44") + HIDDEN,
    "two lengths alike": head(b"Content-Length: 2", b"Content-Length: 2") + b"ab",
    "a list of lengths": head(b"Content-Length: 2, 2") + b"ab",
    "a sign before the length": head(b"Content-Length: +2") + b"ab",
    "a negative length": head(b"Content-Length: -2") + b"ab",
    "a length in hexadecimal": head(b"Content-Length: 0x2") + b"ab",
    "a length with a line in it": head(b"Content-Length: 2\n3") + b"ab",
    "a length of Arabic digits": head("Content-Length: ٢".encode()) + b"ab",
    "a length too large for anybody": head(b"Content-Length: 99999999999999999999999") + b"ab",
    "an empty length": head(b"Content-Length:") + HIDDEN,
    "chunked, obscured by case": head(b"Content-Length: 4", b"Transfer-Encoding: CHUNKED") + END + HIDDEN,
    "chunked, obscured by a word": head(b"Content-Length: 4", b"Transfer-Encoding: xchunked") + END + HIDDEN,
    "chunked, obscured by a list": head(b"Content-Length: 4", b"Transfer-Encoding: chunked, identity") + END + HIDDEN,
    "chunked, obscured by a tab": head(b"Content-Length: 4", b"Transfer-Encoding:\tchunked") + END + HIDDEN,
    "chunked, obscured by a space": head(b"Content-Length: 4", b"Transfer-Encoding : chunked") + END + HIDDEN,
    "chunked, obscured by a control": head(b"Content-Length: 4", b"Transfer-Encoding: \x0bchunked") + END + HIDDEN,
    "chunked twice": head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked") + END + HIDDEN,
    "chunked in the trailer": head(b"Transfer-Encoding: chunked", b"Trailer: X") + b"0\r\nX: 1\r\n\r\n" + HIDDEN,
    "a chunk with a sign": head(b"Transfer-Encoding: chunked") + b"+2\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "a chunk too large for anybody": head(b"Transfer-Encoding: chunked") + b"fffffffffffffffff\r\nab",
    "in version 1.0, chunked": head(b"Transfer-Encoding: chunked", version=b"HTTP/1.0") + END + HIDDEN,
}  # fmt: skip

HEADS = {
    "no carriage returns": b"GET /api/open/1 HTTP/1.1\nHost: x\n\n",
    "a folded line": head(b"X: a\r\n b", method=b"GET"),
    "a folded host": head(b"X: a", method=b"GET", host=b"Host:\r\n x"),
    "a space before a colon": head(b"X : a", method=b"GET"),
    "a space before a name": head(b" X: a", method=b"GET"),
    "no name": head(b": a", method=b"GET"),
    "no colon": head(b"X", method=b"GET"),
    "a null in a value": head(b"X: a\x00b", method=b"GET"),
    "a null in a name": head(b"X\x00Y: a", method=b"GET"),
    "a carriage return in a value": head(b"X: a\rY: b", method=b"GET"),
    "bytes that are no text": head(b"X: \xff\xfe", method=b"GET"),
    "two hosts": head(b"Host: y", method=b"GET"),
    "no host": head(method=b"GET", host=b""),
    "an empty host": head(method=b"GET", host=b"Host:"),
    "a host that ends what quotes it": head(method=b"GET", host=b'Host: x";for="9.9.9.9'),
    "a host with a path": head(method=b"GET", host=b"Host: x/api"),
    "a host with somebody": head(method=b"GET", host=b"Host: a@x"),
    "two hosts in one": head(method=b"GET", host=b"Host: x, y"),
    "no host in version 1.0": head(method=b"GET", host=b"", version=b"HTTP/1.0"),
    "version 0.9": b"GET /api/open/1\r\n\r\n",
    "version 2 in words": head(method=b"GET", version=b"HTTP/2.0"),
    "version 1.2": head(method=b"GET", version=b"HTTP/1.2"),
    "the preface of version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "two tokens": head(b"Authorization: Bearer a", b"Authorization: Bearer b", method=b"GET", path=b"/api/own/1"),
    "a whole URL": head(method=b"GET", path=b"http://evil/api/open/1"),
    "a whole URL with somebody": head(method=b"GET", path=b"http://a@x/api/open/1"),
    "a path without a slash": head(method=b"GET", path=b"api/open/1"),
    "a star": head(method=b"GET", path=b"*"),
    "a star for options": head(method=b"OPTIONS", path=b"*"),
    "a space in the path": head(method=b"GET", path=b"/api/open/1 x"),
    "a tab in the path": head(method=b"GET", path=b"/api/open/1\tx"),
    "a null in the path": head(method=b"GET", path=b"/api/open/1\x00"),
    "bytes in the path": head(method=b"GET", path=b"/api/open/\xff"),
    "bytes in the path, encoded": head(method=b"GET", path=b"/api/open/%ff"),
    "a slash in the path, encoded": head(method=b"GET", path=b"/api/open%2fown/1"),
    "a dot segment": head(method=b"GET", path=b"/api/open/../own/1"),
    "a dot segment, encoded": head(method=b"GET", path=b"/api/open/%2e%2e/own/1"),
    "a dot segment, half encoded": head(method=b"GET", path=b"/api/open/.%2e/own/1"),
    "a dot segment, encoded twice": head(method=b"GET", path=b"/api/open/%252e%252e"),
    "a dot segment with a parameter": head(method=b"GET", path=b"/api/open/..;/own/1"),
    "a backslash": head(method=b"GET", path=b"/api/open\\..\\own/1"),
    "a line in the query": head(method=b"GET", path=b"/api/open/1?a=%0d%0aX:%20y"),
    "a line in the query, raw": head(method=b"GET", path=b"/api/open/1?a=\rX"),
    "a query in a query": head(method=b"GET", path=b"/api/open/1?a?b=/../own/1"),
    "a method in lower case": head(method=b"get"),
    "a method with a sign": head(method=b"GE(T"),
    "a method too long": head(method=b"G" * 10_000),
    "a claim forged": head(b"X-Auth-User: root", method=b"GET"),
    "a claim forged by connection": head(b"Connection: x-forwarded-for, x-request-id", method=b"GET"),
    "an upgrade that nobody wants": head(b"Upgrade: h2c", b"HTTP2-Settings: AAMA", method=b"GET"),
    "many headers": head(*[b"X-%d: y" % number for number in range(500)], method=b"GET"),
    "a header too long": head(b"X: " + b"y" * 100_000, method=b"GET"),
    "empty lines first": b"\r\n\r\n" + head(method=b"GET"),
    "nothing but empty lines": b"\r\n" * 100,
    "nonsense": bytes(range(256)) * 4,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
}  # fmt: skip


def sent_raw(gateway, request):
    """Send bytes, and return the statuses of all answers that come."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=1.5) as connection:
        answer = b""
        with contextlib.suppress(TimeoutError, OSError):
            connection.sendall(request)
            while piece := connection.recv(65_536):
                answer += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


def lines_of(requests):
    return [request.partition(b"\r\n")[0] for request in requests]


@pytest.mark.parametrize("name", BODIES)
def test_a_body_never_hides_a_request(gateway, name):
    before = len(gateway.upstream.requests)
    statuses = sent_raw(gateway, BODIES[name])
    arrived = gateway.upstream.requests[before:]
    # What the gateway took for a second request of its own is one, and was answered as one; nothing else arrives.
    assert len(arrived) <= statuses.count(200)
    for request in arrived:
        first, _, body = request.partition(b"\r\n\r\n")
        assert first.count(b" HTTP/1.1") == 1
        assert HIDDEN[:20] not in body
        assert first.lower().count(b"content-length:") <= 1
        assert b"transfer-encoding" not in first.lower()
    assert statuses == [] or all(status in {200, 400, 408, 411, 413, 501, 505} for status in statuses), statuses


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_refused_or_sent_on_as_it_was_understood(gateway, name):
    before = len(gateway.upstream.requests)
    statuses = sent_raw(gateway, HEADS[name])
    arrived = gateway.upstream.requests[before:]
    assert len(arrived) == statuses.count(200)
    assert all(status < 500 or status in {501, 505} for status in statuses), statuses
    for request in arrived:
        first, *rest = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
        assert re.fullmatch(rb"GET /api/open/[!-.0->@-~]+(\?[!-~]*)? HTTP/1\.1", first), first
        names = [line.partition(b":")[0].lower() for line in rest]
        assert names.count(b"host") == 1
        assert b"x-auth-user" not in names
        assert {b"x-forwarded-for", b"x-request-id"} <= set(names)
        assert not {b"connection", b"upgrade", b"http2-settings", b"te"} & set(names) - {b"connection"}
        assert all(re.fullmatch(rb"[!-~]+:[ \t]*[\t -~\x80-\xff]*", line) for line in rest)


def test_requests_behind_each_other_are_answered_in_order_each_by_itself(gateway):
    requests = b"".join(head(method=b"GET", path=b"/api/open/%d" % number) for number in range(20))
    before = len(gateway.upstream.requests)
    assert sent_raw(gateway, requests) == [200] * 20
    lines = lines_of(gateway.upstream.requests[before:])
    assert lines == [b"GET /api/open/%d HTTP/1.1" % number for number in range(20)]
