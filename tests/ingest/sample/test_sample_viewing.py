"""The laws of the events: exact numbers, ranges, uniqueness, order, and the same bits every time."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgw.core.errors import ParametersInvalid
from mgw.ingest.sample import DEVICES, EventChunk, SampleSize, generate_catalogue, generate_events
from mgw.ingest.sample.catalogue import WINDOW_DAYS
from mgw.ingest.sample.choice import _largest
from mgw.ingest.sample.sittings import start_times

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)


def assert_lawful(events, size, until):
    assert len(events) == size.events
    assert np.array_equal(np.unique(events.user), np.arange(size.users))
    assert np.bincount(events.user).min() >= 5
    assert events.title.min() >= 0
    assert events.title.max() < size.titles
    assert np.array_equal(events.at, np.floor(events.at))
    assert events.at.max() < until.timestamp()
    assert events.at.min() >= until.timestamp() - WINDOW_DAYS * 86_400
    # By user, then strictly by time: which also makes (user, title, at) unique.
    assert ((np.diff(events.user) > 0) | ((np.diff(events.user) == 0) & (np.diff(events.at) > 0))).all()
    assert ((events.completion_rate >= 0) & (events.completion_rate <= 1)).all()
    rating = events.rating[~np.isnan(events.rating)]
    assert np.isin(rating, [1, 2, 3, 4, 5]).all()
    assert np.isin(events.device, range(len(DEVICES))).all()
    pairs = events.user.astype(np.int64) * size.titles + events.title
    first = np.zeros(len(events), dtype=bool)
    first[np.unique(pairs, return_index=True)[1]] = True
    assert np.array_equal(events.is_rewatch, ~first)
    assert np.unique(pairs, return_counts=True)[1].max() <= 2


def assert_identical(left, right):
    for field in fields(EventChunk):
        one, other = getattr(left, field.name), getattr(right, field.name)
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes(), field.name


def test_the_sample_is_lawful(sample_events, sample_size):
    assert_lawful(sample_events, sample_size, UNTIL)


def test_fields_have_their_types(sample_events):
    assert [getattr(sample_events, field.name).dtype.str[1:] for field in fields(EventChunk)] == [
        "i4", "i4", "f8", "f4", "f4", "b1", "b1", "i1",
    ]  # fmt: skip


@pytest.mark.parametrize("chunk_events", [1, 5_000, 10**9])
def test_the_same_seed_gives_the_same_bits_however_it_is_chunked(
    sample_events, sample_size, collect_events, chunk_events
):
    assert_identical(collect_events(sample_size, chunk_events=chunk_events), sample_events)


def test_chunks_hold_whole_users_and_as_many_events_as_asked_for(sample_size):
    chunks = list(generate_events(sample_size, seed=7, until=UNTIL, chunk_events=5_000))
    assert len(chunks) > 2
    assert min(map(len, chunks[:-1])) >= 5_000
    assert all(left.user[-1] < right.user[0] for left, right in pairwise(chunks))


def test_another_seed_gives_other_events(sample_events, sample_size, collect_events):
    other = collect_events(sample_size, seed=8)
    assert not np.array_equal(other.title, sample_events.title)


def test_the_end_moves_the_times_and_not_the_choices(sample_events, sample_size, collect_events):
    earlier = collect_events(sample_size, until=UNTIL - timedelta(days=28))
    assert np.array_equal(earlier.at + 28 * 86_400, sample_events.at)
    assert np.array_equal(earlier.title, sample_events.title)


def test_the_end_means_the_same_moment_in_every_time_zone(sample_events, sample_size, collect_events):
    assert_identical(collect_events(sample_size, until=UNTIL.astimezone(timezone(timedelta(hours=9)))), sample_events)


def test_an_end_without_a_time_zone_is_refused(sample_size):
    with pytest.raises(ParametersInvalid, match="time zone"):
        next(generate_events(sample_size, seed=1, until=UNTIL.replace(tzinfo=None)))


def test_a_negative_seed_is_refused(sample_size):
    with pytest.raises(ParametersInvalid, match="seed"):
        next(generate_events(sample_size, seed=-1, until=UNTIL))


def test_nobody_watches_two_titles_at_once(sample_events, sample_size):
    titles = generate_catalogue(sample_size, seed=7)
    runtime_s = 60 * np.array([title.runtime_minutes for title in titles])[sample_events.title]
    ends = sample_events.at + np.floor(runtime_s * sample_events.completion_rate)
    same_user = np.diff(sample_events.user) == 0
    assert (ends[:-1][same_user] <= sample_events.at[1:][same_user]).all()


def test_progress_adds_up_to_the_events(sample_size):
    class Recorder:
        total = None
        done = 0

        def stage(self, _description, total=None):
            self.total = total
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def advance(self, amount=1):
            self.done += amount

    recorder = Recorder()
    for _ in generate_events(sample_size, seed=7, until=UNTIL, progress=recorder):
        pass
    assert recorder.done == recorder.total == sample_size.events


@st.composite
def sizes(draw):
    """Sizes around and within the limits, as three numbers."""
    users, titles = draw(st.integers(-1, 90)), draw(st.integers(2, 60))
    return users, titles, users * draw(st.integers(3, 32)) + draw(st.integers(-3, 60))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=sizes(), seed=st.integers(0, 2**63), day=st.dates(date(1971, 12, 31), date(2200, 1, 1)))
def test_small_sizes_are_lawful_or_refused(collect_events, numbers, seed, day):
    users, titles, events = numbers
    if not (users >= 1 and titles >= 10 and 5 * users <= events <= users * titles // 2):
        with pytest.raises(ParametersInvalid):
            SampleSize(users, titles, events)
        return
    size = SampleSize(users, titles, events)
    until = datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC)
    assert_lawful(collect_events(size, seed=seed, until=until), size, until)
    assert len(generate_catalogue(size, seed=seed)) == titles


def test_the_busiest_user_possible_is_lawful(collect_events):
    size = SampleSize(users=2, titles=2_000, events=2_000)
    assert_lawful(collect_events(size), size, UNTIL)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=30), st.data())
def test_the_largest_keys_are_those_of_a_stable_sort(keys, data):
    count = data.draw(st.integers(1, len(keys)))
    found = _largest(np.array(keys, dtype=np.float32), count)
    assert found.tolist() == sorted(sorted(range(len(keys)), key=lambda i: (-keys[i], i))[:count])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9_000), st.integers(0, 9_000)), min_size=1, max_size=30))
def test_start_times_follow_one_another_and_end_in_time(rows):
    """Checked against the plain loop: wait for the title before, then pull back what would run over the end."""
    users, starts, durations = (np.array(column, dtype=np.int64) for column in zip(*sorted(rows), strict=True))
    until_s = 10_000
    at = start_times(users, starts, durations, until_s)
    expected = starts.copy()
    for i in range(1, len(rows)):
        if users[i] == users[i - 1]:
            expected[i] = max(starts[i], expected[i - 1] + durations[i - 1] + 240)
    for i in range(len(rows) - 1, -1, -1):
        bound = expected[i + 1] if i + 1 < len(rows) and users[i + 1] == users[i] else until_s
        expected[i] = min(expected[i], bound - durations[i] - 240)
    assert at.tolist() == expected.tolist()
