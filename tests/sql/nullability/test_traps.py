"""Constraints that do not hold, and the versions that have them."""

from __future__ import annotations

import pytest

from mgw.sql.nullability import analyse


def _nullable(connection, query: str) -> list[bool]:
    return [verdict.nullable for verdict in analyse(connection, query)]


def test_a_child_that_dropped_not_null_takes_it_from_the_parent(connection, version):
    connection.execute("CREATE TABLE p (a int NOT NULL, b int NOT NULL); CREATE TABLE c () INHERITS (p)")
    assert _nullable(connection, "SELECT a, b FROM p") == [False, False]
    if version >= 18:
        pytest.skip("from version 18 on, a child cannot drop it")
    connection.execute("ALTER TABLE c ALTER a DROP NOT NULL; INSERT INTO c VALUES (NULL, 1)")
    assert _nullable(connection, "SELECT a, b FROM p") == [True, False]
    assert _nullable(connection, "SELECT a, b FROM ONLY p") == [False, False]
    assert _nullable(connection, "UPDATE p SET b = 2 RETURNING a, b") == [True, False]


def test_a_grandchild_counts_as_well(connection, version):
    connection.execute(
        "CREATE TABLE p (a int CHECK (a IS NOT NULL) NO INHERIT); CREATE TABLE c () INHERITS (p);"
        " CREATE TABLE g () INHERITS (c)"
    )
    assert _nullable(connection, "SELECT a FROM p") == [True]
    assert _nullable(connection, "SELECT a FROM ONLY p") == [False]
    connection.execute("ALTER TABLE c ADD CHECK (a IS NOT NULL) NO INHERIT")
    assert _nullable(connection, "SELECT a FROM p") == [True]
    connection.execute("ALTER TABLE g ADD CHECK (a IS NOT NULL)")
    assert _nullable(connection, "SELECT a FROM p") == [False]


def test_not_null_that_was_never_checked_does_not_count(connection, version):
    if version < 18:
        pytest.skip("version 18 is the first with NOT NULL … NOT VALID")
    connection.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (NULL)")
    connection.execute("ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID")
    assert _nullable(connection, "SELECT a FROM t") == [True]
    connection.execute("DELETE FROM t; ALTER TABLE t VALIDATE CONSTRAINT n")
    assert _nullable(connection, "SELECT a FROM t") == [False]


def test_a_check_that_was_never_checked_does_not_count(connection, version):
    connection.execute("CREATE TABLE t (a int); INSERT INTO t VALUES (NULL)")
    connection.execute("ALTER TABLE t ADD CONSTRAINT n CHECK (a IS NOT NULL) NOT VALID")
    assert _nullable(connection, "SELECT a FROM t") == [True]
    connection.execute("DELETE FROM t; ALTER TABLE t VALIDATE CONSTRAINT n")
    assert _nullable(connection, "SELECT a FROM t") == [False]
    if version >= 18:
        connection.execute("ALTER TABLE t DROP CONSTRAINT n; ALTER TABLE t ADD CHECK (a IS NOT NULL) NOT ENFORCED")
        assert _nullable(connection, "SELECT a FROM t") == [True]


def test_a_check_that_null_passes_does_not_count(connection):
    connection.execute(
        "CREATE TABLE t (a int CHECK (a > 3), b int CHECK (b IS NOT NULL OR a > 3),"
        " c int CHECK (c IS NOT NULL AND c > 3))"
    )
    assert _nullable(connection, "SELECT a, b, c FROM t") == [True, True, False]


def test_a_column_of_a_not_null_domain_may_be_null(connection):
    connection.execute("CREATE DOMAIN d AS int NOT NULL; CREATE TABLE t (a d); INSERT INTO t VALUES (1)")
    # PostgreSQL's own documentation warns of this way around the constraint.
    connection.execute("INSERT INTO t (a) VALUES ((SELECT a FROM t WHERE false))")
    assert connection.execute("SELECT count(*) FROM t WHERE a IS NULL").fetchone() == (1,)
    assert _nullable(connection, "SELECT a, a::int, 1::d, nullif(1, 2)::d FROM t") == [True, True, False, False]


def test_a_foreign_table_is_not_trusted(connection):
    connection.execute("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w")
    connection.execute("CREATE TABLE p (a int NOT NULL) PARTITION BY LIST (a)")
    assert _nullable(connection, "SELECT a FROM p") == [False]
    connection.execute("CREATE FOREIGN TABLE f PARTITION OF p FOR VALUES IN (1) SERVER s")
    assert _nullable(connection, "SELECT a FROM f") == [True]
    assert _nullable(connection, "SELECT a, ctid FROM p") == [True, True]
    assert _nullable(connection, "INSERT INTO p VALUES (1) RETURNING a") == [True]


def test_a_trigger_may_change_what_is_written(connection):
    connection.execute("CREATE TABLE t (a int, b int NOT NULL)")
    assert _nullable(connection, "INSERT INTO t VALUES (1, 2) RETURNING a, b") == [False, False]
    connection.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := NULL; RETURN NEW; END'")
    connection.execute("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
    assert _nullable(connection, "INSERT INTO t VALUES (1, 2) RETURNING a, b") == [True, False]


def test_what_comes_through_a_view_is_not_trusted(platform):
    assert _nullable(platform, "UPDATE dated SET year = NULL RETURNING id, year") == [True, True]
    assert _nullable(platform, "DELETE FROM dated RETURNING year") == [True]


def test_one_table_twice_is_two_rows(platform):
    # Two mentions of one view with a FULL JOIN in it: what one lacks the other need not have.
    both = "SELECT c.id AS a, p.id AS b FROM content c FULL JOIN people p USING (id)"
    platform.execute(f"CREATE VIEW full_view AS {both}")
    assert _nullable(platform, "SELECT coalesce(x.a, y.b) FROM full_view x, full_view y") == [True]
    query = f"WITH w AS ({both}) SELECT coalesce(x.a, y.b)"
    assert _nullable(platform, f"{query} FROM w x, w y") == [True]
    assert _nullable(platform, f"{query} FROM w x JOIN w y ON x.a = y.a") == [False]


def test_a_schema_may_have_functions_of_the_same_name(platform):
    platform.execute("CREATE FUNCTION length(users) RETURNS int LANGUAGE sql AS 'SELECT NULL::int'")
    assert _nullable(platform, "SELECT length(title), length(u) FROM content, users u") == [False, True]
