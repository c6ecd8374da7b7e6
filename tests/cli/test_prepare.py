"""`mgw prepare` and `mgw watch` as a user runs them: on the embedded server of a project."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from commands import environment, mgw
from waiting import until

MIGRATION = "CREATE TABLE film (id bigint PRIMARY KEY, title text NOT NULL, year int);\n"
MODULE = "films.py"
UNCHANGED = "nothing has changed since the queries were described\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The URL of a server of the module's own: its commands do not have to start one each."""
    from mgw.core.database.embedded import EmbeddedServer  # noqa: PLC0415 - for this fixture alone

    server = EmbeddedServer(tmp_path_factory.mktemp("server") / "postgres", timeout_s=120)
    with server.lease() as url:
        yield url
    server.stop()


@pytest.fixture
def folder(tmp_path):
    """A project of a user's own."""
    (tmp_path / "queries/film").mkdir(parents=True)
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps/0001_films.sql").write_text(MIGRATION)
    (tmp_path / "queries/film/by_id.sql").write_text("-- A film.\nSELECT title, year FROM film WHERE id = :id;\n")
    return tmp_path


def test_the_whole_way(folder):
    code, said, beside = mgw(folder, "prepare", "--migrations", "steps", "--module", MODULE)
    assert (code, said, beside) == (0, "1 query described, 1 written, accessors written\n", "")
    assert mgw(folder, "check") == (0, "1 query: everything is current\n", "")
    # The module and the migrations are remembered, and so is what was described.
    assert mgw(folder, "prepare")[:2] == (0, UNCHANGED)
    assert mgw(folder, "prepare", "--all")[:2] == (0, "1 query described, 0 written\n")
    (folder / "queries/film/by_id.sql").write_text("SELECT title FROM film WHERE id = :id AND year > :since")
    code, said, _ = mgw(folder, "check")
    assert code == 1
    assert "film/by_id was changed after it was described" in said
    assert "the accessor of film/by_id is stale" in said
    assert mgw(folder, "prepare")[0] == 0
    assert "since: int," in (folder / MODULE).read_text()
    assert mgw(folder, "check")[0] == 0


def test_only_what_was_described_here_and_is_as_it_was_is_not_described_again(folder):
    prepare = ("prepare", "--migrations", "steps", "--module", MODULE)
    description, module = folder / "queries/.prepared/film/by_id.json", folder / MODULE
    assert mgw(folder, *prepare)[0] == 0
    made = {path: path.read_bytes() for path in (description, module)}
    for path, content in made.items():
        path.write_bytes(content.replace(b"title", b"titel"))
        assert mgw(folder, *prepare)[0] == 0
        assert path.read_bytes() == content
        path.unlink()
        assert mgw(folder, *prepare)[0] == 0
        assert path.read_bytes() == content
    assert mgw(folder, *prepare)[1] == UNCHANGED
    # A schema that has changed may have changed anything.
    (folder / "steps/0002_year.sql").write_text("ALTER TABLE film ALTER COLUMN year SET NOT NULL;\n")
    assert mgw(folder, *prepare)[:2] == (0, "1 query described, 1 written, accessors written\n")
    assert mgw(folder, *prepare)[1] == UNCHANGED
    # So does a query that is at fault: it is said every time.
    (folder / "queries/a.sql").write_text("SELECT titel FROM film")
    for _ in range(2):
        assert mgw(folder, *prepare)[:2] == (1, "1 query described, 0 written, 1 at fault\n")


def test_queries_at_fault_are_all_named_and_the_others_described(folder):
    (folder / "queries/a.sql").write_text("SELECT titel FROM film")
    (folder / "queries/b.sql").write_text("SELECT 1; SELECT 2")
    code, said, beside = mgw(folder, "prepare", "--migrations", "steps")
    assert (code, said) == (1, "1 query described, 1 written, 2 at fault\n")
    assert 'error[SQL_QUERY_REFUSED]: queries/a.sql:1:8: column "titel" does not exist' in beside
    assert "error[SQL_TWO_STATEMENTS]: queries/b.sql:1:11:" in beside
    assert "           ^" in beside
    assert (folder / "queries/.prepared/film/by_id.json").is_file()


