"""Findings from plans without data."""

from __future__ import annotations

import pytest

from mgw.sql.plan.scans import conjuncts

FINDINGS = {
    "SELECT title FROM film WHERE id = :id": [],
    "SELECT title FROM film": [],
    "SELECT title FROM film WHERE year = :y": [("year = :y", "CREATE INDEX ON film (year)")],
    "SELECT title FROM film f WHERE f.year = :y AND f.added > :a": [
        ("year = :y AND added > :a", "CREATE INDEX ON film (year, added)")
    ],
    "SELECT title FROM film WHERE added > :a AND year = :y": [
        ("year = :y AND added > :a", "CREATE INDEX ON film (year, added)")
    ],
    "SELECT title FROM film WHERE lower(title) = :t": [("lower(title) = :t", "CREATE INDEX ON film ((lower(title)))")],
    "SELECT title FROM film WHERE tags @> :t": [("tags @> :t", "CREATE INDEX ON film USING gin (tags)")],
    "SELECT title FROM film WHERE shown && :s": [("shown && :s", "CREATE INDEX ON film USING gist (shown)")],
    "SELECT title FROM film WHERE year IS NULL": [("year IS NULL", "CREATE INDEX ON film (year)")],
    "SELECT title FROM film WHERE year = ANY(:y)": [("year = ANY (:y)", "CREATE INDEX ON film (year)")],
    "SELECT title FROM film WHERE year <> :y": [],
    "SELECT title FROM film WHERE title LIKE '%' || :t": [],
    "SELECT title FROM film WHERE year = id": [],
    "SELECT p.name FROM credit c JOIN person p ON p.id = c.person_id WHERE c.film_id = :f AND p.name <> :n": [],
    "SELECT f.title FROM credit c JOIN film f ON f.id = c.film_id WHERE c.person_id = :p": [
        ("person_id = :p", "CREATE INDEX ON credit (person_id)")
    ],
    # One of the two is looked up by its key.
    "SELECT a.title FROM film a JOIN film b ON a.id = b.year::bigint WHERE a.added > :a AND b.added < :a": [
        ("added < :a", "CREATE INDEX ON film (added)")
    ],
    "SELECT p.name FROM film f JOIN person p ON p.name = f.title WHERE f.id > :i AND f.year = :y": [],  # by its key
    "UPDATE film SET title = :t WHERE year = :y": [("year = :y", "CREATE INDEX ON film (year)")],
    "-- scan film: a report on all films\nSELECT title FROM film WHERE year = :y": [],
}


@pytest.mark.parametrize(("text", "expected"), FINDINGS.items(), ids=FINDINGS.keys())
def test_findings(describe, text, expected):
    assert [(each.predicate, each.index) for each in describe(text).plan] == expected


def test_the_advice_holds(films, describe):
    """With the index that is advised, there is nothing more to advise."""
    text = "SELECT title FROM film WHERE lower(title) = :t AND year >= :y"
    (finding,) = describe(text).plan
    assert finding.table == "film"
    with films.transaction(force_rollback=True):
        films.execute(finding.index)
        assert describe(text).plan == ()


def test_a_condition_is_cut_at_its_own_ands():
    assert conjuncts("""(("a AND b" = ' AND (') AND (c OR (d AND e)))""") == [
        "\"a AND b\" = ' AND ('",
        "c OR (d AND e)",
    ]
