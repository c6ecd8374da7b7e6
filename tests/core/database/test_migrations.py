"""Migrations: what is refused, what a failure leaves, and two processes at once; on real servers."""

from __future__ import annotations

import hashlib
import threading

import psycopg
import pytest

from mgw.core.database.migrations import migrate, migration_states, read_migrations, require_schema
from mgw.core.errors import MigrationEdited, MigrationFailed, MigrationsInvalid, SchemaOutdated

CREATE_A, CREATE_B = "CREATE TABLE a (id int);\n", "CREATE TABLE b (id int);\n"


@pytest.fixture
def folder(tmp_path):
    """Write migrations by name and content, and return their folder."""

    def write(**files: str | bytes):
        path = tmp_path / "migrations"
        path.mkdir(exist_ok=True)
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            (path / f"{name.removeprefix('m')}.sql").write_bytes(data)
        return path

    return write


@pytest.fixture
def empty(postgres_url):
    """A connection to a database without tables."""
    name = f"empty_{threading.get_native_id()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        with psycopg.connect(postgres_url, dbname=name) as inside:
            yield inside
            inside.rollback()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables(connection) -> set[str]:
    rows = connection.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace >= 16384::oid OR"
                              " relnamespace = 'public'::regnamespace AND relkind = 'r'").fetchall()  # fmt: skip
    return {name for (name,) in rows}


def test_names_numbers_and_order(folder):
    read = read_migrations(folder(m0002_b="SELECT 2", m0001_a="SELECT 1"))
    assert [(m.number, m.name, m.file, m.sql) for m in read] == [
        (1, "a", "0001_a.sql", "SELECT 1"), (2, "b", "0002_b.sql", "SELECT 2")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"m0001_a": "", "m0003_c": ""}, "found 0003_c.sql where number 0002 was expected"),
        ({"m0002_b": ""}, "found 0002_b.sql where number 0001 was expected"),
        ({"m0001_a": "", "m0001_b": ""}, "found 0001_b.sql where number 0002 was expected"),
        ({"m0000_a": ""}, "found 0000_a.sql where number 0001 was expected"),
        ({"m1_a": ""}, "not a name for a migration"),
        ({"m0001-a": ""}, "not a name for a migration"),
        ({"m\u0660\u0660\u0660\u0661_a": ""}, "not a name for a migration"),
        ({"m0001_a": b"SELECT '\xff'"}, "cannot be read"),
        ({}, "there are no migrations"),
    ],
)
def test_a_folder_that_is_not_in_order_is_refused(folder, files, said):
    with pytest.raises(MigrationsInvalid) as caught:
        read_migrations(folder(**files))
    assert said in caught.value.message
    assert caught.value.hint


def test_line_ends_and_a_byte_order_mark_are_no_edit(folder):
    """Git writes a file with other line ends on other systems."""
    text = "CREATE TABLE a (\n  id int\n);\n"
    (plain,) = read_migrations(folder(m0001_a=text))
    (other,) = read_migrations(folder(m0001_a=b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()))
    assert plain == other
    assert plain.checksum == hashlib.sha256(text.encode()).hexdigest()
    (edited,) = read_migrations(folder(m0001_a=text + "\n"))
    assert edited.checksum != plain.checksum


def test_the_programs_own_schema_is_complete_and_migrating_again_does_nothing(database):
    assert migrate(database, read_migrations()) == []
    require_schema(database)


def test_each_migration_is_applied_once_and_recorded(folder, empty):
    first = read_migrations(folder(m0001_a=CREATE_A))
    assert [state.applied_at for state in migration_states(empty, first)] == [None]
    assert tables(empty) == set(), "to look changes nothing"
    assert migrate(empty, first) == first
    both = read_migrations(folder(m0002_b=CREATE_B))
    assert migrate(empty, both) == both[1:]
    assert migrate(empty, both) == []
    assert tables(empty) == {"a", "b", "mgw_migrations"}
    assert all(state.applied_at is not None for state in migration_states(empty, both))


def test_a_schema_that_lacks_a_migration_is_told_by_name(empty):
    with pytest.raises(SchemaOutdated, match=r"the first is 0001_") as caught:
        require_schema(empty)
    assert caught.value.hint == "run `mgw db migrate`"


def test_an_edit_after_it_ran_is_refused_with_the_file_and_the_day(folder, empty):
    migrate(empty, read_migrations(folder(m0001_a=CREATE_A)))
    edited = read_migrations(folder(m0001_a=CREATE_A + "-- edited\n", m0002_b=CREATE_B))
    for look in (migrate, migration_states):
        with pytest.raises(MigrationEdited, match=r"0001_a\.sql was edited after it ran on \d{4}-\d\d-\d\d"):
            look(empty, edited)
    assert "b" not in tables(empty)


def test_a_database_of_a_newer_program_is_refused(folder, empty):
    old = read_migrations(folder(m0001_a=CREATE_A))
    migrate(empty, read_migrations(folder(m0002_b=CREATE_B)))
    with pytest.raises(SchemaOutdated, match=r"0002_b, which this program does not know") as caught:
        migrate(empty, old)
    assert "upgrade" in caught.value.hint


