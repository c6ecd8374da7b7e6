"""What a check finds, without and with a database, and how it says so."""

from __future__ import annotations

import json

import pytest

from mgw.sql.check import RULES, check_offline, formats
from mgw.sql.check.blame import Blame
from mgw.sql.check.live import check_live
from mgw.sql.errors import NothingPrepared
from mgw.sql.record import read_record


@pytest.fixture
def prepared(project):
    """A project with four queries, prepared, with a module."""
    project.query("-- Films.\nSELECT title, year FROM film WHERE id = :id", "film/by_id")
    project.query("SELECT mood FROM film", "film/moods")
    project.query("SELECT name FROM person", "person/names")
    project.query("-- utility\nCREATE TEMP TABLE staged (slug text)", "stage")
    project.query("-- needs: stage\nSELECT slug FROM staged", "staged")
    project.prepare(project.root / "films.py")
    return project


def offline(project):
    differences, _ = check_offline(
        project.queries,
        migrations=project.migrations,
        module=project.root / "films.py",
        record=read_record(project.queries),
    )
    return differences


def found(differences):
    return {(each.rule, each.query, each.path.name) for each in differences}


def test_everything_is_current(prepared):
    assert offline(prepared) == []


def test_all_differences_at_once(prepared):
    prepared.query("-- Films.\nSELECT title, id FROM film WHERE id = :id", "film/by_id")
    prepared.query("SELECT 1 AS one", "new")
    (prepared.queries / "person/names.sql").unlink()
    (prepared.queries / "broken name.sql").write_text("SELECT 1")
    edited = prepared.queries / ".prepared/film/moods.json"
    edited.write_text(edited.read_text().replace('"nullable": false', '"nullable": true'))
    assert found(offline(prepared)) == {
        ("stale", "film/by_id", "by_id.sql"),
        ("module", "film/by_id", "films.py"),
        ("undescribed", "new", "new.sql"),
        ("left-over", "person/names", "names.json"),
        ("left-over", "person/names", "films.py"),
        ("invalid", None, "broken name.sql"),
        ("edited", "film/moods", "moods.json"),
        ("module", None, "films.py"),  # the enum of the description that cannot be used
    }


def test_the_diff_of_a_stale_accessor_shows_what_changed(prepared):
    prepared.query("-- Films.\nSELECT title, year FROM film WHERE id = :id AND year > 1900", "film/by_id")
    (difference,) = [each for each in offline(prepared) if each.rule == "module"]
    assert "-FROM film WHERE id" not in difference.diff
    changed = [line for line in difference.diff.splitlines() if line[0] in "+-" and "# ----" not in line]
    assert changed[0].startswith("-_FILM_BY_ID: Final")
    assert changed[1].endswith('AND year > 1900"""')
    text = (prepared.root / "films.py").read_text().splitlines()
    assert text[difference.line - 1].startswith("# ---- film/by_id ")


MODULE_EDITS = {
    "a function": (lambda text: text.replace("def film_moods(", "def film_mood("), ("edited", "film/moods")),
    "the beginning": (lambda text: text.replace("NamedTuple, TypeAlias", "TypeAlias, NamedTuple"), ("module", None)),
    "the enums": (lambda text: text.replace('"sad"', '"mad"'), ("module", None)),
    "one left out": (
        lambda text: text[: text.index("# ---- staged")].rstrip("\n") + "\n", ("module", "staged")
    ),
    "something behind": (lambda text: text + "\nprint('hello')\n", ("edited", "staged")),
    "one twice": (lambda text: text + "\n\n" + text[text.index("# ---- staged") :], ("edited", "staged")),
    "all of it": (lambda _: "", ("module", None)),
}  # fmt: skip


@pytest.mark.parametrize(("edit", "expected"), MODULE_EDITS.values(), ids=MODULE_EDITS.keys())
def test_a_module_that_is_not_what_was_written(prepared, edit, expected):
    path = prepared.root / "films.py"
    path.write_text(edit(path.read_text()))
    differences = offline(prepared)
    assert (*expected, "films.py") in found(differences)
    said = [each.diff or each.message for each in differences]
    assert all(line for line in said)
    path.unlink()
    assert found(offline(prepared)) == {("module", None, "films.py")}


def test_a_needed_query_and_a_migration_that_changed(prepared):
    prepared.query("-- utility\nCREATE TEMP TABLE staged (slug int)", "stage")
    prepared.migration("ALTER TABLE film ADD COLUMN country text")
    assert {(each.rule, each.query) for each in offline(prepared)} >= {("stale", "staged"), ("stale", "stage")}
    assert ("schema", None, "0002_step.sql") in found(offline(prepared))
    (prepared.migrations / "0002_step.sql").unlink()
    path = prepared.migrations / "0001_step.sql"
    path.write_text(path.read_text() + "\n-- edited\n")
    assert [each.message for each in offline(prepared) if each.rule == "schema"] == [
        "0001_step.sql was edited after the queries were described"
    ]


