"""Rows into the database: merged, counted, and the same rows twice change nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import errors

from mgw.ingest.content import ContentRow
from mgw.ingest.events import EventRow
from mgw.ingest.load import ContentCounts, EventCounts, known_content, load_content, load_events

AT = datetime(2020, 1, 1, 10, tzinfo=UTC)
ALIEN = ContentRow(
    "alien", "Alien", "film", 1979, 117, "In space…", ["SF", "Horror"], ["space"], ["Weaver"], ["Scott"], []
)
BRAZIL = ContentRow("brazil", "Brazil")


def event(user="ada", content="alien", at=AT, **values):
    return EventRow(user, content, at, 1.0, None, False, False, None)._replace(**values)


@pytest.fixture
def films(database):
    load_content(database, [ALIEN, BRAZIL])
    database.commit()
    return database


def test_content_is_all_there(films, contents):
    found = contents()
    assert found["content"] == [
        ("alien", "Alien", "film", 1979, 117, "In space…"),
        ("brazil", "Brazil", "film", None, None, None),
    ]
    assert found["genres"] == [("alien", "Horror"), ("alien", "SF")]
    assert found["themes"] == [("alien", "space")]
    assert found["credits"] == [("alien", "actor", 1, "Weaver"), ("alien", "director", 1, "Scott")]
    assert known_content(films) == {"alien", "brazil"}


def test_the_same_content_again_changes_nothing(films, contents):
    before = contents()
    assert load_content(films, [BRAZIL, ALIEN]) == ContentCounts(unchanged=2)
    films.commit()
    assert contents() == before


@pytest.mark.parametrize(
    ("change", "table", "rows"),
    [
        ({"title": "Alien³"}, "content", ("alien", "Alien³", "film", 1979, 117, "In space…")),
        ({"kind": "series"}, "content", ("alien", "Alien", "series", 1979, 117, "In space…")),
        ({"genres": ["SF"]}, "genres", ("alien", "SF")),
        ({"themes": ["cat"]}, "themes", ("alien", "cat")),
        ({"actors": ["Hurt", "Weaver"]}, "credits", ("alien", "actor", 1, "Hurt")),
        ({"directors": []}, "credits", ("alien", "actor", 1, "Weaver")),
    ],
)  # fmt: skip
def test_a_change_is_taken_over_and_counted_once(films, contents, change, table, rows):
    assert load_content(films, [ALIEN._replace(**change)]) == ContentCounts(changed=1)
    films.commit()
    assert contents()[table][0] == rows
    assert load_content(films, [ALIEN._replace(**change)]) == ContentCounts(unchanged=1)


def test_what_the_source_does_not_say_stays(films, contents):
    before = contents()
    assert load_content(films, [ContentRow("alien", "Alien")]) == ContentCounts(unchanged=1)
    films.commit()
    assert contents() == before
    assert load_content(films, [ContentRow("alien", "Alien³")]) == ContentCounts(changed=1)
    films.commit()
    assert contents()["content"][0] == ("alien", "Alien³", "film", 1979, 117, "In space…")
    assert contents()["credits"] == before["credits"]


def test_a_billing_position_as_large_as_there_can_be(films, contents):
    cast = [f"extra {n}" for n in range(32_767)]
    assert load_content(films, [ALIEN._replace(actors=cast)]).changed == 1
    films.commit()
    assert contents()["credits"][32_766] == ("alien", "actor", 32_767, "extra 32766")


def test_events_are_all_there_and_users_come_with_them(films, contents):
    rows = [event(rating=4.5, device="tv"), event("bob", "brazil", None, dismissed=True, completion_rate=0.0)]
    assert load_events(films, rows) == EventCounts(new=2, users_new=2)
    films.commit()
    assert contents()["events"] == [
        ("ada", "alien", AT, 1.0, 4.5, False, False, "tv"),
        ("bob", "brazil", None, 0.0, None, False, True, None),
    ]
    assert contents()["users"] == [("ada",), ("bob",)]


def test_the_same_events_again_change_nothing(films, contents):
    rows = [event(rating=4.5, completion_rate=0.1), event(at=None), event("bob", "brazil")]
    load_events(films, rows)
    films.commit()
    before = contents()
    assert load_events(films, rows[::-1]) == EventCounts(already_there=3)
    films.commit()
    assert contents() == before


def test_new_events_among_old_ones(films):
    load_events(films, [event()])
    assert load_events(films, [event(), event("bob")]) == EventCounts(new=1, already_there=1, users_new=1)


def test_a_repetition_counts_once_and_the_first_is_taken(films, contents):
    rows = [event(rating=1.0), event(rating=2.0), event(at=None, rating=3.0), event(at=None)]
    assert load_events(films, rows) == EventCounts(new=2, duplicates=2, users_new=1)
    films.commit()
    assert [row[4] for row in contents()["events"]] == [1.0, 3.0]


def test_the_first_of_many_repetitions_is_taken(films, contents):
    users = [f"user{n * 7919 % 500}" for n in range(500)]
    load_events(films, [event(user, rating=stars) for stars in (2.0, 1.0, 3.0, 5.0, 4.0) for user in users])
    films.commit()
    assert {row[4] for row in contents()["events"]} == {2.0}


@pytest.mark.parametrize(
    "change",
    [
        {"rating": 2.0},
        {"rating": None},
        {"completion_rate": 0.5},
        {"is_rewatch": True},
        {"dismissed": True},
        {"device": "tv"},
    ],
)
@pytest.mark.parametrize("at", [AT, None])
def test_an_event_with_other_values_than_the_one_that_is_there_is_told_and_left(films, contents, change, at):
    load_events(films, [event(at=at, rating=1.0)])
    films.commit()
    before = contents()
    conflicting = event(at=at, rating=1.0)._replace(**change)
    assert load_events(films, [conflicting]) == EventCounts(already_there=1, conflicting=1)
    films.commit()
    assert contents() == before


def test_two_files_in_one_transaction(films):
    assert load_events(films, [event()]).new == 1
    assert load_events(films, [event("bob")]).new == 1


def test_nothing_at_all(films):
    assert load_events(films, []) == EventCounts()
    assert load_content(films, []) == ContentCounts()


def test_nothing_is_committed(films, contents):
    before = contents()
    load_content(films, [ALIEN._replace(title="x")])
    load_events(films, [event()])
    films.rollback()
    assert contents() == before


# Foreign keys: they hold, whether PostgreSQL checks them event by event or the merge vouches for them.


def as_ordinary_user(connection):
    connection.execute("CREATE ROLE importer")
    connection.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO importer")
    connection.execute("SET LOCAL ROLE importer")


def test_an_ordinary_user_may_import(films):
    as_ordinary_user(films)
    assert load_events(films, [event(), event("bob")]) == EventCounts(new=2, users_new=2)
    films.rollback()  # roles belong to the server, not to the test's database


def test_the_checks_are_on_again_when_the_merge_is_done(films):
    load_events(films, [event()])
    assert films.execute("SHOW session_replication_role").fetchone() == ("origin",)
    with pytest.raises(errors.ForeignKeyViolation):
        films.execute("INSERT INTO viewing_events (user_id, content_id, completion_rate) VALUES (-1, -1, 1)")


def test_a_trigger_of_the_users_own_still_fires(films):
    films.execute("CREATE TABLE seen (n int)")
    films.execute(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN INSERT INTO seen VALUES (1); RETURN NULL; END'"
    )
    films.execute("CREATE TRIGGER noted AFTER INSERT ON viewing_events FOR EACH ROW EXECUTE FUNCTION note()")
    load_events(films, [event(), event("bob")])
    assert films.execute("SELECT count(*) FROM seen").fetchone() == (2,)


@pytest.mark.parametrize("statement", ["DELETE FROM users", "DELETE FROM content"])
def test_nobody_takes_users_or_titles_away_before_the_import_ends(films, database_url, statement):
    load_events(films, [event()])
    films.commit()
    load_events(films, [event(at=None)])
    with psycopg.connect(database_url) as other, pytest.raises(errors.LockNotAvailable):  # noqa: PT012
        other.execute("SET LOCAL lock_timeout = '50ms'")
        other.execute(statement)
