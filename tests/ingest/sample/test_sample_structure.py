"""What makes the sample worth learning from: skew, taste, evenings, devices and honest reactions."""

from __future__ import annotations

import numpy as np
import pytest

from mgw.ingest.sample import DEVICES
from mgw.ingest.sample.genres import GENRE_NAMES


@pytest.fixture(scope="module")
def genre_rows(sample_titles):
    """Genres of each title as rows of 0 and 1, `(n_titles, n_genres)`."""
    return np.array([[name in title.genres for name in GENRE_NAMES] for title in sample_titles], dtype=float)


@pytest.fixture(scope="module")
def held_out(sample_events, sample_size, genre_rows):
    """History per user in the first four fifths of time, and the first views in the last fifth."""
    cut = np.quantile(sample_events.at, 0.8)
    past = sample_events.at < cut
    seen = np.zeros((sample_size.users, sample_size.titles), dtype=bool)
    seen[sample_events.user[past], sample_events.title[past]] = True
    later = ~past & ~sample_events.is_rewatch & (seen.sum(axis=1)[sample_events.user] >= 5)
    return seen, sample_events.user[later], sample_events.title[later]


def gini(counts):
    counts = np.sort(counts).astype(float)
    share = 2 * np.arange(1, len(counts) + 1) - len(counts) - 1
    return (share * counts).sum() / (len(counts) * counts.sum())


