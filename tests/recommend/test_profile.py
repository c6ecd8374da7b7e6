"""Profiles: the weights of events, written out; laws of the sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from mgw.core.settings import ProfileSettings
from mgw.recommend.profile import DAY_S, Profile, ProfileSums, event_weights, genre_prior, hour_of_day
from mgw.recommend.viewer import Viewer

SETTINGS = ProfileSettings()
RNG = np.random.default_rng(0)
EMBEDDINGS = RNG.normal(size=(6, 4)).astype(np.float32)
EMBEDDINGS /= np.linalg.norm(EMBEDDINGS, axis=1, keepdims=True)
GENRES = csr_array(np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [0, 0]], dtype=np.float32))


def viewer(items, at, label):
    return Viewer.of_events(np.array(items, dtype=np.int32), np.array(at, dtype=float), np.array(label, dtype="f4"))


def profile(someone, stated=None):
    return Profile.of(someone, EMBEDDINGS, GENRES, SETTINGS, stated)


def test_an_event_of_thirty_days_before_the_latest_weighs_decay_as_much():
    now = 1_700_000_000.0
    someone = viewer([0, 1, 2], [now, now - 30 * DAY_S, now - 60 * DAY_S], [1, 0.5, -1])
    assert event_weights(someone, SETTINGS) == pytest.approx([1, 0.95 * 0.5, -(0.95**2)])
    expected = event_weights(someone, SETTINGS) @ EMBEDDINGS[:3]
    assert profile(someone).preference == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


def test_an_event_without_a_time_is_as_old_as_the_oldest():
    now = 1_700_000_000.0
    someone = viewer([0, 1, 2], [np.nan, now - 30 * DAY_S, now], [1, 1, 1])
    assert event_weights(someone, SETTINGS) == pytest.approx([0.95, 0.95, 1])


def test_genre_affinities_are_shares_of_liked_weight_with_the_catalogue_mixed_in():
    someone = viewer([0, 2, 3], [np.nan] * 3, [1, 0.5, -1])
    found = profile(someone).genre_affinities
    assert found == pytest.approx([(1 + 5 * 3 / 6) / 6.5, (0.5 + 5 * 3 / 6) / 6.5])


def test_stated_genres_stand_in_until_events_outweigh_them():
    nobody = viewer([], [], [])
    assert profile(nobody, np.array([1])).genre_affinities.tolist() == [0, 1]
    many = viewer([0] * 200, np.arange(200) * 60.0, [1] * 200)
    assert profile(many, np.array([1])).genre_affinities[0] > 0.95


def test_somebody_of_whom_nothing_is_known_has_a_preference_of_zero_and_no_nan():
    for someone in (viewer([], [], []), viewer([5, 0], [np.nan, np.nan], [0, 0])):
        found = profile(someone)
        assert not found.preference.any()
        assert np.isfinite(found.genre_affinities).all()
        assert found.hours.sum() == 0


def test_somebody_who_only_dismissed_points_away_from_it():
    found = profile(viewer([0, 0], [1e9, 1e9 + 5], [-1, -1]))
    assert found.preference == pytest.approx(-EMBEDDINGS[0], abs=1e-6)


def test_hours_and_weekdays_are_those_of_the_clock_in_utc():
    friday_evening = 1_700_253_296.0  # 2023-11-17 20:34:56
    found = profile(viewer([0], [friday_evening], [1]))
    assert (int(np.argmax(found.hours)), int(np.argmax(found.weekdays))) == (20, 4)
    assert hour_of_day(np.array([friday_evening])).tolist() == [20]


@settings(max_examples=30)
@given(st.floats(-1e9, 1e9), st.permutations(range(5)))
def test_neither_the_order_of_events_nor_the_date_matters(shift, order):
    at = np.array([1e9, 1.01e9, 1.02e9, 1.021e9, 1.03e9])
    items, label = np.array([0, 1, 2, 3, 4]), np.array([1, 0.3, -1, 0.7, 1])
    one = profile(viewer(items, at, label))
    other = profile(viewer(items[order], at[order] + shift, label[order]))
    assert other.preference == pytest.approx(one.preference, abs=1e-5)
    assert other.genre_affinities == pytest.approx(one.genre_affinities)


EVENT = st.tuples(st.integers(0, 5), st.floats(1e9, 1.7e9), st.sampled_from([-1.0, 0.0, 0.3, 1.0]))


@given(st.lists(EVENT, max_size=8), st.lists(EVENT, max_size=8))
def test_the_sums_of_two_sets_of_events_add_up_to_those_of_both(some, others):
    def sums(events):
        items, at, label = zip(*events, strict=True) if events else ([], [], [])
        return ProfileSums.of(viewer(items, at, label), EMBEDDINGS, GENRES, SETTINGS)

    together, added = sums(some + others), sums(some).plus(sums(others), SETTINGS)
    assert added.is_additive
    assert (added.as_of == together.as_of) or not (some or others)
    assert added.events == together.events == len(some) + len(others)
    for name in ("preference", "genres", "hours", "weekdays", "liked"):
        assert getattr(added, name) == pytest.approx(getattr(together, name), abs=1e-6)
    prior = genre_prior(GENRES, None)
    found, expected = (Profile.of_sums(each, prior, SETTINGS) for each in (added, together))
    assert found.genre_affinities == pytest.approx(expected.genre_affinities)


def test_sums_with_an_event_of_unknown_time_are_not_added_to():
    assert not ProfileSums.of(viewer([0, 1], [1e9, np.nan], [1, 1]), EMBEDDINGS, GENRES, SETTINGS).is_additive