FAILING = {
    "a word that is no SQL": (CREATE_B + "\n\nCREATE TABEL c (id int);", 4, "syntax error"),
    "a column that is not there": (CREATE_B + "-- a comment;\nSELECT\n  id,\n  missing\nFROM b;", 5, "missing"),
    "an error without a position": (CREATE_B + "\n/* then\n */ SELECT 1;\nINSERT INTO b\n SELECT 1/0;", 5, "by zero"),
    "what cannot run in a transaction": (CREATE_B + "CREATE INDEX CONCURRENTLY ON b (id);", 2, "CONCURRENTLY"),
    "a commit": (CREATE_B + "\nCOMMIT;\nSELECT 1;", 3, "COMMIT would end"),
    "a begin": ("begin;\n" + CREATE_B, 1, "BEGIN would end"),
}


@pytest.mark.parametrize(("sql", "line", "said"), FAILING.values(), ids=FAILING.keys())
def test_a_failure_names_file_and_line_undoes_its_migration_and_keeps_those_before(folder, empty, sql, line, said):
    migrations = read_migrations(folder(m0001_a=CREATE_A, m0002_b=sql, m0003_c="CREATE TABLE c (id int)"))
    with pytest.raises(MigrationFailed) as caught:
        migrate(empty, migrations)
    assert caught.value.message.startswith(f"0002_b.sql, line {line}: ")
    assert said in caught.value.message
    assert caught.value.hint
    assert tables(empty) == {"a", "mgw_migrations"}
    empty.commit()
    mended = read_migrations(folder(m0002_b=CREATE_B))
    assert migrate(empty, mended) == mended[1:]


def test_no_parallel_index_has_a_hint_of_its_own(folder, empty):
    with pytest.raises(MigrationFailed) as caught:
        migrate(empty, read_migrations(folder(m0001_a=FAILING["what cannot run in a transaction"][0])))
    assert "without CONCURRENTLY" in caught.value.hint


def test_a_percent_sign_and_a_colon_are_nothing_special(folder, empty):
    migrate(empty, read_migrations(folder(m0001_a="CREATE TABLE a AS SELECT '100 %s :x' AS text, 7 % 4 AS rest")))
    assert empty.execute("SELECT * FROM a").fetchall() == [("100 %s :x", 3)]


def test_work_that_was_pending_is_not_part_of_the_migration(folder, empty):
    empty.execute("CREATE TABLE mine (id int)")
    with pytest.raises(MigrationFailed):
        migrate(empty, read_migrations(folder(m0001_a="SELECT 1/0")))
    assert tables(empty) == {"mine"}


def test_also_on_a_connection_that_commits_by_itself(folder, empty):
    empty.commit()
    empty.autocommit = True
    with pytest.raises(MigrationFailed):
        migrate(empty, read_migrations(folder(m0001_a=CREATE_A, m0002_b=CREATE_B + "SELECT 1/0")))
    assert tables(empty) == {"a", "mgw_migrations"}


def test_two_migrators_take_turns(folder, empty):
    """Each applies what the other has not: together every migration ran once, and nobody saw an error."""
    files = {
        f"m{number:04}_step": f"CREATE TABLE t{number} (id int); SELECT pg_sleep(0.002)" for number in range(1, 21)
    }
    migrations = read_migrations(folder(**files))
    began, applied, errors = threading.Barrier(4), [], []

    def run() -> None:
        with psycopg.connect(empty.info.dsn, dbname=empty.info.dbname) as connection:
            began.wait()
            try:
                applied.extend(migrate(connection, migrations))
            except Exception as error:  # noqa: BLE001 - the test shows it
                errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(migration.number for migration in applied) == list(range(1, 21))


def test_a_migrator_waits_for_nobody_who_is_done(folder, empty):
    """The lock ends with the migration, not with the connection, which an import may hold for minutes."""
    migrate(empty, read_migrations(folder(m0001_a=CREATE_A)))
    with psycopg.connect(empty.info.dsn, dbname=empty.info.dbname, options="-c lock_timeout=1s") as other:
        migrations = read_migrations(folder(m0002_b=CREATE_B))
        assert migrate(other, migrations) == migrations[1:]


def test_the_schemas_of_a_search_path(folder, empty):
    """Two projects in one database; a table further down the path is found, and not made a second time."""
    migrations = read_migrations(folder(m0001_a=CREATE_A))
    empty.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    empty.commit()
    for path in ("one", "two"):
        empty.execute(f"SET search_path = {path}")
        assert migrate(empty, migrations) == migrations
    more = read_migrations(folder(m0002_b=CREATE_B))
    empty.execute("CREATE SCHEMA front; SET search_path = front, one")
    assert migrate(empty, more) == more[1:]
    rows = empty.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('one', 'two', 'front')")
    assert sorted(rows.fetchall()) == [
        ("front", "b"), ("one", "a"), ("one", "mgw_migrations"), ("two", "a"), ("two", "mgw_migrations")
    ]  # fmt: skip


def test_a_table_that_others_use_is_not_waited_for_without_end(folder, empty):
    migrate(empty, read_migrations(folder(m0001_a=CREATE_A)))
    with psycopg.connect(empty.info.dsn, password=empty.info.password or None) as other:
        other.execute("LOCK TABLE a IN ACCESS SHARE MODE")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            migrate(
                empty,
                read_migrations(folder(m0001_a=CREATE_A, m0002_b="ALTER TABLE a ADD b int;")),
                lock_timeout="20ms",
            )
    assert empty.execute("SHOW lock_timeout").fetchone() == ("0",)
