"""A query is analysed and nothing else: it does not run, and nothing of it stays."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from mgw.sql.nullability import Analyser, NotAQuery, QueryRefused, TemporaryDenied, analyse


def _nullable(connection, query, types=()) -> list[bool]:
    return [verdict.nullable for verdict in analyse(connection, query, types)]


def test_nothing_is_executed(platform):
    platform.execute("CREATE SEQUENCE counter; SET statement_timeout = '5s'")
    assert _nullable(platform, "SELECT nextval('counter'), pg_sleep(1000), 1 / 0, (SELECT pg_sleep(1000)) IS NULL") == [
        False, True, False, False]  # fmt: skip
    analyse(platform, "INSERT INTO people (name) VALUES ('x') RETURNING id")
    analyse(platform, "WITH d AS (DELETE FROM people RETURNING id) SELECT id FROM d")
    assert platform.execute("SELECT is_called FROM counter").fetchone() == (False,)
    assert platform.execute("SELECT count(*) FROM people").fetchone() == (0,)


def test_nothing_stays(server_url, version):
    with psycopg.connect(server_url(version), autocommit=True) as connection:
        before = connection.execute("SELECT count(*) FROM pg_proc").fetchone()
        assert _nullable(connection, "SELECT 1") == [False]
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with pytest.raises(QueryRefused):
            analyse(connection, "SELECT nothing")
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert connection.execute("SELECT count(*) FROM pg_proc").fetchone() == before


def test_a_transaction_of_the_caller_goes_on(connection):
    connection.execute("CREATE TABLE mine (a int NOT NULL)")
    assert _nullable(connection, "SELECT a FROM mine") == [False]
    with pytest.raises(QueryRefused):
        analyse(connection, "SELECT b FROM mine")
    assert connection.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_rows_of_the_callers_own_kind_do_not_matter(connection):
    connection.row_factory = dict_row
    connection.execute("CREATE TABLE mine (a int NOT NULL)")
    assert _nullable(connection, "SELECT a, $1 FROM mine", ["int"]) == [False, True]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT 1; END; DROP TABLE people", "42601"),
        ("SELECT 1; SELECT 2", "42601"),
        ("SELECT 1; END", "42601"),
        ("; END; DROP TABLE people; --", "42601"),
        ("SELECT 1 /* ; END", "42601"),
        ("SELECT 'a", "42601"),
        ("RETURN 1", "42601"),
        ("SELECT 1 INTO t", "42601"),
        ("SELECT $1::int", "42P02"),
        ("SELECT nothing FROM people", "42703"),
        ("SELECT * FROM nowhere", "42P01"),
    ],
)
def test_what_is_not_one_query_is_refused(platform, query, code):
    with pytest.raises(QueryRefused) as refusal:
        analyse(platform, query)
    assert refusal.value.sqlstate == code
    assert platform.execute("SELECT count(*) FROM people").fetchone() == (0,)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "-- nothing",
        ";",
        "CREATE TABLE x (a int)",
        "EXPLAIN SELECT 1",
        "DO 'BEGIN END'",
        "COMMIT",
        "DROP TABLE people",
    ],
)
def test_what_has_no_tree_is_refused(platform, query):
    with pytest.raises(NotAQuery):
        analyse(platform, query)
    assert platform.execute("SELECT count(*) FROM people").fetchone() == (0,)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 -- the end",
        "SELECT 1;",
        "SELECT 1 ; -- END",
        "SELECT 1 /* ; END; */",
        "SELECT 1 END",
        'SELECT 1 AS "; END; DROP"',
        "SELECT $$; END$$",
    ],
)
def test_what_looks_dangerous_is_one_query(platform, query):
    assert _nullable(platform, query) == [False]


@pytest.mark.parametrize("type_", ["int) RETURNS void LANGUAGE sql AS ''; --", "no_such_type", 999_999_999, "int, int"])
def test_types_are_no_way_in(platform, type_):
    with pytest.raises(QueryRefused):
        analyse(platform, "SELECT 1", [type_])


def test_types_by_name_and_by_number(platform):
    for type_ in ("int", 23, "text[]", "mood", "public.mood", "timestamp with time zone", "varchar(20)", "score"):
        assert _nullable(platform, "SELECT $1", [type_]) == [True]


def test_a_parameter_that_is_never_null(platform):
    found = Analyser(platform).analyse("SELECT $1 + 1, $2 + 1", ["int", "int"], not_null_parameters=[1])
    assert [each.nullable for each in found.columns] == [False, True]


def test_a_fault_has_its_place_in_the_query(platform):
    with pytest.raises(QueryRefused) as refusal:
        analyse(platform, "SELECT id,\n  titel FROM content")
    assert refusal.value.position == 13
    assert refusal.value.hint == 'Perhaps you meant to reference the column "content.title".'


def test_no_right_to_temporary_objects_is_said(server_url, version):
    url = server_url(version)
    with psycopg.connect(url, autocommit=True) as owner:
        (database,) = owner.execute("SELECT current_database()").fetchone()
        name = sql.Identifier(database)
        owner.execute("DROP ROLE IF EXISTS poor")
        owner.execute("CREATE ROLE poor")
        owner.execute(sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM public").format(name))
        try:
            owner.execute("SET ROLE poor")
            with pytest.raises(TemporaryDenied, match="permission denied to create temporary") as denial:
                analyse(owner, "SELECT 1")
            assert "GRANT TEMPORARY" in denial.value.hint
        finally:
            owner.execute("RESET ROLE")
            owner.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO public").format(name))
            owner.execute("DROP ROLE poor")


def test_a_server_that_only_reads_is_said(connection):
    connection.execute("SET TRANSACTION READ ONLY")
    with pytest.raises(TemporaryDenied, match="read-only"):
        analyse(connection, "SELECT 1")


def test_a_query_that_is_nested_too_deeply_is_nullable(platform):
    query = "SELECT " + "||".join(["'a'::text"] * 700) + ", " + "(" * 300 + "title" + "||'x')" * 300 + " FROM content"
    assert _nullable(platform, query) == [True, True]


def test_many_queries_in_one_transaction(platform):
    analyser = Analyser(platform)
    platform.execute("CREATE TABLE before (a int)")
    with analyser.settled():
        for _ in range(8):
            assert [each.nullable for each in analyser.analyse("SELECT id, year FROM content").columns] == [False, True]
            with pytest.raises(QueryRefused):
                analyser.analyse("SELECT nothing")
    assert platform.execute("SELECT count(*) FROM before").fetchone() == (0,)
    assert platform.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'mgw%'").fetchone() == (0,)
    assert platform.execute("SHOW check_function_bodies").fetchone() == ("on",)
