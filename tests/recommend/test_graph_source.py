"""The graph source against its formula, written out over what the seven queries answer."""

import itertools
from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest

from mgw.core.database import queries
from mgw.core.settings import ContentSettings, GraphSettings
from mgw.recommend.content import read_catalogue
from mgw.recommend.graph import GraphSource
from mgw.recommend.source import read_training_data

SETTINGS = GraphSettings(
    seeds=15, per_query=40, genre=0.4, cast=0.3, director=0.2, theme=0.1, viewers_per_seed=20, similar_users=8,
    per_user=12, user_decay=0.9, content_share=0.3, billed=100,
)  # fmt: skip
USER = "u00007"


@pytest.fixture
def graph(platform):
    events = read_training_data(platform).events
    platform.commit()
    columns = {int(identity): place for place, identity in enumerate(events.item_ids)}
    viewers = np.bincount(events.items, minlength=events.n_items)
    return GraphSource.of(columns, viewers, 60, read_catalogue(platform, events, ContentSettings()), SETTINGS)


def seeds_of(connection):
    return [row.content_id for row in queries.graph_watch_history(connection, user_id=USER, top_k=15)]


def words_of(connection, statement):
    found = defaultdict(set)
    for content_id, word in connection.execute(statement).fetchall():
        found[content_id].add(word)
    return found


def test_titles_are_weighted_by_what_they_share(platform, graph):
    seeds = seeds_of(platform)
    expected = defaultdict(float)
    for weight, statement in (
        (0.4, "SELECT content_id, genre FROM content_genres"),
        (0.3, "SELECT content_id, person FROM credits WHERE role = 'actor'"),
        (0.2, "SELECT content_id, person FROM credits WHERE role = 'director'"),
        (0.1, "SELECT content_id, theme FROM content_themes"),
    ):
        words = words_of(platform, statement)
        titles_with = Counter(word for found in words.values() for word in found)
        rarity = {word: np.log(1 + len(graph.viewers) / count) for word, count in titles_with.items() if count > 1}
        similarity = defaultdict(float)
        for seed in seeds:
            votes = {word: rarity[word] for word in words[seed] if word in rarity}
            for other in words.keys() - set(seeds):
                similarity[other] += sum(votes[word] for word in words[other] & votes.keys()) / (
                    len(seeds) * (sum(votes.values()) or 1)
                )
        for content_id, value in sorted(similarity.items(), key=lambda pair: (-pair[1], pair[0]))[:40]:
            if value:
                expected[graph.columns[content_id]] += 0.3 * weight * value
    found = graph.scores(platform, USER).by_titles
    assert {column: found[column] for column in np.flatnonzero(found)} == pytest.approx(expected)


def test_an_actor_who_is_billed_too_late_is_not_shared(platform, graph):
    named = platform.execute("SELECT person, content_id FROM credits WHERE role = 'actor' AND billing_position = 2")
    person, content_id = named.fetchone()
    asked = {"persons": [person], "shares": [0.5], "top_k": 100}
    assert content_id in {row[0] for row in queries.graph_cast_similar(platform, billed=2, **asked)}
    assert content_id not in {row[0] for row in queries.graph_cast_similar(platform, billed=1, **asked)}


def test_similar_users_vote_by_their_likeness_and_how_far_they_watched(platform, graph):
    seeds = seeds_of(platform)
    rarity = [np.log1p(60 / graph.viewers[graph.columns[seed]]) for seed in seeds]
    similar = queries.graph_similar_users(
        platform, user_id=USER, seed_ids=seeds, seed_weights=rarity, viewers_per_seed=20, minimum_completion=0.7,
        minimum_in_common=3, top_k=8,
    )  # fmt: skip
    likeness = {row.user_id: row.similarity for row in similar}
    assert likeness
    expected = defaultdict(float)
    for row in queries.graph_highly_rated(
        platform, user_ids=list(likeness), user_weights=list(likeness.values()), minimum_completion=0.7,
        minimum_rating=4, per_user=12, top_k=40,
    ):  # fmt: skip
        expected[graph.columns[row.content_id]] += 0.7 * 0.9 * row.vote / sum(likeness.values())
    found = graph.scores(platform, USER).by_users
    assert {column: found[column] for column in np.flatnonzero(found)} == pytest.approx(expected)


def test_a_request_makes_three_round_trips(platform, graph, tmp_path):
    platform.commit()
    platform.autocommit = True
    with (tmp_path / "trace").open("w+b") as file:
        platform.pgconn.trace(file.fileno())
        assert graph.scores(platform, USER).by_users.any()
        platform.pgconn.untrace()
        lines = (tmp_path / "trace").read_bytes().splitlines()
    kinds = [line.split(b"\t")[3] for line in lines if b"\tF\t" in line]
    # An answer is awaited behind a Flush or a Sync, and nowhere else.
    waits = [kind in {b"Flush", b"Sync"} for kind in kinds]
    assert sum(here and not before for before, here in itertools.pairwise(waits)) == 3
    assert kinds.count(b"Execute") == 7


def test_titles_that_the_snapshot_does_not_know_are_left_out(platform, graph):
    full = graph.scores(platform, USER).total
    known = dict(list(graph.columns.items())[:40])
    found = replace_columns(graph, known).scores(platform, USER).by_titles
    assert not found[40:].any()
    assert np.count_nonzero(full[40:])


def replace_columns(graph, columns):
    return replace(graph, columns=columns)
