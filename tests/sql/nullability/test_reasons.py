"""What a user reads: the sentences, the lines, the dependencies."""

from __future__ import annotations

import pytest

from mgw.sql.nullability import Analyser, Dependencies


def _said(connection, query: str, types=()) -> list[list[str]]:
    return [[str(each) for each in verdict.reasons] for verdict in Analyser(connection).analyse(query, types).columns]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT c.title\nFROM content c", ["content.title is NOT NULL (line 1)"]),
        (
            "SELECT r.role\nFROM content c\nLEFT JOIN credits r\n  ON r.content = c.id",
            ["NULL where LEFT JOIN credits r finds no row (line 3)"],
        ),
        (
            "SELECT c.title\nFROM content c\nRIGHT JOIN credits AS r ON r.content = c.id",
            ["NULL where RIGHT JOIN credits r finds no row of content c (line 3)"],
        ),
        (
            "SELECT p.name\nFROM content FULL JOIN\npeople p USING (id)",
            ["NULL where FULL JOIN of content and people p finds no row of people p (line 3)"],
        ),
        (
            "SELECT s.role\nFROM content c\nLEFT JOIN (\n  SELECT * FROM credits\n) s ON s.content = c.id",
            ["NULL where LEFT JOIN s finds no row (line 5)"],
        ),
        ("SELECT\n  maybe(1)", ["not known: function public.maybe(integer) (line 2)"]),
        ("SELECT count(*) FROM content", ["count() never returns NULL"]),
        ("SELECT max(id)\nFROM content", ["max() is NULL over no rows (line 1)"]),
        ("SELECT year\nFROM content", ["content.year may be NULL (line 1)"]),
        ("SELECT year\nFROM content\nWHERE year > 3", ["content.year is not NULL: WHERE lets no NULL through"]),
        ("SELECT email FROM users", ["users.email is not NULL by CHECK constraint users_email_check (line 1)"]),
        ("SELECT name FROM cast_list", ["NULL where LEFT JOIN people p finds no row"]),
        ("SELECT $1::int", ["parameter $1 may be NULL"]),
        ("SELECT id FROM frozen", [
            "frozen.id may be NULL: a materialized view may be older than a constraint (line 1)"]),
        ("SELECT loose FROM parent", ["parent.loose may be NULL (line 1)"]),
        # Two places would fit: none is given.
        (
            "SELECT a.role FROM content c LEFT JOIN credits a ON true WHERE EXISTS (SELECT FROM credits a)",
            ["NULL where LEFT JOIN credits a finds no row"],
        ),
        # Words in strings and comments are no places; quoted names are as they stand.
        (
            "SELECT o.\"The Key\" -- credits o\nFROM content LEFT JOIN\n\"Odd Name\" o ON 'credits o' = title",
            ["NULL where LEFT JOIN Odd Name o finds no row (line 3)"],
        ),
    ],
)  # fmt: skip
def test_reasons_name_the_thing_and_the_line(platform, query, said):
    assert _said(platform, query, ["int"] * query.count("$")) == [said]


def test_positions_are_offsets_into_the_query(platform):
    query = "SELECT r.role /* ä */ FROM content c LEFT JOIN credits r ON true"
    (verdict,) = Analyser(platform).analyse(query).columns
    assert query[verdict.reasons[0].position :].startswith("credits r")


def test_dependencies_are_exact(platform):
    platform.execute("CREATE VIEW named AS SELECT id, shouted(title) AS loud, year FROM content WHERE runtime > 3")
    found = Analyser(platform).analyse(
        "SELECT loud, 'calm'::mood, $1::score FROM named n LEFT JOIN credits r ON r.billing = maybe(n.id)", ["score"]
    )
    assert found.dependencies == Dependencies(
        relations=(("public", "content"), ("public", "credits"), ("public", "named")),
        columns=(
            *(("public", "content", column) for column in ("id", "runtime", "title", "year")),
            ("public", "credits", "billing"),
            ("public", "named", "id"),
            ("public", "named", "loud"),
        ),
        functions=("public.maybe(integer)", "public.shouted(text)"),
        types=("public.mood", "public.score"),
    )


def test_a_query_of_constants_depends_on_nothing(platform):
    assert Analyser(platform).analyse("SELECT 1, now(), (SELECT count(*) FROM pg_class)").dependencies == Dependencies()
