"""A schema's own types in the accessors: what comes from a server, and what mypy says that it is."""

from __future__ import annotations

import asyncio

import psycopg
import pytest
from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from .generated import loaded, mypy

TYPES = """
    CREATE DOMAIN stars AS smallint CHECK (VALUE BETWEEN 1 AND 5);
    CREATE DOMAIN moods AS mood[];
    CREATE SCHEMA app;
    CREATE TYPE app."Day of week" AS ENUM ('mon', 'tue');
    CREATE TYPE scene AS (class text, at numeric, mood mood, moods mood[], stars stars, about jsonb);
    CREATE TYPE reel AS (scenes scene[], place place);
    CREATE TYPE span AS RANGE (subtype = float8);
    CREATE TYPE pair AS (a int, b span);
    CREATE TABLE cut (
        id int PRIMARY KEY,
        reel reel NOT NULL,
        pairs pair[] NOT NULL,
        span span NOT NULL,
        spans span_multirange NOT NULL,
        many span[] NOT NULL,
        stars stars[] NOT NULL,
        moods moods NOT NULL,
        days app."Day of week"[] NOT NULL
    );
"""
COLUMNS = ("reel", "pairs", "span", "spans", "many", "stars", "moods", "days")
QUERIES = {
    "cut/add": f"INSERT INTO cut (id, {', '.join(COLUMNS)}) VALUES (:id, {', '.join(':' + each for each in COLUMNS)})",
    "cut/get": f"SELECT {', '.join(COLUMNS)} FROM cut WHERE id = :id",
    "cut/row": "SELECT c AS whole FROM cut c",
    "cut/mood": "SELECT mood FROM film WHERE mood = :mood",
    "cut/of_a_place": "-- column found: not null\nSELECT CAST(:place AS place) AS found",
}


@pytest.fixture(scope="module")
def built(make_project, tmp_path_factory):
    """The generated module's file, the module, and a connection to a database with the types."""
    project = make_project(tmp_path_factory.mktemp("own_types"))
    project.migration(TYPES)
    for name, text in QUERIES.items():
        project.query(text, name)
    path = project.root / "cuts.py"
    project.prepare(path)
    with loaded(path) as module, project.shadow() as connection:
        yield path, module, connection


def values(module):
    scene = module.Scene("opening", 1, "ok", ["sad", 'very "happy"'], 5, None)
    return {
        "reel": module.Reel([scene, None, scene._replace(class_=None, moods=None)], module.Place("Rome, (I)", 1)),
        "pairs": [module.Pair(1, Range(0.5, 1.5)), module.Pair(None, None)],
        "span": Range(0.25, 0.5),
        "spans": Multirange([Range(0.0, 1.0), Range(2.0, 3.0)]),
        "many": [Range(0.25, 0.5), Range(empty=True)],
        "stars": [1, 5],
        "moods": ["ok"],
        "days": ["mon", "tue"],
    }


def test_a_value_comes_back_as_it_was_given(built):
    _, module, connection = built
    with connection.transaction(force_rollback=True):
        given = values(module)
        assert module.cut_add(connection, id=1, **given) == 1
        found = module.cut_get(connection, id=1)
        assert found._asdict() == given
        assert type(found.reel) is module.Reel
        assert type(found.reel.scenes[0]) is module.Scene
        assert found.reel.scenes[0].at == 1
        (whole,) = module.cut_row(connection)
        assert whole == (1, *given.values())
        assert type(whole.stars[0]) is int


def test_a_connection_learns_the_types_once_and_another_one_for_itself(built):
    _, module, connection = built
    url = f"host={connection.info.host} port={connection.info.port} user={connection.info.user}"
    with psycopg.connect(url, dbname=connection.info.dbname, autocommit=True) as other:
        place = module.Place("Rome", 1)
        assert module.cut_of_a_place(other, place=place) == place
        assert other.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        fetched = []
        other.adapters.types.get_oid("place")
        original = psycopg.types.TypeInfo.__dict__["fetch"]
        try:
            psycopg.types.TypeInfo.fetch = lambda *args: fetched.append(args)
            assert module.cut_of_a_place(other, place=place) == place
        finally:
            psycopg.types.TypeInfo.fetch = original
        assert fetched == []
    with psycopg.connect(url, dbname=connection.info.dbname) as third:
        module.register_types(third)
        assert third.execute("SELECT ROW('x', 2)::place").fetchone() == (module.Place("x", 2),)
        assert third.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


def test_a_query_without_such_types_asks_for_none(built):
    _, module, _ = built
    assert "_know_types" not in module.cut_mood.__code__.co_names
    assert "_know_types" in module.cut_get.__code__.co_names


def test_the_asynchronous_twins(built):
    _, module, connection = built

    async def run():
        info = connection.info
        async with await psycopg.AsyncConnection.connect(
            f"host={info.host} port={info.port} user={info.user} dbname={info.dbname}"
        ) as other:
            given = values(module)
            assert await module.cut_add_async(other, id=2, **given) == 1
            assert (await module.cut_get_async(other, id=2))._asdict() == given
            await other.rollback()

    asyncio.run(run())


def test_mypy_knows_the_types(built):
    said = mypy(
        built[0],
        "cut = cuts.cut_get(connection, id=1)",  # 4
        "assert cut is not None and cut.reel.scenes is not None and cut.reel.scenes[0] is not None",  # 5
        "scene = cut.reel.scenes[0]",
        "reveal_type(cut.moods)",  # 7
        "reveal_type(cut.span.lower)",
        "reveal_type(cut.spans)",
        "reveal_type(cut.stars)",
        "reveal_type(cut.days)",
        "reveal_type(scene.stars)",
        "print(scene.class_.upper())",  # 13: may be NULL
        "cuts.cut_of_a_place(connection, place=('Rome', 1))",  # 14: not a Place
        "cuts.Scene('a', 'b', 'angry', [], 1, None)",  # 15: no number, no such mood
    )
    revealed = [line.partition("Revealed type is ")[2] for line in said if "note: Revealed" in line]
    assert revealed == [
        """"list[Literal['sad'] | Literal['ok'] | Literal['very "happy"'] | None]\"""",
        '"float | None"',
        '"psycopg.types.multirange.Multirange[float]"',
        '"list[int | None]"',
        """"list[Literal['mon'] | Literal['tue'] | None]\"""",
        '"int | None"',
    ]
    assert [line.split(":")[1] for line in said if ": error:" in line] == ["13", "14", "15", "15"], said


def test_two_types_never_share_a_name(make_project, tmp_path):
    project = make_project(tmp_path)
    project.migration("""
        CREATE SCHEMA app;
        CREATE TYPE app.a AS ENUM ('1');
        CREATE TYPE app_a AS ENUM ('2');
        CREATE TYPE "appA" AS ENUM ('3');
        CREATE TYPE literal AS ENUM ('4');
        CREATE TYPE one_row AS (x int);
        CREATE TYPE "a""b'c\\d" AS ENUM ('5');
    """)
    project.query(
        "SELECT '1'::app.a AS a, '2'::app_a AS b, '3'::\"appA\" AS c, '4'::literal AS d, ROW(1)::one_row AS e,"
        ' ARRAY[\'5\'::"a""b\'c\\d"] AS f'
    )
    path = tmp_path / "names.py"
    project.prepare(path)
    with loaded(path) as module, project.shadow() as connection:
        assert module.one(connection) == ("1", "2", "3", "4", (1,), ["5"])
