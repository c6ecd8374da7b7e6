"""The graph source against its formula, written out over what the seven queries answer."""

from collections import defaultdict

import numpy as np
import pytest
from msgspec.structs import replace

from mgw.core.database import queries
from mgw.core.settings import GraphSettings
from mgw.recommend.graph import GraphSource
from mgw.recommend.source import read_training_data

SETTINGS = GraphSettings(
    seeds=15, per_query=40, genre=0.4, cast=0.3, director=0.2, theme=0.1, viewers_per_seed=20, similar_users=8,
    events_per_user=30, per_user=12, user_decay=0.9, content_share=0.3, billed=4,
)  # fmt: skip
USER = "u00007"


@pytest.fixture
def graph(platform):
    events = read_training_data(platform).events
    platform.commit()
    columns = {int(identity): place for place, identity in enumerate(events.item_ids)}
    return GraphSource(columns, np.bincount(events.items, minlength=events.n_items), 60, SETTINGS)


def seeds_of(connection):
    return [row.content_id for row in queries.graph_watch_history(connection, user_id=USER, top_k=15)]


def test_titles_are_weighted_by_what_they_share(platform, graph):
    seeds = seeds_of(platform)
    expected = defaultdict(float)
    for weight, rows in (
        (0.4, queries.graph_genre_similar(platform, seed_ids=seeds, top_k=40)),
        (0.3, queries.graph_cast_similar(platform, seed_ids=seeds, billed=4, top_k=40)),
        (0.2, queries.graph_director_similar(platform, seed_ids=seeds, top_k=40)),
        (0.1, queries.graph_theme_similar(platform, seed_ids=seeds, top_k=40)),
    ):
        for content_id, similarity in rows:
            expected[graph.columns[content_id]] += 0.3 * weight * similarity
    found = graph.scores(platform, USER).by_titles
    assert {column: found[column] for column in np.flatnonzero(found)} == pytest.approx(expected)


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
        platform, user_ids=list(likeness), minimum_completion=0.7, events_per_user=30, per_user=12
    ):
        vote = likeness[row.user_id] * row.completion_rate / sum(likeness.values())
        expected[graph.columns[row.content_id]] += 0.7 * 0.9 * vote
    found = graph.scores(platform, USER).by_users
    assert {column: found[column] for column in np.flatnonzero(found)} == pytest.approx(expected)


def test_titles_that_the_snapshot_does_not_know_are_left_out(platform, graph):
    full = graph.scores(platform, USER).total
    known = dict(list(graph.columns.items())[:40])
    found = replace_columns(graph, known).scores(platform, USER).by_titles
    assert not found[40:].any()
    assert np.count_nonzero(full[40:])


def replace_columns(graph, columns):
    return GraphSource(columns, graph.viewers, graph.n_users, replace(graph.settings))
