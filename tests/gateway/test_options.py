"""What a route may have besides: origins, canaries, fallbacks, limits of its own; and traces, checks and shedding."""

from __future__ import annotations

import re
import threading
import time

import pytest
from ports import free_port
from waiting import until

from mgw.gateway.tracing import trace_of

from .conftest import answering, listening, token

MANY = {
    name: {"per_second": 10_000, "per_minute": 600_000, "burst": 10_000} for name in ("anonymous", "free", "enterprise")
}
OPEN = {"path": "/open", "methods": ["GET", "POST"], "auth": "none"}
CORS = {"origins": ["https://app.example"], "headers": ["authorization", "x-own"], "expose": ["etag"], "max_age_s": 60}


def test_a_page_of_an_origin_that_may_ask_is_told_so_and_no_other(start, upstream):
    upstream.answer = answering("access-control-allow-origin: *", "etag: 1")
    gateway = start({**OPEN, "cors": {**CORS, "credentials": True}}, {"path": "/own", "cors": CORS})
    asked = {"Origin": "https://app.example", "Access_Control_Request_Method": "POST"}
    reply = gateway.ask("OPTIONS", "/api/open", **asked)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "https://app.example"
    assert reply.headers["access-control-allow-methods"] == "GET, POST"
    assert reply.headers["access-control-allow-headers"] == "authorization, x-own"
    assert reply.headers["access-control-allow-credentials"] == "true"
    assert reply.headers["access-control-max-age"] == "60"
    assert gateway.ask("OPTIONS", "/api/open", **{**asked, "Origin": "https://evil.example"}).code == "ORIGIN_REFUSED"
    assert gateway.ask("OPTIONS", "/api/open").status == 405  # no preflight
    assert upstream.requests == []
    reply = gateway.ask("GET", "/api/open", Origin="https://app.example")
    assert reply.headers["access-control-allow-origin"] == "https://app.example"  # not the upstream's
    assert (reply.headers["access-control-expose-headers"], reply.headers["vary"]) == ("etag", "Origin")
    reply = gateway.ask("GET", "/api/open", Origin="https://evil.example")
    assert reply.status == 200
    assert not [name for name in reply.headers if name.startswith("access-control")]
    refused = gateway.ask("GET", "/api/own", Origin="https://app.example")
    assert refused.status == 401
    assert refused.headers["access-control-allow-origin"] == "https://app.example"  # so that the page can read why


def at(upstream):
    return {"urls": [f"http://127.0.0.1:{upstream.port}"]}


def test_a_canary_gets_its_share_and_callers_stay_with_it(start, upstream):
    with listening() as other:
        other.answer = answering(body=b"new")
        gateway = start(
            {**OPEN, "auth": "optional", "canary": {"upstream": "next", "weight": 0.3, "header": "x-c", "value": "1"}},
            upstreams={
                name: {"urls": [f"http://127.0.0.1:{one.port}"]} for name, one in (("own", upstream), ("next", other))
            },
            limits=MANY,
        )
        found = {}
        for number in range(200):
            bearer = token(f"u{number}")
            found[number] = gateway.ask("GET", "/api/open", Authorization=bearer).body
            if number % 10 == 0:
                again = {gateway.ask("GET", "/api/open", Authorization=bearer).body for _ in range(3)}
                assert again == {found[number]}
        assert 35 <= sum(body == b"new" for body in found.values()) <= 85  # 60 ± 4 standard deviations
        assert gateway.ask("GET", "/api/open", X_C="1").body == b"new"
        assert gateway.ask("GET", "/api/open", X_C="0").body == b"ok"


def test_where_there_is_no_answer_the_fallback_is_given(start, upstream):
    route = {**OPEN, "fallback": {"status": 203, "body": {"items": []}}}
    gone = {"urls": [f"http://127.0.0.1:{free_port()}"]}
    own = {"urls": [f"http://127.0.0.1:{upstream.port}"], "breaker": {"failures": 3, "open_s": 60}}
    gateway = start(
        route, {**route, "path": "/gone", "upstream": "gone"}, {**route, "path": "/none", "upstream": "none"},
        upstreams={"own": own, "gone": gone}, limits=MANY,
    )  # fmt: skip
    assert gateway.ask("GET", "/api/open").status == 200
    upstream.answer = answering(status="404 None")
    assert gateway.ask("GET", "/api/open").status == 404
    upstream.answer = answering(status="500 Broken")
    for path in ("/api/open", "/api/gone", "/api/none"):
        for _ in range(5):  # the breaker is open by then
            reply = gateway.ask("POST", path, b"{}")
            assert (reply.status, reply.json) == (203, {"items": []})


# Made when the tests are collected, which may be long before they run.
LASTING = {user: token(user, seconds=86_400) for user in ("ann", "ben")}


