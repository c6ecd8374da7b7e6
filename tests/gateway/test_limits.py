"""Limits, against a simulated clock: never more than the rates allow, and no wait that is longer than it must be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.gateway.definition import TIERS, Limit
from mgw.gateway.limits import Limiter, caller_of, rates_of


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


class Limits:
    """Limits by tier."""

    def __init__(self, limits, clock):
        self.limits, self.limiter = limits, Limiter(clock)

    def ask(self, tier, caller):
        return self.limiter.ask(tier, caller, rates_of(self.limits[tier]))


def test_a_burst_and_then_the_rate():
    clock = Clock()
    limiter = Limits({"free": Limit(per_second=2, per_minute=100, burst=3)}, clock)
    assert [limiter.ask("free", "ann").allowed for _ in range(5)] == [True, True, True, False, False]
    refused = limiter.ask("free", "ann")
    assert (refused.remaining, refused.retry_after_s) == (0, pytest.approx(0.5))
    assert limiter.ask("free", "ben").allowed
    clock.now += 0.5
    assert limiter.ask("free", "ann").allowed
    assert not limiter.ask("free", "ann").allowed
    clock.now += 60
    assert limiter.ask("free", "ann").remaining == 2


def test_the_minute_is_a_limit_of_its_own():
    clock = Clock()
    limiter = Limits(TIERS, clock)
    passed = 0
    for _ in range(600):
        passed += limiter.ask("anonymous", "x").allowed
        clock.now += 0.1
    assert 100 <= passed <= 201  # a minute's hundred at once, and a hundred more in the minute that it took


@given(st.lists(st.floats(0, 2), min_size=1, max_size=120), st.integers(1, 20), st.integers(1, 10))
def test_never_more_than_the_rate_allows_in_any_time(gaps, per_second, burst):
    clock = Clock()
    limiter = Limits({"free": Limit(per_second=per_second, per_minute=10_000, burst=burst)}, clock)
    passed = []
    for gap in gaps:
        clock.now += gap
        decision = limiter.ask("free", "ann")
        if decision.allowed:
            passed.append(clock.now)
        else:
            at = clock.now
            clock.now = at + decision.retry_after_s + 1e-6  # who comes then is let in, and not a moment earlier
            assert limiter.ask("free", "ann").allowed
            passed.append(clock.now)
    for place, start in enumerate(passed):
        for later, end in enumerate(passed[place:], start=1):
            assert later <= burst + per_second * (end - start) + 1e-3


@given(st.floats(0.01, 3))
def test_who_comes_too_early_is_refused(early):
    clock = Clock()
    limiter = Limits({"free": Limit(per_second=1, per_minute=10_000, burst=1)}, clock)
    assert limiter.ask("free", "ann").allowed
    clock.now += early
    assert limiter.ask("free", "ann").allowed == (early >= 1)


def test_a_subscriber_is_one_caller():
    assert caller_of("1.2.3.4") == "1.2.3.4"
    assert caller_of("2001:db8::1") == caller_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert caller_of("2001:db8:0:1::1") != caller_of("2001:db8::1")
    assert caller_of("::ffff:1.2.3.4") == "1.2.3.4"
    assert caller_of("") == ""