def test_nothing_was_ever_prepared(project):
    project.query("SELECT 1 AS one")
    with pytest.raises(NothingPrepared):
        offline(project)


def live(project, *statements):
    """Return what a database says that was changed behind the descriptions' back."""
    with project.shadow() as connection:
        for statement in statements:
            connection.execute(statement)
        _, prepared = check_offline(project.queries, migrations=None, module=None, record=read_record(project.queries))
        return check_live(connection, project.queries, prepared, project.migrations)


def test_changes_that_no_query_sees_are_no_drift(prepared):
    assert live(prepared) == []
    assert live(
        prepared,
        "ALTER TABLE film ADD COLUMN country text NOT NULL DEFAULT ''",
        "ALTER TABLE film DROP COLUMN price",
        "CREATE TABLE other (id int)",
        "CREATE INDEX ON film (year)",
        "ALTER TABLE person ALTER COLUMN born TYPE timestamptz",
        "ALTER TABLE film ALTER COLUMN title SET DEFAULT ''",
    ) == []  # fmt: skip


DRIFTS = {
    "a type": (
        ["ALTER TABLE film ALTER COLUMN year TYPE bigint"], {"film/by_id"},
        "-column year: smallint (film.year)\n+column year: bigint (film.year)",
    ),
    "a constraint gone": (
        ["ALTER TABLE film ALTER COLUMN title DROP NOT NULL"], {"film/by_id"},
        "-column title: text not null (film.title)\n+column title: text (film.title)",
    ),
    "a constraint more": (
        ["ALTER TABLE film ALTER COLUMN year SET NOT NULL"], {"film/by_id"},
        "-column year: smallint (film.year)\n+column year: smallint not null (film.year)",
    ),
    "a key gone": (
        ["ALTER TABLE film DROP CONSTRAINT film_pkey CASCADE"], {"film/by_id"}, "-returns optional\n+returns many"
    ),
    "a label more": (["ALTER TYPE mood ADD VALUE 'odd'"], {"film/moods"}, "+type mood labels: "),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "queries", "diff"), DRIFTS.values(), ids=DRIFTS.keys())
def test_drift(prepared, statements, queries, diff):
    differences = live(prepared, *statements)
    assert {each.query for each in differences} == queries
    assert all(each.rule == "drift" for each in differences)
    assert diff in differences[0].diff


def test_a_column_that_is_gone_with_the_migration_and_the_queries_it_hits(prepared):
    prepared.query("SELECT f.title AS t FROM film f", "film/others")
    prepared.prepare(prepared.root / "films.py")
    change = "ALTER TABLE film RENAME COLUMN title TO name"
    prepared.migration("ALTER TABLE person ADD COLUMN title text")
    prepared.migration(change)
    prepared.migration("ALTER TABLE film ADD COLUMN country text")
    differences = live(prepared)
    assert [each.query for each in differences] == ["film/by_id", "film/others"]
    for each in differences:
        assert "title" in each.message
        assert "film.title was changed last in 0003_step.sql" in each.message
        assert "^" in each.diff
    assert (differences[0].line, differences[0].column) == (2, 8)


def test_blame(prepared):
    blame = Blame(prepared.migrations)
    assert blame.migration("film.year") == "0001_step.sql"
    assert blame.migration("film.nope") is None
    assert blame.sentence(["film.nope"]) == "film.nope changed"
    assert Blame(None).sentence(["film.year"]) == "film.year changed"


def test_formats(prepared):
    prepared.query("SELECT mood, '%', 1 AS a FROM film", "film/moods")
    differences = offline(prepared)
    assert len(differences) == 2
    text = formats.text(differences)
    assert "stale: film/moods was changed after it was described" in text
    document = formats.json(differences, queries=5)
    assert json.loads(json.dumps(document))["differences"][0]["rule"] in RULES
    sarif = formats.sarif(differences, version="1")
    run = sarif["runs"][0]
    assert (sarif["version"], len(run["results"])) == ("2.1.0", 2)
    assert {each["ruleId"] for each in run["results"]} <= {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert all(each["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1 for each in run["results"])
    commands = formats.github(differences).splitlines()
    assert len(commands) == 2
    assert all(line.startswith("::error file=") and "::" in line[8:] for line in commands)
    assert "%25" in commands[0] + commands[1]
    assert formats.text([]) == formats.github([]) == ""
