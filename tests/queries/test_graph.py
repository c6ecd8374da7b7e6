"""The graph queries against the same sums written as loops, and every query on an empty and on a filled database."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

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


@pytest.mark.parametrize("name", SIMILAR)
def test_a_title_is_as_similar_as_the_rare_values_that_it_shares_with_each_seed(platform, name):
    values = defaultdict(set)
    for content_id, value in platform.execute(SIMILAR[name]):
        values[content_id].add(value)
    counts = Counter(value for shared in values.values() for value in shared)
    weight = {value: math.log(1 + 80 / count) for value, count in counts.items()}
    seeds = seeds_of(platform)
    expected = {}
    for candidate in set(values) - set(seeds):
        votes = [
            sum(weight[value] for value in values[seed] & values[candidate]) / sum(weight[v] for v in values[seed])
            for seed in seeds
            if values[seed]
        ]
        if any(votes):
            expected[candidate] = sum(votes) / len(seeds)

    billed = {"billed": 3} if name == "cast_similar" else {}
    found = rows(platform, f"graph/{name}", seed_ids=seeds, top_k=1000, **billed)
    assert dict(found) == pytest.approx(expected)
    assert [similarity for _, similarity in found] == sorted((s for _, s in found), reverse=True)
    assert rows(platform, f"graph/{name}", seed_ids=seeds, top_k=3, **billed) == found[:3]


def test_watch_history_is_the_latest_first_and_names_a_title_once(platform):
    found = rows(platform, "graph/watch_history", user_id="u00007", top_k=50)
    times = [row[3] for row in found]
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


def test_highly_rated_gives_each_user_their_best_and_nothing_dismissed(platform):
    users = [row[0] for row in platform.execute("SELECT id FROM users ORDER BY id LIMIT 5")]
    found = rows(
        platform, "graph/highly_rated", user_ids=users, minimum_completion=0.7, per_user=4, events_per_user=500
    )
    assert Counter(row[0] for row in found).keys() == set(users)
    assert max(Counter(row[0] for row in found).values()) == 4
    assert all(row[2] >= 0.7 for row in found)
    dismissed = set(platform.execute("SELECT user_id, content_id FROM viewing_events WHERE dismissed").fetchall())
    assert not {(row[0], row[1]) for row in found} & dismissed
    for user in users:
        ratings = [row[3] for row in found if row[0] == user]
        assert ratings == sorted(ratings, key=lambda rating: (rating is None, -(rating or 0)))


def test_highly_rated_looks_at_the_latest_events_alone(platform):
    (me,) = platform.execute("SELECT id FROM users WHERE external_id = 'u00007'").fetchone()
    latest = platform.execute(
        "SELECT content_id FROM viewing_events WHERE user_id = %s ORDER BY at DESC, content_id LIMIT 5", (me,)
    ).fetchall()
    found = rows(platform, "graph/highly_rated", user_ids=[me], minimum_completion=0, per_user=50, events_per_user=5)
    assert {row[1] for row in found} <= {content for (content,) in latest}
    assert found


def test_without_seeds_there_is_nothing_similar(platform):
    for name in SIMILAR:
        billed = {"billed": 3} if name == "cast_similar" else {}
        assert rows(platform, f"graph/{name}", seed_ids=[], top_k=10, **billed) == []
