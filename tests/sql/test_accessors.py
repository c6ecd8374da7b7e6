"""The generated module: what it does on a server, and what type checkers and linters say of it."""

from __future__ import annotations

import asyncio
import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb
from psycopg.types.range import DateRange, Range

from .generated import loaded, mypy

ROOT = Path(__file__).parents[2]

QUERIES = {
    "film/add": """
        -- A new film.
        -- param about: null
        -- param shown: null
        INSERT INTO film (slug, title, year, mood, price, tags, about, shown)
        VALUES (:slug, :title, :year, :mood, :price, :tags, :about, :shown)
        RETURNING id
    """,
    "film/by_slug": """
        -- A film: "by its slug".
        SELECT id, title, year, mood, score, price, tags, about, shown, added, id AS count, '50 %' AS "two words"
        FROM film WHERE slug = :slug
    """,
    "film/year": "SELECT year FROM film WHERE slug = :slug",
    "film/title": "SELECT title FROM film WHERE slug = :slug",
    "film/slugs": "-- column tags: elements not null\nSELECT slug, tags FROM film ORDER BY slug",
    "film/total": "SELECT count(*) FROM film",
    "film/rename": "UPDATE film SET title = :title WHERE slug = :slug",
    "film/like": "SELECT slug FROM film WHERE slug LIKE :class || '%' AND id % 1 = 0 ORDER BY slug",
    "film/must": "-- returns: one\nSELECT title FROM film WHERE slug LIKE :connection",
    "film/stream": "-- returns: copy\nSELECT id FROM film -- all\n",
    "film/mood_of": '-- A \\ and """ in it"\nSELECT mood FROM film WHERE mood = ANY(:moods) AND \'\\\' <> \'"""\'',
    "person/of_a_kind": "SELECT moods, place FROM person",
    "person/clear": "-- utility\nTRUNCATE person",
    "person/load": "-- utility\nCOPY person (id, name) FROM STDIN",
    "date": "SELECT now()::date AS date, 1 AS list",
    "list": "SELECT shown FROM film WHERE shown @> :day::date",
    "import": "SELECT :n + 1 AS n",
}


@pytest.fixture(scope="module")
def built(make_project, tmp_path_factory):
    """The generated module's file, the module, and a connection to a database with the schema."""
    project = make_project(tmp_path_factory.mktemp("accessors"))
    for name, text in QUERIES.items():
        project.query(text, name)
    path = project.root / "films.py"
    project.prepare(path)
    with loaded(path) as module, project.shadow() as connection:
        yield path, module, connection


@pytest.fixture
def films_module(built):
    _, module, connection = built
    with connection.transaction(force_rollback=True):
        yield module, connection


def add(module, connection, slug="a", **changes):
    values = {
        "slug": slug, "title": "A", "year": 2000, "mood": "ok", "price": Decimal("1.50"), "tags": ["x", "y"],
        "about": Jsonb({"a": 1}), "shown": DateRange(dt.date(2000, 1, 1), dt.date(2000, 2, 1)),
    }  # fmt: skip
    return module.film_add(connection, **values | changes)


def test_rows_values_and_counts(films_module):
    module, connection = films_module
    number = add(module, connection)
    row = module.film_by_slug(connection, slug="a")
    assert row == (
        number, "A", 2000, "ok", None, Decimal("1.50"), ["x", "y"], {"a": 1},
        Range(dt.date(2000, 1, 1), dt.date(2000, 2, 1)), row.added, number, "50 %",
    )  # fmt: skip
    assert (row.title, row.count_, row.two_words) == ("A", number, "50 %")
    assert module.film_by_slug(connection, slug="nope") is None
    assert module.film_title(connection, slug="a") == "A"
    assert module.film_title(connection, slug="nope") is None
    assert module.film_year(connection, slug="a") == (2000,)  # a row, for the year could be NULL itself
    assert module.film_slugs(connection) == [("a", ["x", "y"])]
    assert module.film_total(connection) == 1
    assert module.film_rename(connection, slug="a", title="B") == 1
    assert module.film_like(connection, class_="a") == ["a"]
    assert module.list_(connection, day=dt.date(2000, 1, 5)) == [row.shown]
    assert module.date(connection).list_ == 1
    assert module.import_(connection, n=5) == 6


def test_none_where_it_is_allowed(films_module):
    module, connection = films_module
    add(module, connection, about=None, shown=None)
    row = module.film_by_slug(connection, slug="a")
    assert (row.about, row.shown) == (None, None)


