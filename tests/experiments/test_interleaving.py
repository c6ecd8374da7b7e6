"""Interleaving: the draft is fair, both rankings keep their order, and the better one is found with few users."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.errors import NotEnoughData
from mgw.experiments.exposure import Exposure, record_exposures
from mgw.experiments.interleaving import credit, preference, team_draft
from mgw.experiments.measure import Look
from mgw.experiments.report import make_report
from mgw.experiments.sequential import confidence_sequence
from mgw.experiments.statistics import Moments
from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample

from .conftest import START

rankings = st.lists(st.integers(0, 30), unique=True, max_size=20)


@given(rankings, rankings, st.integers(0, 25), st.integers(0, 1_000))
def test_a_draft_is_fair_and_keeps_the_order_of_both(first, second, length, seed):
    chosen, teams = team_draft(first, second, length, np.random.default_rng(seed))
    assert len(chosen) == len(set(chosen)) == len(teams) == min(length, len(set(first) | set(second)))
    for team, ranking in enumerate((first, second)):
        named = [item for item, by in zip(chosen, teams, strict=True) if by == team]
        assert named == [item for item in ranking if item in named]
    if first and second and set(first) == set(second):
        for place in range(0, len(teams) - 1, 2):
            assert {teams[place], teams[place + 1]} == {0, 1}


def test_the_coin_is_fair():
    starts = [team_draft([1, 2], [2, 1], 1, np.random.default_rng(seed))[1][0] for seed in range(2_000)]
    assert np.mean(starts) == pytest.approx(0.5, abs=0.04)


def watching(rng, users, quality):
    """Return credits of users who watch a title of each team with its chance."""
    found = []
    for _ in range(users):
        teams = team_draft(list(range(10)), list(range(10, 20)), 10, rng)[1]
        watched = [team for team in teams if rng.random() < quality[team]]
        found.append(credit(watched.count(0), watched.count(1)))
    return Moments.of(found)


def test_a_better_ranking_is_preferred_and_the_same_is_not():
    rng = np.random.default_rng(0)
    better = confidence_sequence(preference(watching(rng, 1_500, (0.05, 0.08))), tuned_for=1_500)
    assert better.low > 0
    found = [confidence_sequence(preference(watching(rng, 300, (0.1, 0.1)))).excludes_zero for _ in range(100)]
    assert np.mean(found) <= 0.05


def test_credits_are_of_users_and_not_of_plays():
    assert [credit(0, 0), credit(3, 1), credit(0, 9)] == [0.0, -0.5, 1.0]
    with pytest.raises(NotEnoughData):
        preference(Moments.of([0.0, 0.0]))
    with pytest.raises(NotEnoughData):
        preference(Moments.of([1.0]))


def test_what_is_watched_of_a_list_is_credited_to_whom_it_came_from(database, define, begin):
    load_sample(database, SampleSize(users=8, titles=40, events=100), seed=1)
    database.execute("DELETE FROM viewing_events")
    experiment = begin(define(interleave=True, metrics=[{"name": "watched", "kind": "binary", "window_days": 2}]))
    slate, teams = ("t0001", "t0002", "t0003", "t0004"), (0, 1, 1, 0)
    record_exposures(database, [
        Exposure(experiment_id=experiment.id, position=0, phase=0, user_id=f"u0000{number}", exposed_at=START,
                 window_start=START, slate=slate, teams=teams) for number in range(1, 7)
    ])  # fmt: skip
    watched = [  # user, title, days after, dismissed
        ("u00001", "t0002", 0.1, False), ("u00001", "t0003", 1.9, False), ("u00002", "t0001", 1, False),
        ("u00002", "t0002", 1, False), ("u00003", "t0002", 3, False), ("u00003", "t0009", 1, False),
        ("u00004", "t0002", -1, False), ("u00005", "t0002", 1, True), ("u00006", "t0004", 1, False),
    ]  # fmt: skip
    for user, title, days, dismissed in watched:
        database.execute(
            "INSERT INTO viewing_events (user_id, content_id, at, completion_rate, dismissed)"
            " SELECT u.id, c.id, %s, 1, %s FROM users u, content c WHERE u.external_id = %s AND c.external_id = %s",
            [START + timedelta(days=days), dismissed, user, title],
        )
    moments, with_credit = Look(database, experiment, START + timedelta(days=30)).credits()
    expected = Moments.of([1.0, 0.0, 0.0, 0.0, 0.0, -1.0])
    assert (moments.n, moments.mean, moments.variance) == (6, expected.mean, pytest.approx(expected.variance))
    assert with_credit == 3
    report = make_report(Look(database, experiment, START + timedelta(days=30)))
    assert (report.metrics, report.shares_p_value, report.advice.verdict) == ((), None, "wait")
    assert report.preference.interval.estimate == 0
    empty = make_report(Look(database, experiment, START))
    assert (empty.advice.verdict, empty.preference.interval) == ("cannot-say", None)