def test_a_migration_that_fails(folder):
    (folder / "steps/0002_more.sql").write_text("ALTER TABLE nope ADD COLUMN x int;")
    code, _, beside = mgw(folder, "prepare", "--migrations", "steps")
    assert code == 2
    assert "MIGRATION_FAILED" in beside
    assert not (folder / "queries/.prepared").exists()


def test_another_database_is_looked_at_and_left_as_it_is(folder, server):
    import psycopg  # noqa: PLC0415 - for this test alone

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(MIGRATION)
        try:
            assert mgw(folder, "prepare", "--database", server)[:2] == (0, "1 query described, 1 written\n")
            assert mgw(folder, "prepare", MGW_DATABASE_URL=server)[:2] == (0, "1 query described, 0 written\n")
            # What only a shadow tells is kept when another database is looked at.
            (folder / "queries/film/by_id.sql").write_text("SELECT title FROM film WHERE year = :year")
            assert mgw(folder, "prepare", "--migrations", "steps")[:2] == (0, "1 query described, 1 written\n")
            assert "CREATE INDEX" in (folder / "queries/.prepared/film/by_id.json").read_text()
            assert mgw(folder, "prepare", "--database", server)[:2] == (0, "1 query described, 0 written\n")
            assert mgw(folder, "check", "--database", server)[:2] == (0, "1 query: everything is current\n")
            assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'mgw%'").fetchone() == (0,)
            assert connection.execute("SELECT count(*) FROM pg_database WHERE datname LIKE 'mgw_sh%'").fetchone() == (
                0,
            )
            assert connection.execute("SELECT to_regclass('mgw_migrations') IS NULL").fetchone() == (True,)
        finally:
            connection.execute("DROP TABLE film")


def test_what_cannot_be_done(folder):
    for arguments, code, words in (
        (["--database", "postgresql://nobody@127.0.0.1:1/x"], 2, "DATABASE_UNREACHABLE"),
        (["--database", "x", "--shadow"], 2, "USAGE_INVALID"),
        (["--queries", "nowhere"], 2, "SQL_QUERIES_MISSING"),
        (["--migrations", "nowhere"], 2, "MIGRATIONS_INVALID"),
    ):
        found, said, beside = mgw(folder, "prepare", *arguments)
        assert (found, said) == (code, ""), arguments
        assert words in beside


def test_watching(folder):
    process = subprocess.Popen(
        [sys.executable, "-m", "mgw", "watch", "--migrations", "steps"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
    )  # fmt: skip
    try:
        lines = iter(process.stdout.readline, "")
        assert "1 query described" in next(lines)
        assert "watching" in next(lines)
        (folder / "queries/new.sql").write_text("SELECT count(*) FROM film")
        assert "2 queries described, 1 written" in next(lines)
        assert "new.sql" in next(lines)
        (folder / "queries/new.sql").write_text("SELECT counted FROM film")
        assert any("SQL_QUERY_REFUSED" in line for line in lines)
        (folder / "steps/0002_counted.sql").write_text("ALTER TABLE film ADD counted int NOT")
        assert any("MIGRATION_FAILED" in line for line in lines)
        (folder / "steps/0002_counted.sql").write_text("ALTER TABLE film ADD counted int NOT NULL")
        assert "2 queries described, 1 written" in next(line for line in lines if "described," in line)
        kept = json.loads((folder / "queries/.prepared/new.json").read_text())
        assert [(each["name"], each["nullable"]) for each in kept["columns"]] == [("counted", False)]
        (folder / "queries").rename(folder / "away")
        assert any("SQL_QUERIES_MISSING" in line for line in lines)
        (folder / "away").rename(folder / "queries")
        assert "2 queries described, 0 written" in next(line for line in lines if "described," in line)
    finally:
        process.terminate()
        process.stdout.close()
        process.wait(30)
    until(lambda: not (folder / ".mgw/postgres/data/postmaster.pid").exists(), "the server has ended")