def test_the_connection_may_make_rows_of_its_own_kind(films_module):
    module, connection = films_module
    connection.row_factory = psycopg.rows.dict_row
    try:
        add(module, connection)
        assert module.film_by_slug(connection, slug="a").title == "A"
    finally:
        connection.row_factory = psycopg.rows.tuple_row


def test_another_number_of_rows_than_the_header_claims(films_module):
    module, connection = films_module
    with pytest.raises(LookupError, match="film/must gave 0 rows"):
        module.film_must(connection, connection_="%")
    add(module, connection, "a")
    assert module.film_must(connection, connection_="%") == "A"
    add(module, connection, "b")
    with pytest.raises(LookupError, match="film/must gave 2 rows"):
        module.film_must(connection, connection_="%")


def test_copy_both_ways_and_utility_statements(films_module):
    module, connection = films_module
    add(module, connection)
    assert b"".join(module.film_stream(connection)).startswith(b"PGCOPY\n")
    with module.person_load(connection) as copy:
        copy.write_row((1, "Ada"))
    connection.execute("UPDATE person SET moods = '{ok,sad}', place = ('Rome', 1)")
    assert module.person_of_a_kind(connection) == [(["ok", "sad"], ("Rome", 1))]
    connection.execute("TRUNCATE credit, person")
    connection.execute("ALTER TABLE credit DROP CONSTRAINT credit_person_id_fkey")
    module.person_clear(connection)


def test_the_asynchronous_twins(built):
    _, module, connection = built

    async def run():
        info = connection.info
        async with await psycopg.AsyncConnection.connect(
            f"host={info.host} port={info.port} user={info.user} dbname={info.dbname}"
        ) as other:
            number = await module.film_add_async(
                other, slug="z", title="Z", year=1, mood="sad", price=1, tags=[], about=None, shown=None
            )
            row = await module.film_by_slug_async(other, slug="z")
            assert (row.id, row.mood) == (number, "sad")
            assert await module.film_mood_of_async(other, moods=["sad"]) == ["sad"]
            assert await module.film_rename_async(other, slug="z", title="Y") == 1
            assert b"".join([block async for block in module.film_stream_async(other)]).startswith(b"PGCOPY")
            async with module.person_load_async(other) as copy:
                await copy.write_row((7, "Bo"))
            await other.rollback()

    asyncio.run(run())


def test_documentation_and_text_stay_inside_their_quotes(built):
    _, module, _ = built
    assert module.film_by_slug.__doc__ == 'A film: "by its slug".'
    assert module.film_mood_of.__doc__ == 'A \\ and """ in it"'
    assert """'\\' <> '\"\"\"'""" in module._FILM_MOOD_OF


def test_mypy_finds_the_wrong_argument_the_unguarded_null_and_the_removed_column(built):
    said = mypy(
        built[0],
        "film = films.film_by_slug(connection, slug=5)",  # 4
        "print(film.title)",  # 5: there may be no such film
        "assert film is not None",
        "print(film.title.upper(), film.id + 1, film.price + 1)",
        "print(film.score + 1)",  # 8: NULL
        "print(film.director)",  # 9: no such column
        "films.film_title(connection)",  # 10: the argument is missing
        "films.film_add(connection, slug='a', title='A', year=1, mood='angry', price=1, tags=[], about=None,"
        " shown=None)",  # 11: no such mood
        "print([tag.upper() for _, tags in films.film_slugs(connection) for tag in tags])",
        "print([tag.upper() for tag in film.tags])",  # 13: an element may be NULL
        "films.film_rename(connection, slug=None, title='')",  # 14: NULL is not allowed here
    )
    found = [line.split(":")[1] for line in said if ": error:" in line]
    assert found == ["4", "5", "8", "9", "10", "11", "13", "14"], said


def test_linters_have_nothing_to_say(built):
    path = built[0]
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        answer = subprocess.run(
            [sys.executable, "-m", *command, "--config", ROOT / "pyproject.toml", path],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert answer.returncode == 0, answer.stdout
    assert mypy(path, "pass")[-1].startswith("Success")


def test_the_module_loads_next_to_nothing(built):
    program = "import sys, films; print('psycopg' in sys.modules, 'mgw' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=built[0].parent, capture_output=True, text=True, check=True
    )
    assert answer.stdout == "False False\n"
