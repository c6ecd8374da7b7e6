"""Sizes that make sense are taken, and the others are refused with numbers that would do."""

from __future__ import annotations

import re

import pytest

from mgw.core.errors import ParametersInvalid
from mgw.ingest.sample import SampleSize
from mgw.ingest.sample.size import Purpose, stream


def test_ids_have_one_width_that_grows_with_the_size():
    size = SampleSize(users=200_000, titles=20_000, events=1_000_000)
    assert SampleSize().user_id(0) == "u00001"
    assert SampleSize().title_id(1499) == "t1500"
    assert size.user_id(0) == "u000001"
    assert size.title_id(19_999) == "t20000"


@pytest.mark.parametrize(
    ("users", "titles", "events"),
    [(0, 10, 5), (-1, 10, 5), (1, 9, 5), (1, 0, 0), (1, 10, 0), (1, 10, -5), (10, 100, 49), (10, 100, 501)],
)
def test_sizes_that_do_not_fit_are_refused_with_a_hint(users, titles, events):
    with pytest.raises(ParametersInvalid) as caught:
        SampleSize(users=users, titles=titles, events=events)
    assert caught.value.hint


@pytest.mark.parametrize(("users", "titles"), [(1, 10), (10, 100), (3, 11), (7, 5_000)])
def test_the_numbers_of_the_hint_are_the_limits(users, titles):
    with pytest.raises(ParametersInvalid) as caught:
        SampleSize(users=users, titles=titles, events=0)
    fewest, most = map(int, re.findall(r"\d+", caught.value.hint)[:2])
    for events in (fewest, most):
        assert SampleSize(users=users, titles=titles, events=events).events == events
    for events in (fewest - 1, most + 1):
        with pytest.raises(ParametersInvalid):
            SampleSize(users=users, titles=titles, events=events)


def test_streams_differ_by_seed_purpose_and_index():
    draws = {stream(seed, purpose, index).random() for seed in range(3) for purpose in Purpose for index in range(3)}
    assert len(draws) == 3 * len(Purpose) * 3


def test_a_negative_seed_is_refused():
    with pytest.raises(ParametersInvalid, match="seed"):
        stream(-1, Purpose.WORLD)