def hours(events):
    return (events.at // 3600 % 24).astype(int)


def test_popularity_is_skewed_as_on_a_platform(sample_events, sample_size):
    views = np.sort(np.bincount(sample_events.title, minlength=sample_size.titles))[::-1]
    assert 0.06 < views[: sample_size.titles // 100].sum() / views.sum() < 0.14
    assert 0.36 < views[: sample_size.titles // 10].sum() / views.sum() < 0.54
    assert 0.45 < gini(views) < 0.75


def test_activity_is_skewed(sample_events):
    assert 0.45 < gini(np.bincount(sample_events.user)) < 0.75


def test_what_comes_next_shares_genres_with_the_past(held_out, genre_rows):
    """Against titles that other users watched in the same days: as popular, and as new, but not this user's."""
    seen, users, titles = held_out
    profile = seen @ genre_rows
    profile = profile / np.maximum(profile.sum(axis=1, keepdims=True), 1)
    others = np.random.default_rng(0).permutation(titles)
    own = (profile[users] * genre_rows[titles]).sum(axis=1).mean()
    by_chance = (profile[users] * genre_rows[others]).sum(axis=1).mean()
    assert own > 1.15 * by_chance


def test_a_model_beats_popularity_but_does_not_know_everything(held_out):
    """EASE (Steck 2019, equation 8), a linear model in closed form, against counting views: precision at 10."""
    seen, users, titles = held_out
    relevant = np.zeros_like(seen)
    relevant[users, titles] = True
    views = seen.astype(float)
    inverse = np.linalg.inv(views.T @ views + 150 * np.eye(views.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)

    def precision(scores):
        top = np.argsort(-np.where(seen, -np.inf, scores), axis=1)[:, :10]
        return np.take_along_axis(relevant, top, 1)[relevant.any(axis=1)].mean()

    popularity = precision(np.broadcast_to(views.sum(axis=0), seen.shape))
    model = precision(views @ weights)
    assert model > 1.3 * popularity
    assert model < 0.5


def test_no_title_is_watched_by_everybody(sample_events, sample_size):
    reach = np.bincount(sample_events.title[~sample_events.is_rewatch]).max() / sample_size.users
    assert 0.2 < reach < 0.8


def test_evenings_and_weekends_are_busiest(sample_events):
    by_hour = np.bincount(hours(sample_events), minlength=24) / len(sample_events)
    assert by_hour[19:23].sum() > 0.3
    assert by_hour[3:7].sum() < 0.08
    by_weekday = np.bincount((sample_events.at // 86_400 + 3).astype(int) % 7) / len(sample_events)
    assert by_weekday[4:].min() > by_weekday[:4].max()


def test_genres_have_their_hours(sample_events, genre_rows):
    after_five = (hours(sample_events) - 5) % 24  # a day begins at five, so that late nights count as late
    of = {name: after_five[genre_rows[sample_events.title, i] > 0].mean() for i, name in enumerate(GENRE_NAMES)}
    assert of["horror"] > of["drama"] + 0.5
    assert of["family"] < of["drama"] - 0.5


def test_devices_go_with_hour_and_runtime(sample_events, sample_titles):
    runtime = np.array([title.runtime_minutes for title in sample_titles])[sample_events.title]
    share = np.bincount(sample_events.device, minlength=len(DEVICES)) / len(sample_events)
    assert share.argmax() == DEVICES.index("tv")
    assert share.min() > 0.04
    phone = sample_events.device == DEVICES.index("phone")
    evening = hours(sample_events) >= 18
    assert phone[runtime < 60].mean() > 1.4 * phone[runtime > 90].mean()
    assert phone[~evening].mean() > 1.4 * phone[evening].mean()
    desktop = sample_events.device == DEVICES.index("desktop")
    office = (hours(sample_events) >= 9) & (hours(sample_events) < 17)
    assert desktop[office].mean() > 1.4 * desktop[~office].mean()


def test_sittings_hold_one_to_four_titles_on_one_device(sample_events):
    goes_on = (np.diff(sample_events.user) == 0) & (np.diff(sample_events.at) < 3 * 3600)
    assert 0.25 < goes_on.mean() < 0.6
    same_device = np.diff(sample_events.device) == 0
    assert same_device[goes_on].mean() > 0.9


def test_reactions_agree_with_each_other(sample_events):
    rated = ~np.isnan(sample_events.rating)
    first = ~sample_events.is_rewatch
    assert 0.1 < rated.mean() < 0.35
    assert 3.3 < sample_events.rating[rated].mean() < 4.2
    assert 0.03 < sample_events.is_rewatch.mean() < 0.1
    assert 0.02 < sample_events.dismissed.mean() < 0.1
    finished = sample_events.completion_rate > 0.9
    assert sample_events.rating[rated & finished].mean() > sample_events.rating[rated & ~finished].mean() + 0.3
    assert sample_events.rating[rated & ~first].mean() > sample_events.rating[rated & first].mean() + 0.2
    assert sample_events.completion_rate[sample_events.dismissed].max() < 0.2
    assert not (sample_events.dismissed & (rated | sample_events.is_rewatch)).any()


def test_what_matches_the_past_is_finished_and_rated_better(sample_events, sample_size, genre_rows):
    liked = np.zeros((sample_size.users, len(GENRE_NAMES)))
    np.add.at(liked, sample_events.user, genre_rows[sample_events.title])
    liked /= liked.sum(axis=1, keepdims=True)
    match = (liked[sample_events.user] * genre_rows[sample_events.title]).sum(axis=1)
    match /= genre_rows[sample_events.title].sum(axis=1)
    rated = ~np.isnan(sample_events.rating)
    assert np.corrcoef(match, sample_events.completion_rate)[0, 1] > 0.05
    assert np.corrcoef(match[rated], sample_events.rating[rated])[0, 1] > 0.05
    assert match[sample_events.dismissed].mean() < match[~sample_events.dismissed].mean()


def test_users_join_at_different_times_and_taste_drifts(sample_events, sample_size, genre_rows):
    starts = np.flatnonzero(np.diff(sample_events.user, prepend=-1))
    joined = sample_events.at[starts]
    assert np.ptp(np.quantile(joined, [0.1, 0.9])) > 300 * 86_400

    # One half of a user's events is more like itself than like the other half, if the halves are early and late.
    rank = np.arange(len(sample_events)) - starts[sample_events.user]
    count = np.bincount(sample_events.user)[sample_events.user]

    def distance(half):
        totals = np.zeros((2, sample_size.users, len(GENRE_NAMES)))
        np.add.at(totals, (half.astype(int), sample_events.user), genre_rows[sample_events.title])
        totals /= totals.sum(axis=2, keepdims=True)
        return ((totals[0] - totals[1]) ** 2).sum(axis=1)

    busy = np.bincount(sample_events.user) >= 40
    assert distance(rank >= count / 2)[busy].mean() > 1.3 * distance(rank % 2 == 1)[busy].mean()


def test_new_releases_wait_for_their_year(sample_events, sample_titles):
    years = np.array([title.year for title in sample_titles])[sample_events.title]
    released = years == 2025
    assert released.any()
    year_begins = 1735689600.0  # 2025-01-01T00:00Z
    assert sample_events.at[released].min() > year_begins - 2 * 86_400
