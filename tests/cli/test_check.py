"""`mgw check` as it is run in CI: its exit codes and formats, and that it needs nothing."""

from __future__ import annotations

import json

import pytest
from commands import mgw, python


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    (folder / "queries").mkdir()
    (folder / "steps").mkdir()
    (folder / "steps/0001_films.sql").write_text("CREATE TABLE film (id bigint PRIMARY KEY, title text NOT NULL);\n")
    (folder / "queries/titles.sql").write_text("SELECT title FROM film")
    assert mgw(folder, "prepare", "--migrations", "steps", "--module", "films.py")[0] == 0
    return folder


@pytest.fixture
def stale(prepared):
    path = prepared / "queries/titles.sql"
    before = path.read_text()
    path.write_text("SELECT title, id FROM film")
    yield prepared
    path.write_text(before)


def test_the_formats(stale):
    code, said, beside = mgw(stale, "check")
    assert (code, beside) == (1, "2 differences\n")
    assert "queries/titles.sql: stale: titles was changed after it was described" in said
    assert "hint: run `mgw prepare`" in said
    code, said, _ = mgw(stale, "check", "--format", "json")
    assert (code, [each["rule"] for each in json.loads(said)["differences"]]) == (1, ["module", "stale"])
    code, said, _ = mgw(stale, "check", "--format", "sarif")
    assert (code, json.loads(said)["version"]) == (1, "2.1.0")
    code, said, _ = mgw(stale, "check", "--format", "github")
    assert (code, said.count("::error file=")) == (1, 2)


def test_nothing_to_say(prepared):
    assert mgw(prepared, "check") == (0, "1 query: everything is current\n", "")
    code, said, _ = mgw(prepared, "check", "--format", "json")
    assert (code, json.loads(said)) == (0, {"queries": 1, "differences": []})
    assert mgw(prepared, "check", "--format", "github") == (0, "", "")


def test_it_could_not_be_looked(prepared, tmp_path):
    assert mgw(prepared, "check", "--queries", "nowhere")[0] == 2
    code, _, beside = mgw(prepared, "check", "--database", "postgresql://nobody@127.0.0.1:1/x")
    assert code == 2
    assert "DATABASE_UNREACHABLE" in beside
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries/one.sql").write_text("SELECT 1 AS one")
    code, _, beside = mgw(tmp_path, "check")
    assert code == 1
    assert "SQL_NOTHING_PREPARED" in beside


def test_a_live_schema(prepared, tmp_path):
    """The project's own server has no table of films: every query is hit."""
    code, said, _ = mgw(prepared, "check", "--database", "configured")
    assert code == 1
    assert 'the database refuses it: relation "film" does not exist' in said
    assert "drift" in said


def test_it_loads_no_database_driver_and_no_numbers(prepared):
    program = (
        "import sys; sys.argv = ['mgw', 'check']\n"
        "from mgw.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'psycopg', 'numpy', 'scipy', 'numba'} & set(sys.modules)))"
    )
    done = python(prepared, "-c", program)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "[]"
