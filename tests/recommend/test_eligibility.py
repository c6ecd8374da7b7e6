"""Filters: what may not be recommended is not, whoever asks, and a predicate is one condition that only reads."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import psycopg
import pytest

from mgw.core.artifacts import ModelStore
from mgw.core.errors import ParametersInvalid, PredicateInvalid
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings
from mgw.ingest.availability import AvailabilityRow
from mgw.ingest.load import load_availability
from mgw.recommend.als import ALS
from mgw.recommend.eligibility import EVERY_TITLE, Eligibility, titles_where, unavailable_titles, unknown_titles
from mgw.recommend.everyone import recommend_everyone
from mgw.recommend.history import read_history
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.recommender import Recommender
from mgw.recommend.source import read_training_data
from mgw.recommend.training import train_als

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
USER = "u00007"


@pytest.fixture
def snapshot(platform, tmp_path):
    data = read_training_data(platform)
    return train_als(data, ModelStore(tmp_path), AlsSettings(factors=8, epochs=6), threads=0, progress=SILENT)


def asked(recommender, connection, eligibility, user=USER, top_k=100):
    found = recommender.recommend(read_history(connection, user), top_k, reasons=1, eligibility=eligibility)
    return [entry.content_id for entry in found]


def test_a_filter_takes_titles_out_of_the_list_and_changes_no_place_of_the_others(platform, snapshot):
    recommender = Recommender(snapshot)
    everything = asked(recommender, platform, EVERY_TITLE)
    listed = frozenset(everything[1::2]) | {"none"}
    assert asked(recommender, platform, Eligibility(only=listed)) == everything[1::2]
    assert asked(recommender, platform, Eligibility(never=listed)) == everything[::2]
    both = Eligibility(only=listed).but_for(everything[:4])
    assert asked(recommender, platform, both) == everything[5::2]
    assert asked(recommender, platform, both.within(everything[:6])) == [everything[5]]
    assert asked(recommender, platform, Eligibility(only=frozenset())) == []


def test_what_the_user_has_met_is_listed_where_that_is_wanted(platform, snapshot):
    recommender = Recommender(snapshot)
    seen = set(read_history(platform, USER).seen)
    found = asked(recommender, platform, Eligibility(watched=True))
    assert seen <= set(found)
    assert [name for name in found if name not in seen] == asked(recommender, platform, EVERY_TITLE)


def test_an_unknown_user_gets_what_is_popular_of_what_is_eligible(platform, snapshot):
    recommender = Recommender(snapshot)
    everything = asked(recommender, platform, EVERY_TITLE, "nobody")
    assert asked(recommender, platform, Eligibility(never=frozenset(everything[:7])), "nobody") == everything[7:]


@pytest.mark.parametrize("watched", [False, True])
def test_everybody_gets_what_they_would_get_alone(platform, snapshot, watched):
    recommender = Recommender(snapshot)
    eligibility = Eligibility(never=frozenset(asked(recommender, platform, EVERY_TITLE)[:5]), watched=watched)
    platform.commit()
    (piece,) = recommend_everyone(read_training_data(platform), snapshot, 6, eligibility=eligibility)
    users = piece.user_ids.astype(str)
    assert len(set(users)) == 60
    for user in set(users):
        assert piece.content_ids[users == user].astype(str).tolist() == asked(
            recommender, platform, eligibility, user, 6
        ), user


def test_nothing_eligible_is_an_empty_list_for_everybody(platform, snapshot):
    platform.commit()
    (piece,) = recommend_everyone(
        read_training_data(platform), snapshot, 6, eligibility=Eligibility(only=frozenset({"none"}))
    )
    assert len(piece.user_ids) == 0


def test_titles_like_another_are_filtered_too(platform, snapshot):
    recommender = Recommender(snapshot)
    everything = [entry.content_id for entry in recommender.similar("t0001", 20)]
    fewer = recommender.similar("t0001", 10, eligibility=Eligibility(never=frozenset(everything[::2])))
    assert [entry.content_id for entry in fewer] == everything[1::2]


def test_the_library_lists_only_the_columns_that_are_given(platform):
    matrix = strength_matrix(read_training_data(platform).events)
    model = ALS.fit(matrix, AlsSettings(factors=8, epochs=3))
    users = np.arange(5)
    all_columns, _ = model.recommend(users, matrix.shape[1], exclude=matrix[users])
    items = np.arange(0, matrix.shape[1], 3)
    some, scores = model.recommend(users, 9, exclude=matrix[users], items=items)
    for row, everything, values in zip(some, all_columns, scores, strict=True):
        wanted = [column for column in everything if column in items and column >= 0][:9]
        assert row[: len(wanted)].tolist() == wanted
        assert np.all(row[len(wanted) :] == -1)
        assert np.all(np.isneginf(values[len(wanted) :]))
    with pytest.raises(ParametersInvalid, match="title"):
        model.recommend(users, 3, items=np.array([matrix.shape[1]]))


def test_a_window_counts_from_its_start_to_its_end_and_where_it_is(platform):
    rows = [
        AvailabilityRow("t0001", None, JUNE, JULY),
        AvailabilityRow("t0002", "DE", None, JUNE),
        AvailabilityRow("t0002", "AT", JUNE, None),
        AvailabilityRow("t0003", None, None, None),
    ]
    load_availability(platform, rows)

    def missing(region, moment):
        return sorted(unavailable_titles(platform, region, moment))

    assert missing(None, MAY) == ["t0001"]
    assert missing(None, JUNE) == []
    assert missing(None, JULY) == ["t0001"]
    assert missing("DE", MAY) == ["t0001"]
    assert missing("DE", JUNE) == ["t0002"]
    assert missing("AT", MAY) == ["t0001", "t0002"]
    assert missing("FR", JUNE) == ["t0002"]


def test_a_predicate_selects_titles(platform):
    expected = platform.execute("SELECT external_id FROM content WHERE year % 2 = 0").fetchall()
    assert sorted(titles_where(platform, "c.year % 2 = 0 -- even")) == sorted(row[0] for row in expected)
    assert titles_where(platform, "NULL") == []
    genre = "EXISTS (SELECT FROM content_genres g WHERE g.content_id = c.id AND g.genre LIKE '%a%')"
    assert 0 < len(titles_where(platform, genre)) < 80


@pytest.mark.parametrize(
    ("predicate", "reason"),
    [
        ("", "syntax error"),
        ("c.yaer > 2000", "does not exist"),
        ("c.year", "must be type boolean"),
        ("1 / (c.id - c.id) = 1", "division by zero"),
        ("true); DELETE FROM content; SELECT (true", "multiple commands"),
        ("true); COMMIT; SELECT (true", "multiple commands"),
        ("nextval('content_id_seq') > 0", "read-only transaction"),
        ("(SELECT id FROM content) > 0", "more than one row"),
        ("count(*) > 1", "aggregate"),
        ("true) /*", "unterminated"),
        ("title = '", "unterminated"),
    ],
)
def test_a_predicate_that_is_none_changes_nothing_and_leaves_the_connection_usable(platform, predicate, reason):
    platform.execute("INSERT INTO users (external_id) VALUES ('kept')")
    with pytest.raises(PredicateInvalid, match=reason) as caught:
        titles_where(platform, predicate)
    assert "c.year >= 2000" in caught.value.hint
    assert platform.execute("SELECT count(*) FROM users WHERE external_id = 'kept'").fetchone() == (1,)
    platform.execute("INSERT INTO users (external_id) VALUES ('written after it')")


def test_a_lost_connection_is_no_fault_of_the_predicate(platform, database_url):
    with psycopg.connect(database_url) as other, pytest.raises(psycopg.OperationalError):
        titles_where(other, f"pg_terminate_backend({other.info.backend_pid})")


def test_ids_that_no_content_has(platform):
    assert unknown_titles(platform, ["t0001", "x", "t0002", "y", "x"]) == ["x", "y"]
