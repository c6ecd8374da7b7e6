"""Breakers, instances and retries: on a simulated clock by themselves, and on real sockets together."""

from __future__ import annotations

import random
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.gateway.breaker import Breaker, State
from mgw.gateway.definition import BreakerSettings
from mgw.gateway.instances import FAILURES_IN_A_ROW, Instances
from mgw.gateway.retries import RetryBudget

from .conftest import listening, starting, token
from .test_limits import Clock

GET = {"path": "/open", "methods": ["GET", "POST"], "auth": "none"}
FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
FAILS = b"HTTP/1.1 503 Off\r\ncontent-length: 0\r\n\r\n"
MANY = {"anonymous": {"per_second": 1000, "per_minute": 60000, "burst": 1000},
        "free": {"per_second": 1000, "per_minute": 60000, "burst": 1000}}  # fmt: skip


def test_a_breaker_opens_waits_probes_and_closes():
    clock = Clock()
    breaker = Breaker(BreakerSettings(failures=3, error_rate=0.5, open_s=2, probes=2), clock)
    for failed in (False, True, True):
        assert breaker.admit()
        breaker.record(failed=failed)
    assert breaker.state is State.CLOSED
    assert breaker.admit()
    breaker.record(failed=True)
    assert breaker.state is State.OPEN
    assert (breaker.admit(), breaker.retry_after_s) == (False, 2.0)
    clock.now += 2
    assert breaker.state is State.HALF_OPEN
    assert [breaker.admit() for _ in range(3)] == [True, True, False]
    breaker.record(failed=False)
    assert breaker.state is State.HALF_OPEN
    breaker.record(failed=False)
    assert breaker.state is State.CLOSED


def test_a_probe_that_fails_opens_it_again_and_one_that_went_away_makes_room():
    clock = Clock()
    breaker = Breaker(BreakerSettings(failures=1, open_s=2), clock)
    breaker.record(failed=True)
    clock.now += 2
    assert (breaker.admit(), breaker.admit()) == (True, False)
    breaker.forget()
    assert breaker.admit()
    breaker.record(failed=True)
    assert breaker.state is State.OPEN


def test_failures_among_many_that_went_well_or_long_ago_do_not_open_it():
    clock = Clock()
    breaker = Breaker(BreakerSettings(failures=5, error_rate=0.5, window_s=10), clock)
    for number in range(100):
        breaker.record(failed=number % 4 == 0)
    assert breaker.state is State.CLOSED
    clock.now += 11
    for _ in range(4):
        breaker.record(failed=True)
    assert breaker.state is State.CLOSED
    breaker.record(failed=True)
    assert breaker.state is State.OPEN


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=80))
def test_an_open_breaker_lets_nothing_pass_before_its_time(steps):
    clock = Clock()
    breaker = Breaker(BreakerSettings(failures=2, open_s=5), clock)
    opened = None
    for wait, failed in steps:
        clock.now += wait
        passed = breaker.admit()
        if opened is not None and clock.now < opened + 5:
            assert not passed
        if passed:
            breaker.record(failed=failed)
        opened = clock.now if passed and breaker.state is State.OPEN else opened


def test_the_one_with_less_to_do_is_asked_and_one_that_fails_is_left_out():
    clock = Clock()
    instances = Instances(["http://a/", "http://b"], clock, random.Random(0))
    first = instances.choose()
    first.under_way = 5
    assert all(instances.choose() is not first for _ in range(20))
    other = instances.choose()
    for _ in range(FAILURES_IN_A_ROW):
        instances.record(other, failed=True)
    assert all(instances.choose() is first for _ in range(20))
    assert instances.choose([first]) is other  # better one that failed than one that was tried
    clock.now += 10
    assert instances.choose([first]) is other
    assert {each.url for each in instances._all} == {"http://a", "http://b"}


def test_retries_are_a_share_of_the_requests():
    clock = Clock()
    budget = RetryBudget(0.2, clock)
    assert [budget.take() for _ in range(5)] == [True, True, True, False, False]
    for _ in range(100):
        budget.count()
    assert sum(budget.take() for _ in range(50)) == 17
    clock.now += 11
    assert budget.take()
    assert not RetryBudget(0.0, clock).take()


@pytest.fixture
def two(tmp_path):
    """A gateway before two instances."""
    with listening() as first, listening() as second:
        urls = [f"http://127.0.0.1:{each.port}" for each in (first, second)]

        def begin(**given):
            return starting(tmp_path, first, GET, upstreams={"own": {"urls": urls, **given}}, limits=MANY)

        yield first, second, begin


def test_a_request_that_may_be_sent_twice_finds_the_instance_that_works(two):
    first, second, begin = two
    first.answer = lambda connection, _: connection.close()
    with begin(retries={"attempts": 1, "budget": 1}, breaker={"failures": 1000}) as gateway:
        assert {gateway.ask("GET", "/api/open").status for _ in range(20)} == {200}
        first.answer = FAILS
        assert {gateway.ask("GET", "/api/open").status for _ in range(20)} == {200}
        seen = len(first.requests) + len(second.requests)
        statuses = [gateway.ask("POST", "/api/open", b"x").status for _ in range(20)]
        assert len(first.requests) + len(second.requests) == seen + 20  # none was sent twice
        assert set(statuses) <= {200, 503}


def test_an_upstream_that_fails_is_left_alone_and_asked_again(start, upstream):
    upstream.answer = b"HTTP/1.1 500 Broken\r\ncontent-length: 0\r\n\r\n"
    urls = [f"http://127.0.0.1:{upstream.port}"]
    own = {"urls": urls, "breaker": {"failures": 5, "open_s": 0.5}, "retries": {"attempts": 0}}
    gateway = start(GET, upstreams={"own": own}, limits=MANY)
    assert [gateway.ask("GET", "/api/open").status for _ in range(5)] == [500] * 5
    reply = gateway.ask("GET", "/api/open")
    assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "UPSTREAM_FAILING", "1")
    assert len(upstream.requests) == 5
    upstream.answer = FINE
    threading.Event().wait(0.6)
    assert [gateway.ask("GET", "/api/open").status for _ in range(3)] == [200] * 3


def test_a_token_that_is_refused_never_reaches_an_upstream(start, upstream):
    gateway = start({"path": "/own"}, limits=MANY)
    for bad in ("", "Bearer x", token(seconds=-600)):
        assert gateway.ask("GET", "/api/own", Authorization=bad).status == 401
    assert upstream.requests == []