@pytest.mark.parametrize(
    ("by", "same", "others"),
    [
        ("api_key", {"X_Api_Key": "k1"}, [{"X_Api_Key": "k2"}]),
        ("caller", {"Authorization": LASTING["ann"]}, [{"Authorization": LASTING["ben"]}, {}]),
        ("address", {"X_Forwarded_For": "2001:db8::1"}, [{"X_Forwarded_For": "2001:db8:0:1::1"}]),
        ("route", {"X_Forwarded_For": "9.9.9.9"}, []),
    ],
)
def test_a_route_has_a_limit_of_its_own_by_whom_it_says(start, by, same, others):
    route = {**OPEN, "auth": "optional", "limit": {"per_second": 1, "per_minute": 2, "burst": 2, "by": by}}
    gateway = start(route, {**route, "path": "/other"}, limits=MANY, trusted_proxies=["127.0.0.1"])
    replies = [gateway.ask("GET", "/api/open", **same) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[0].headers["ratelimit-limit"] == "2"
    for other in others:
        assert gateway.ask("GET", "/api/open", **other).status == 200
    if by == "route":
        assert gateway.ask("GET", "/api/open", X_Forwarded_For="8.8.8.8").status == 429
    if by == "address":
        assert gateway.ask("GET", "/api/open", X_Forwarded_For="2001:db8::ffff").status == 429
    assert gateway.ask("GET", "/api/other", **same).status == 200
    assert gateway.metric("mgw_gateway_limited_total", tier="route") >= 1
    assert "k1" not in (gateway.folder / "out").read_text()


def waiting(upstream):
    """Have an upstream answer only when it is told to."""
    begun, go = [], threading.Event()

    def answer(connection, _):
        begun.append(1)
        go.wait(20)
        connection.sendall(answering())

    upstream.answer = answer
    return begun, go


@pytest.mark.parametrize(
    ("given", "code"),
    [({"concurrency": 2}, "OVERLOADED"), ({"upstream": {"concurrency": 2}}, "UPSTREAM_BUSY")],
)
def test_what_is_more_than_can_be_done_is_refused_at_once(start, upstream, given, code):
    begun, go = waiting(upstream)
    own = {"urls": [f"http://127.0.0.1:{upstream.port}"], **given.pop("upstream", {})}
    gateway = start(OPEN, upstreams={"own": own}, limits=MANY, **given)
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(gateway.ask("GET", "/api/open"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    until(lambda: len(begun) == 2)
    before = time.monotonic()
    reply = gateway.ask("GET", "/api/open")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, code, "1")
    assert time.monotonic() - before < 2
    assert gateway.ask("GET", "/health").status == 200
    go.set()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200, 200]
    assert gateway.ask("GET", "/api/open").status == 200


def test_an_instance_that_is_not_well_is_not_asked_until_it_is(start, upstream):
    with listening() as other:
        well = threading.Event()

        def answer(connection, request):
            is_check = b"GET /well " in request
            connection.sendall(
                answering(body=b"other", status="503 Off" if is_check and not well.is_set() else "200 OK")
            )

        other.answer = answer
        check = {"path": "/well", "interval_s": 0.05, "unhealthy": 2, "healthy": 2}
        urls = [f"http://127.0.0.1:{one.port}" for one in (upstream, other)]
        gateway = start(OPEN, upstreams={"own": {"urls": urls, "health": check}}, limits=MANY)
        gateway.told("is not well")
        assert {gateway.ask("GET", "/api/open").body for _ in range(30)} == {b"ok"}
        assert gateway.metric("mgw_gateway_instances_left_out", upstream="own") == 1
        well.set()
        gateway.told("is well again")
        assert {gateway.ask("GET", "/api/open").body for _ in range(60)} == {b"ok", b"other"}


def test_an_answer_that_there_is_nothing_is_kept_for_less_long(start, upstream):
    route = {"path": "/c/{id}", "auth": "none", "cache": {"ttl_s": 600, "negative_ttl_s": 0.3}}
    gateway = start(route, limits=MANY)
    upstream.answer = answering(status="404 None")
    assert [gateway.ask("GET", "/api/c/1").status for _ in range(3)] == [404] * 3
    assert len(upstream.requests) == 1
    upstream.answer = answering(body=b"here")
    until(lambda: gateway.ask("GET", "/api/c/1").body == b"here")


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_trace_goes_on_and_the_log_has_it(start, upstream):
    gateway = start(OPEN)
    gateway.ask("GET", "/api/open", Traceparent=TRACE, Tracestate="a=b", X_Request_Id="r-1", X_Correlation_Id="c-1")
    version, trace_id, span_id, flags = upstream.head["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", "0af7651916cd43dd8448eb211c80319c", "01")
    assert span_id != "b7ad6b7169203331"
    assert upstream.head["tracestate"] == "a=b"
    gateway.ask("GET", "/api/open", Traceparent="nonsense", Tracestate="a=b")
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", upstream.head["traceparent"])
    assert "tracestate" not in upstream.head  # of a trace that cannot be read
    gateway.stop()
    (line,) = [line for line in gateway.log() if line["request_id"] == "r-1"]
    assert (line["trace_id"], line["correlation_id"]) == ("0af7651916cd43dd8448eb211c80319c", "c-1")


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "",
        TRACE.upper(),
        f"ff{TRACE[2:]}",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        f"{TRACE[:-2]}zz",
        TRACE[:-1],
        f" {TRACE}",
    ],
)
def test_a_trace_that_cannot_be_read_begins_anew(bad):
    trace = trace_of(bad, 0.0)
    assert trace.parent_id == ""
    assert trace.trace_id != "0af7651916cd43dd8448eb211c80319c"
    assert not trace.is_sampled
    assert trace_of(bad, 1.0).is_sampled


def test_a_trace_of_a_later_version_is_read():
    assert trace_of(f"cc{TRACE[2:]}-what-comes", 0.0)[:2] == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
