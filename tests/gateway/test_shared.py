"""What gateways share in Redis: limits that are exact, answers, breakers; and what they do when Redis is away."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import threading
import time

import pytest
from ports import free_port
from waiting import until

from mgw.core.errors import ConfigInvalid
from mgw.core.metrics import Value
from mgw.gateway.definition import Redis
from mgw.gateway.limits import Limiter, Rate, decide
from mgw.gateway.shared import Shared, url_of

from .conftest import answering, listening, starting, token
from .redis_server import running_redis

MUCH = {"per_second": 10_000, "per_minute": 600_000, "burst": 10_000}
MANY = {"anonymous": MUCH, "free": MUCH, "enterprise": MUCH}
FEW = {name: {"per_second": 1, "per_minute": 40, "burst": 20} for name in ("anonymous", "free")}
OPEN = {"path": "/open", "methods": ["GET", "POST"], "auth": "none"}
KEPT = {"path": "/kept/{id}", "methods": ["GET", "PUT"], "auth": "optional", "cache": {"ttl_s": 600}}


@pytest.fixture
def redis():
    with running_redis() as server:
        yield server


@pytest.fixture
def two(tmp_path, upstream, redis):
    """Two gateways before one upstream, with one Redis."""
    with contextlib.ExitStack() as stack:

        def begin(*routes, **given):
            found = []
            for name in ("first", "second"):
                folder = tmp_path / name
                folder.mkdir()
                shared = {"redis": {"url": redis.url}, "limits": MANY, "admin": {"port": free_port()}, **given}
                found.append(stack.enter_context(starting(folder, upstream, *routes, **shared)))
            return found

        yield begin


def in_parallel(gateways, count, path):
    """Ask several gateways at once, and return the statuses."""
    statuses = []

    def ask(gateway):
        statuses.extend(gateway.ask("GET", path).status for _ in range(count))

    threads = [threading.Thread(target=ask, args=(gateway,)) for gateway in gateways for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def test_a_limit_is_one_for_all_gateways_and_workers(two):
    gateways = two(OPEN, limits=FEW, workers=2)
    began = time.monotonic()
    statuses = in_parallel(gateways, 20, "/api/open")
    passed = statuses.count(200)
    assert 20 <= passed <= 20 + math.ceil(time.monotonic() - began)
    assert set(statuses) == {200, 429}
    reply = gateways[0].ask("GET", "/api/open")
    assert (reply.status, reply.headers["ratelimit-limit"]) == (429, "20")


def test_redis_keeps_what_a_worker_would(redis):
    """Whatever times requests come at, the script knows of a caller what `decide` makes of the requests before."""

    async def run():
        shared = Shared(Redis(url=redis.url, timeout_s=5), Value())
        rates, draw, kept, allowed = (Rate(0.02, 3), Rate(0.05, 8)), random.Random(1), [], 0
        arguments = [number for rate in rates for number in (rate.interval_s, rate.burst)]
        for _ in range(200):
            now, known = await shared._script(keys=["k"], args=arguments)
            assert [float(each) for each in known.split()] == pytest.approx(kept, abs=1e-6)
            decision, after = decide(rates, kept or [0.0, 0.0], float(now))
            kept, allowed = (after, allowed + 1) if decision.allowed else (kept, allowed)
            await asyncio.sleep(draw.choice([0, 0, 0, 0.01, 0.05]))
        await shared.close()
        return allowed

    assert 20 < asyncio.run(run()) < 180


def test_many_at_once_wait_for_a_connection_and_are_all_counted(redis):
    async def run():
        failures = Value()
        shared = Shared(Redis(url=redis.url, timeout_s=5), failures)
        rates, local = (Rate(1000.0, 100),), Limiter(lambda: 0.0)
        decisions = await asyncio.gather(*(shared.ask("t", "ann", rates, local) for _ in range(500)))
        await shared.close()
        return failures.value, sum(decision.allowed for decision in decisions)

    assert asyncio.run(run()) == (0, 100)


def test_an_answer_that_one_gateway_kept_is_given_by_the_other(two, upstream):
    first, second = two(KEPT, cache={"shared": True})
    upstream.answer = answering("cache-control: public, max-age=600", "vary: accept-language", "cache-tag: film")
    assert "stored" in first.ask("GET", "/api/kept/1", Accept_Language="de").headers["cache-status"]
    until(lambda: "hit" in second.ask("GET", "/api/kept/1", Accept_Language="de").headers["cache-status"])
    asked = len(upstream.requests)
    assert "hit" not in second.ask("GET", "/api/kept/1", Accept_Language="en").headers["cache-status"]
    assert len(upstream.requests) == asked + 1
    assert (
        "hit"
        not in second.ask("GET", "/api/kept/1", Accept_Language="de", Authorization=token()).headers["cache-status"]
    )


def test_a_change_through_one_gateway_is_known_to_the_other(two, upstream):
    first, second = two(KEPT, cache={"shared": True})
    upstream.answer = answering("cache-control: public, max-age=600", body=b"old")
    first.ask("GET", "/api/kept/1")
    until(lambda: "hit" in second.ask("GET", "/api/kept/1").headers["cache-status"])
    upstream.answer = answering("cache-control: public, max-age=600", body=b"new")
    assert first.ask("PUT", "/api/kept/1", b"x").status == 200
    until(lambda: first.ask("GET", "/api/kept/1").body == second.ask("GET", "/api/kept/1").body == b"new")


def test_a_purge_reaches_redis_and_the_other_gateway(two, upstream):
    first, second = two(KEPT, cache={"shared": True})
    upstream.answer = answering("cache-control: public, max-age=600", "cache-tag: film", body=b"old")
    for by, value in (("url", "/api/kept/1"), ("prefix", "/api/kept"), ("tag", "film"), ("everything", "")):
        first.ask("GET", "/api/kept/1")
        until(lambda: "hit" in second.ask("GET", "/api/kept/1").headers["cache-status"])
        assert first.admin("POST", "/purge", {"by": by, "value": value}).status == 200
        until(lambda: "hit" not in second.ask("GET", "/api/kept/1").headers["cache-status"])


def test_an_upstream_that_one_gateway_finds_failing_is_left_alone_by_the_other(two, upstream):
    urls = [f"http://127.0.0.1:{upstream.port}"]
    breaker = {"failures": 3, "open_s": 60}
    first, second = two(OPEN, upstreams={"own": {"urls": urls, "breaker": breaker, "retries": {"attempts": 0}}})
    assert second.ask("GET", "/api/open").status == 200
    upstream.answer = answering(status="500 Broken")
    assert [first.ask("GET", "/api/open").status for _ in range(4)] == [500, 500, 500, 503]
    until(lambda: second.ask("GET", "/api/open").status == 503)


@pytest.mark.parametrize(("when_away", "expected"), [("local", {200, 429}), ("open", {200}), ("closed", {503})])
def test_without_redis_limits_do_what_the_file_says_and_go_on_when_it_is_back(start, redis, when_away, expected):
    gateway = start(OPEN, limits=FEW, redis={"url": redis.url, "when_away": when_away})
    assert gateway.ask("GET", "/api/open").status == 200
    redis.kill()
    before = time.monotonic()
    replies = [gateway.ask("GET", "/api/open") for _ in range(60)]
    assert time.monotonic() - before < 10  # Redis is not asked again and again
    assert {reply.status for reply in replies} == expected
    if when_away == "closed":
        assert replies[0].code == "LIMITS_UNAVAILABLE"
    assert gateway.metric("mgw_gateway_redis_failures_total") >= 1
    redis.begin()
    threading.Event().wait(1.2)
    statuses = [gateway.ask("GET", "/api/open").status for _ in range(40)]
    assert set(statuses) == {200, 429}  # counted again, all together
    assert "Traceback" not in (gateway.folder / "err").read_text()


def test_redis_that_goes_and_comes_back_under_load_loses_no_request(start, redis):
    gateway = start(OPEN, KEPT, limits=MANY, redis={"url": redis.url}, cache={"shared": True}, workers=2)
    statuses, ended = [], threading.Event()

    def ask(path):
        while not ended.is_set():
            statuses.append(gateway.ask("GET", path).status)

    threads = [threading.Thread(target=ask, args=(path,)) for path in ("/api/open", "/api/kept/1")]
    for thread in threads:
        thread.start()
    for _ in range(2):
        threading.Event().wait(0.5)
        redis.kill()
        threading.Event().wait(0.5)
        redis.begin()
    threading.Event().wait(1.5)
    ended.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert len(statuses) > 100


def test_what_was_told_while_nobody_heard_it_is_made_up_for(two, redis, upstream):
    """After Redis was away a gateway forgets what it kept: it cannot know what was changed meanwhile."""
    first, second = two(KEPT, cache={"shared": True})
    upstream.answer = answering("cache-control: public, max-age=600", body=b"old")
    for gateway in (first, second):
        until(lambda gateway=gateway: "hit" in gateway.ask("GET", "/api/kept/1").headers["cache-status"])
    redis.kill()
    upstream.answer = answering("cache-control: public, max-age=600", body=b"new")
    assert first.ask("PUT", "/api/kept/1", b"x").status == 200
    assert second.ask("GET", "/api/kept/1").body == b"old"
    redis.begin()
    until(lambda: second.ask("GET", "/api/kept/1").body == b"new")


def test_where_redis_is_has_to_be_said_once(monkeypatch):
    for given in ({}, {"url": "redis://a", "url_env": "X"}, {"url_env": "MGW_TEST_NOT_THERE"}):
        with pytest.raises(ConfigInvalid, match=r"redis"):
            url_of(Redis(**given))
    monkeypatch.setenv("MGW_TEST_REDIS", "redis://:secret@h/0")
    assert url_of(Redis(url_env="MGW_TEST_REDIS")) == "redis://:secret@h/0"


def test_its_password_is_told_to_nobody(start):
    with listening() as away:
        gateway = start(OPEN, limits=MANY, redis={"url": f"redis://:hushhush@127.0.0.1:{away.port}/0"})
        away.answer = b"-ERR no\r\n"
        assert gateway.ask("GET", "/api/open").status == 200
        assert gateway.stop() == 0
        assert "hushhush" not in (gateway.folder / "err").read_text() + (gateway.folder / "out").read_text()
