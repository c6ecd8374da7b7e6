"""`mgw explain`: what is known of one query, and why."""

from __future__ import annotations

import json

import pytest
from commands import mgw


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    (folder / "queries/film").mkdir(parents=True)
    (folder / "steps").mkdir()
    (folder / "steps/0001_films.sql").write_text(
        "CREATE TABLE film (id bigint PRIMARY KEY, title text NOT NULL, year int);"
        "CREATE TABLE credit (film_id bigint NOT NULL, role text NOT NULL);"
        "CREATE FUNCTION slow(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN LOOP END LOOP; END';"
    )
    (folder / "queries/film/cast.sql").write_text(
        "-- Who is in it.\nSELECT f.title, c.role\nFROM film f\nLEFT JOIN credit c ON c.film_id = f.id\n"
        "WHERE f.year = :year\n"
    )
    (folder / "queries/film/slow.sql").write_text("SELECT id FROM film WHERE year = slow(1)")
    (folder / "queries/now.sql").write_text("SELECT now() AS now")
    (folder / "queries/clean.sql").write_text("-- utility\nVACUUM film")
    (folder / "queries/broken.sql").write_text("SELECT 1; SELECT 2")
    return folder


def test_a_query(folder):
    code, said, _ = mgw(folder, "explain", "film/cast", "--migrations", "steps")
    assert code == 0
    for words in (
        "Who is in it.",
        "Gives any number of rows.",
        "LEFT JOIN credit c finds no row (line 4)",
        "never NULL",
        "No index serves year = :year on film",
        "CREATE INDEX ON film (year);",
        "Depends on ",
    ):
        assert words in said
    assert ":year" in said.partition("Parameters")[2]
    assert mgw(folder, "explain", "queries/film/cast.sql", "--migrations", "steps")[1] == said


def test_as_json(folder):
    code, said, _ = mgw(folder, "explain", "film/cast", "--migrations", "steps", "--json")
    document = json.loads(said)
    assert (code, document["returns"], [each["nullable"] for each in document["columns"]]) == (0, "many", [False, True])


def test_why_no_missing_index_was_looked_for(folder, postgres_url):
    code, said, _ = mgw(folder, "explain", "film/slow", "--migrations", "steps")
    assert (code, "was not looked for: PostgreSQL might run slow(integer) while it plans" in said) == (0, True)
    assert json.loads(mgw(folder, "explain", "film/slow", "--migrations", "steps", "--json")[1])["plan"] is None
    code, said, _ = mgw(folder, "explain", "now", "--database", postgres_url)
    assert (code, "is found on a shadow database only: --shadow" in said) == (0, True)
    assert "looked for" not in mgw(folder, "explain", "now", "--migrations", "steps")[1]


def test_what_there_is_not(folder):
    code, _, beside = mgw(folder, "explain", "film/casts", "--migrations", "steps")
    assert code == 1
    assert "SQL_QUERY_UNKNOWN" in beside
    assert "did you mean film/cast?" in beside
    assert "SQL_TWO_STATEMENTS" in mgw(folder, "explain", "broken", "--migrations", "steps")[2]
    assert "utility statement" in mgw(folder, "explain", "clean", "--migrations", "steps")[1]
