"""What need not be described again: only what was made here, by this program, on this schema, from this text."""

from __future__ import annotations

import pytest

from mgw.sql.memory import Memory
from mgw.sql.prepared import decode, encode
from mgw.sql.preparing import described_before, keep, read_queries


@pytest.fixture
def remembered(project, tmp_path):
    """A folder of two queries, one of which needs a table that the other makes, all described and noted."""
    project.query("-- utility\nCREATE TEMP TABLE wanted (id bigint)", "table")
    project.query("-- needs: table\nSELECT title FROM film JOIN wanted USING (id)", "join")
    project.query("SELECT title FROM film", "plain")
    found = project.described()
    assert not found.faults
    keep(found, project.queries, migrations=project.migrations, module=None)
    _memory(project, tmp_path).note(found.descriptions.values())
    return project


def _memory(project, state):
    return Memory(state, project.queries, project.migrations)


def _known(project, state):
    queries, _ = read_queries(project.queries)
    return set(_memory(project, state).known(project.queries, {n: query.checksum for n, query in queries.items()}))


def test_everything_is_known_until_it_changes(remembered, tmp_path):
    assert _known(remembered, tmp_path) == {"table", "join", "plain"}
    assert set(described_before(remembered.queries, _memory(remembered, tmp_path)).descriptions) == {
        "table", "join", "plain",
    }  # fmt: skip
    remembered.query("SELECT title, year FROM film", "plain")
    assert _known(remembered, tmp_path) == {"table", "join"}
    remembered.query("-- utility\nCREATE TEMP TABLE wanted (id int)", "table")
    assert _known(remembered, tmp_path) == set()


def test_another_schema_another_place_and_a_damaged_note_know_nothing(remembered, tmp_path):
    assert _known(remembered, tmp_path / "elsewhere") == set()
    migration = next(remembered.migrations.glob("*.sql"))
    before = migration.read_bytes()
    migration.write_bytes(before + b"-- more\n")
    assert _known(remembered, tmp_path) == set()
    migration.write_bytes(before)
    note = next((tmp_path / "described").iterdir())
    for damaged in (note.read_bytes()[:-5], b"[]", b"\xff"):
        note.write_bytes(damaged)
        assert _known(remembered, tmp_path) == set()


def test_a_description_that_somebody_else_made_is_not_known(remembered, tmp_path):
    """It is whole and fits the query, but who says that it was made from this schema?"""
    import msgspec  # noqa: PLC0415 - for this test alone

    path = remembered.queries / ".prepared" / "plain.json"
    made = decode("plain", path, path.read_bytes()).description
    path.write_bytes(encode(msgspec.structs.replace(made, dependencies=("film.titel",))))
    assert _known(remembered, tmp_path) == {"table", "join"}
