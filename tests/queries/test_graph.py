"""The graph queries against the same sums written as loops, and every query on an empty and on a filled database."""

from __future__ import annotations

from collections import defaultdict

import pytest

from mgw.core.database import queries
from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample

SIMILAR = {
    "genre_similar": "SELECT content_id, genre FROM content_genres",
    "theme_similar": "SELECT content_id, theme FROM content_themes",
    "cast_similar": "SELECT content_id, person FROM credits WHERE role = 'actor' AND billing_position <= 3",
    "director_similar": "SELECT content_id, person FROM credits WHERE role = 'director'",
}


@pytest.fixture
def platform(database):
    """A connection to a database with 60 users, 80 titles and 2,400 events."""
    load_sample(database, SampleSize(users=60, titles=80, events=2400), seed=3)
    return database


def rows(connection, name, **parameters):
    return getattr(queries, name.replace("/", "_"))(connection, **parameters)


def seeds_of(connection, user_id="u00007", top_k=20):
    return [row[0] for row in rows(connection, "graph/watch_history", user_id=user_id, top_k=top_k)]


def ask_similar(connection, name, shares, top_k=1000):
    words = {"genre_similar": "genres", "theme_similar": "themes"}.get(name, "persons")
    billed = {"billed": 3} if name == "cast_similar" else {}
    asked = {words: list(shares), "shares": list(shares.values()), "top_k": top_k}
    return rows(connection, f"graph/{name}", **asked, **billed)


@pytest.mark.parametrize("name", SIMILAR)
def test_a_title_is_as_similar_as_the_shares_of_what_it_has_in_common_with_the_seeds(platform, name):
    values = defaultdict(set)
    for content_id, value in platform.execute(SIMILAR[name]):
        values[content_id].add(value)
    seeds = seeds_of(platform)
    of_seeds = sorted({value for seed in seeds for value in values[seed]})
    shares = {value: 1 / (3 + place) for place, value in enumerate(of_seeds)}
    expected = {
        candidate: sum(shares[value] for value in found & shares.keys())
        for candidate, found in values.items()
        if found & shares.keys()
    }
    found = ask_similar(platform, name, shares)
    assert dict(found) == pytest.approx(expected)
    assert [similarity for _, similarity in found] == sorted((s for _, s in found), reverse=True)
    assert ask_similar(platform, name, shares, top_k=3) == found[:3]


def test_watch_history_is_the_latest_first_and_names_a_title_once(platform):
    found = rows(platform, "graph/watch_history", user_id="u00007", top_k=50)
    times = [row[2] for row in found]
    assert times == sorted(times, reverse=True)
    assert len({row[0] for row in found}) == len(found) > 5


def similar_users(connection, seeds, weights, **values):
    parameters = {"viewers_per_seed": 1000, "minimum_completion": 0.7, "minimum_in_common": 3, "top_k": 1000, **values}
    return rows(connection, "graph/similar_users", user_id="u00007", seed_ids=seeds, seed_weights=weights, **parameters)


def test_similar_users_share_titles_and_heavy_ones_weigh_more(platform):
    seeds = seeds_of(platform)
    weight = {seed: 1 + place / 10 for place, seed in enumerate(seeds)}
    watched = defaultdict(set)
    query = "SELECT user_id, content_id FROM viewing_events WHERE completion_rate >= 0.7"
    for user, content in platform.execute(query):
        watched[user].add(content)
    (me,) = platform.execute("SELECT id FROM users WHERE external_id = 'u00007'").fetchone()
    expected = {
        user: (len(titles & set(seeds)), sum(weight[t] for t in titles & set(seeds)) / sum(weight.values()))
        for user, titles in watched.items()
        if user != me and len(titles & set(seeds)) >= 3
    }
    found = similar_users(platform, seeds, list(weight.values()))
    assert {user: common for user, common, _ in found} == {user: common for user, (common, _) in expected.items()}
    assert {u: s for u, _, s in found} == pytest.approx({user: share for user, (_, share) in expected.items()})


def test_of_each_seed_only_the_latest_viewers_are_looked_at(platform):
    seeds = seeds_of(platform)[:1]
    latest = platform.execute(
        "SELECT user_id FROM viewing_events WHERE content_id = %s AND completion_rate >= 0.7 ORDER BY at DESC LIMIT 4",
        (seeds[0],),
    ).fetchall()
    found = similar_users(platform, seeds, [1.0], viewers_per_seed=4, minimum_in_common=1)
    (me,) = platform.execute("SELECT id FROM users WHERE external_id = 'u00007'").fetchone()
    assert {row[0] for row in found} == {user for (user,) in latest} - {me}


def test_highly_rated_sums_the_votes_of_each_user_for_their_latest_titles(platform):
    users = [row[0] for row in platform.execute("SELECT id FROM users ORDER BY id LIMIT 5")]
    weights = {user: 0.1 * (1 + place) for place, user in enumerate(users)}
    expected = defaultdict(float)
    for user in users:
        latest = platform.execute(
            "SELECT content_id, completion_rate FROM viewing_events WHERE user_id = %s AND completion_rate >= 0.7"
            " AND NOT dismissed AND coalesce(rating, 4) >= 4 ORDER BY at DESC, content_id LIMIT 6",
            (user,),
        ).fetchall()
        for content_id in {content_id for content_id, _ in latest}:
            expected[content_id] += weights[user] * max(rate for other, rate in latest if other == content_id)
    found = rows(
        platform, "graph/highly_rated", user_ids=users, user_weights=list(weights.values()), minimum_completion=0.7,
        minimum_rating=4, per_user=6, top_k=1000,
    )  # fmt: skip
    assert {row.content_id: row.vote for row in found} == pytest.approx(expected)
    assert [row.vote for row in found] == sorted((row.vote for row in found), reverse=True)


def test_highly_rated_counts_a_title_that_somebody_watched_twice_once(platform):
    (me,) = platform.execute("SELECT id FROM users WHERE external_id = 'u00007'").fetchone()
    (content,) = platform.execute("SELECT id FROM content ORDER BY id LIMIT 1").fetchone()
    for day, rate in ((1, 0.8), (2, 0.9)):
        platform.execute(
            "INSERT INTO viewing_events (user_id, content_id, at, completion_rate) VALUES (%s, %s, %s, %s)",
            (me, content, f"2090-01-0{day} 00:00Z", rate),
        )
    found = rows(
        platform, "graph/highly_rated", user_ids=[me], user_weights=[1.0], minimum_completion=0.7, minimum_rating=4,
        per_user=2, top_k=9,
    )  # fmt: skip
    assert [(row.content_id, row.vote) for row in found] == [(content, pytest.approx(0.9))]


def test_without_seeds_there_is_nothing_similar(platform):
    for name in SIMILAR:
        assert ask_similar(platform, name, {}) == []
