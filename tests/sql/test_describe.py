"""What a description says of a query, on a real server."""

from __future__ import annotations

import pytest

from mgw.sql.errors import NeedsInvalid, OverrideContradicted, ParameterUntyped, QueryRefused, TempDenied


def columns(description):
    return {each.name: (each.type, each.nullable) for each in description.columns}


def test_parameters_and_columns_with_their_types(describe):
    found = describe("""
        -- Films of a year.
        SELECT f.id, f.title, f.year, f.mood, f.score, f.price, f.tags, f.about, f.shown, p.place, p.moods
        FROM film f JOIN credit c ON c.film_id = f.id JOIN person p ON p.id = c.person_id
        WHERE f.year = :year AND f.mood = ANY(:moods) AND p.born < :born AND :year > 1900
    """)
    assert [(each.name, each.type) for each in found.parameters] == [
        ("year", "smallint"), ("moods", "mood[]"), ("born", "date"),
    ]  # fmt: skip
    assert columns(found) == {
        "id": ("bigint", False),
        "title": ("text", False),
        "year": ("smallint", False),  # WHERE f.year = …
        "mood": ("mood", False),
        "score": ("numeric", True),
        "price": ("numeric", False),
        "tags": ("text[]", False),
        "about": ("jsonb", True),
        "shown": ("daterange", True),
        "place": ("place", True),
        "moods": ("mood[]", True),
    }
    assert found.types["mood"].labels == ("sad", "ok", 'very "happy"')
    assert found.types["place"].fields == (("city", "text"), ("zip", "integer"))
    assert (found.types["mood[]"].kind, found.types["mood[]"].of) == ("array", "mood")


def test_a_left_join_and_its_line(describe):
    found = describe("""
        -- Who is in it.
        SELECT f.title, c.role
        FROM film f
        LEFT JOIN credit c ON c.film_id = f.id
    """)
    assert columns(found)["role"] == ("text", True)
    assert "LEFT JOIN credit c" in found.columns[1].reasons[0]
    assert "line 4" in found.columns[1].reasons[0]
    assert found.columns[1].source == "credit.role"
    assert set(found.dependencies) >= {"film.title", "credit.role", "credit.film_id", "film.id"}


def test_the_text_is_cut_at_the_semicolon_only(describe):
    assert describe("SELECT 1 AS one -- ;\n; -- the end\n").columns[0].name == "one"


ROWS = {
    "SELECT count(*) FROM film": "one",
    "SELECT max(year) FROM film HAVING max(year) > 3": "optional",
    "SELECT count(*) FROM film GROUP BY year": "many",
    "SELECT count(*) FROM film GROUP BY GROUPING SETS ((), (year))": "many",
    "SELECT 1 AS one": "one",
    "SELECT 1 AS one WHERE :x": "optional",
    "VALUES (1)": "one",
    "VALUES (1), (2)": "many",
    "SELECT unnest(tags) FROM film WHERE id = :id": "many",
    "SELECT title FROM film": "many",
    "SELECT title FROM film LIMIT 1": "optional",
    "SELECT title FROM film LIMIT 2": "many",
    "SELECT title FROM film LIMIT :n": "many",
    "SELECT title FROM film FETCH FIRST ROW ONLY": "optional",
    "SELECT count(*) FROM film LIMIT 1": "optional",
    "SELECT count(*) FROM film OFFSET 1": "optional",
    "SELECT title FROM film WHERE id = :id": "optional",
    "SELECT title FROM film WHERE :slug = slug AND year > 3": "optional",
    "SELECT title FROM film WHERE slug = :slug OR year > 3": "many",
    "SELECT title FROM film WHERE slug > :slug": "many",
    "SELECT title FROM film WHERE lower(slug) = :slug": "many",
    "SELECT title FROM film WHERE id = (random() * 10)::int": "many",
    "SELECT title FROM film WHERE id = (SELECT film_id FROM credit WHERE role = :r LIMIT 1)": "optional",
    "SELECT title FROM film f WHERE id = (SELECT f.year)": "many",
    "SELECT title FROM film WHERE id = ANY(:ids)": "many",
    "SELECT 1 AS x FROM credit WHERE film_id = :f AND person_id = :p": "many",
    "SELECT 1 AS x FROM credit WHERE film_id = :f AND person_id = :p AND role = 'actor'": "optional",
    "SELECT f.title FROM film f, film g WHERE f.id = :f AND g.id = f.year": "optional",
    "SELECT f.title FROM film f, film g WHERE f.id = g.id": "many",
    "SELECT p.name FROM credit c JOIN person p ON p.id = c.person_id WHERE c.film_id = :f": "many",
    "SELECT f.title FROM film f JOIN person p ON p.id = f.year WHERE f.id = :f": "optional",
    "SELECT f.title FROM film f LEFT JOIN person p ON p.id = f.year WHERE f.id = :f": "optional",
    "SELECT f.title FROM film f LEFT JOIN person p ON p.id = f.year AND f.id = :f": "many",
    "SELECT f.title FROM film f RIGHT JOIN person p ON f.id = p.id WHERE p.id = :p": "optional",
    "SELECT f.title FROM film f FULL JOIN person p ON p.id = f.id WHERE p.id = :p": "many",
    "SELECT s.n FROM (SELECT count(*) AS n FROM film) s": "optional",
    "WITH w AS (SELECT title FROM film WHERE id = :f) SELECT * FROM w": "optional",
    "WITH w AS (SELECT title FROM film) SELECT * FROM w": "many",
    "SELECT 1 AS x UNION ALL SELECT 2": "many",
    "SELECT 1 AS x FROM generate_series(1, 3)": "many",
    "INSERT INTO film (slug, title) VALUES (:s, :t) RETURNING id": "one",
    "INSERT INTO film (slug, title) VALUES (:s, :t) ON CONFLICT DO NOTHING RETURNING id": "optional",
    "INSERT INTO film (slug, title) VALUES (:s, :t) ON CONFLICT (slug) DO UPDATE SET title = :t RETURNING id": "one",
    "INSERT INTO film (slug, title) VALUES (:s, :t) ON CONFLICT (slug) DO UPDATE SET title = :t WHERE film.year > 3"
    " RETURNING id": "optional",
    "INSERT INTO film (slug, title) VALUES (:s, :t), (:u, :t) RETURNING id": "many",
    "INSERT INTO film (slug, title) SELECT slug, title FROM film RETURNING id": "many",
    "INSERT INTO film (slug, title) VALUES (:s, :t)": "execute",
    "UPDATE film SET title = :t WHERE id = :f RETURNING title": "optional",
    "UPDATE film SET title = :t WHERE year = 1 RETURNING title": "many",
    "DELETE FROM film WHERE slug = :s RETURNING title": "optional",
    "DELETE FROM film f USING credit c WHERE f.slug = :s AND c.film_id = f.id RETURNING title": "many",
    "DELETE FROM film": "execute",
    "SELECT pg_advisory_xact_lock(1)": "execute",
}


@pytest.mark.parametrize(("text", "expected"), ROWS.items(), ids=ROWS.keys())
def test_how_many_rows(describe, text, expected):
    found = describe(text)
    assert (found.returns, found.returns_proved) == (expected, True)


def test_an_insert_that_a_trigger_may_swallow_gives_many(films, describe):
    with films.transaction(force_rollback=True):
        films.execute(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            "CREATE TRIGGER t BEFORE INSERT ON film FOR EACH ROW EXECUTE FUNCTION swallow()"
        )
        assert describe("INSERT INTO film (slug, title) VALUES ('a', 'b') RETURNING id").returns == "many"


def test_what_the_header_says_and_is_not_refuted(describe):
    found = describe("""
        -- param n: bigint null
        -- param y: null
        -- column born: not null
        -- column moods: null, elements not null
        -- returns: one
        SELECT born, moods FROM person WHERE born > now() LIMIT :n::bigint + coalesce(:y, 1)
    """)
    assert [(each.name, each.type, each.nullable) for each in found.parameters] == [
        ("n", "bigint", True), ("y", "integer", True),
    ]  # fmt: skip
    assert columns(found) == {"born": ("date", False), "moods": ("mood[]", True)}
    assert [each.elements_nullable for each in found.columns] == [True, False]
    assert (found.returns, found.returns_proved) == ("one", False)


CONTRADICTIONS = {
    "a column that is never NULL": ("-- column title: null\nSELECT title, id FROM film", "title is never NULL"),
    "a column that is always NULL": ("-- column x: not null\nSELECT NULL::int AS x, id FROM film", "x is always NULL"),
    "no such table": ("-- scan films: all\nSELECT title FROM film", "no table films"),
    "no such column": ("-- column nope: null\nSELECT title FROM film", "no column nope"),
    "no such parameter": ("-- param nope: int\nSELECT title FROM film", "no parameter nope"),
    "a type that does not fit": (
        "-- param s: integer\nSELECT 1 AS x FROM film WHERE slug = :s",
        ":s cannot be integer",
    ),
    "no such type": ("-- param s: intger\nSELECT 1 AS x FROM film WHERE slug = :s", "no type intger"),
    "an attempt in place of a type": (
        "-- param s: int); DROP TABLE film\nSELECT :s AS x",
        "there is no type int); DROP",
    ),
    "rows where there are none": ("-- returns: many\nDELETE FROM film", "no columns"),
    "no rows where there are some": ("-- returns: execute\nSELECT 1 AS x", "has columns"),
    "optional where there is always one": ("-- returns: optional\nSELECT count(*) FROM film", "always gives one row"),
    "a copy with parameters": ("-- returns: copy\nSELECT id FROM film WHERE id = :id", "takes no parameters"),
}


@pytest.mark.parametrize(("text", "message"), CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_what_the_header_says_and_is_not_so(describe, text, message):
    with pytest.raises(OverrideContradicted, match=message.replace("(", r"\(").replace(")", r"\)")) as caught:
        describe(text)
    assert (caught.value.line, caught.value.column) == (1, 4)
    assert caught.value.hint


def test_a_parameter_whose_type_cannot_be_told(describe):
    with pytest.raises(ParameterUntyped) as caught:
        describe("SELECT title\nFROM film\nWHERE :x IS NULL AND id = 1")
    assert (caught.value.line, caught.value.column) == (3, 7)
    assert ":x" in caught.value.message
    assert "-- param x: integer" in caught.value.hint


def test_an_unknown_column_with_its_place_behind_parameters(describe):
    text = "-- Words.\nSELECT title, :a::int, :bcdefgh::int\nFROM film WHERE titel = :a::text"
    with pytest.raises(QueryRefused) as caught:
        describe(text)
    assert (caught.value.line, caught.value.column) == (3, 17)
    lines = caught.value.message.splitlines()
    assert "titel" in lines[0]
    assert lines[2].index("^") == lines[1].index("titel")
    assert "film.title" in caught.value.hint


def test_temporary_tables_of_other_queries(films, describe):
    stage = "-- utility\nCREATE TEMP TABLE staged (slug text NOT NULL, year int) ON COMMIT DROP;"
    derived = "-- utility\n-- needs: stage\nCREATE TEMP TABLE derived AS SELECT s.slug, 1 / 0 AS never FROM staged s;"
    found = describe(
        "-- needs: derived\nSELECT f.title, d.never FROM derived d JOIN film f ON f.slug = d.slug",
        stage=stage, derived=derived,
    )  # fmt: skip
    assert columns(found) == {"title": ("text", False), "never": ("integer", True)}
    assert set(found.needs) == {"derived"}
    assert not [each for each in found.dependencies if "temp" in each]
    assert films.execute("SELECT to_regclass('staged'), to_regclass('derived')").fetchone() == (None, None)


@pytest.mark.parametrize(
    ("needed", "message"),
    {
        "-- utility\nDROP TABLE film": "does not create a temporary table",
        "-- utility\nCREATE TABLE t ()": "does not create a temporary table",
        "SELECT 1": "does not create a temporary table",
        "-- utility\n-- needs: other\nCREATE TEMP TABLE t ()": "needs itself",
    }.items(),
)
def test_what_cannot_be_needed(describe, needed, message):
    with pytest.raises(NeedsInvalid, match=message):
        describe("-- needs: other\nSELECT 1 AS x", other=needed)
    with pytest.raises(NeedsInvalid, match="no query nope"):
        describe("-- needs: nope\nSELECT 1 AS x")


def test_nothing_is_executed(films, describe):
    """Sleeping for ever, deleting, advancing a sequence, ending the session: described at once, and nothing happens."""
    films.execute("CREATE SEQUENCE IF NOT EXISTS ticket")
    films.execute("INSERT INTO person (id, name) VALUES (1, 'Ada') ON CONFLICT DO NOTHING")
    before = films.execute("SELECT last_value, is_called, pg_backend_pid() FROM ticket").fetchone()
    for text in (
        "SELECT pg_sleep(1e9) IS NULL AS slept",
        "WITH RECURSIVE w (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM w) SELECT count(*) FROM w",
        "WITH gone AS (DELETE FROM person RETURNING 1 AS one) SELECT count(*) FROM gone",
        "DELETE FROM person",
        "SELECT nextval('ticket') AS next",
        "SELECT pg_terminate_backend(pg_backend_pid()) AS ended",
        "SELECT set_config('work_mem', '64kB', false) AS x",
    ):
        describe(text)
    assert films.execute("SELECT last_value, is_called, pg_backend_pid() FROM ticket").fetchone() == before
    assert films.execute("SELECT count(*) FROM person").fetchone() == (1,)
    films.execute("DELETE FROM person")
    assert films.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'mgw%'").fetchone() == (0,)


def test_a_function_that_planning_would_compute_is_not_computed(films, describe):
    """A sequence goes on even where the transaction is rolled back: it tells whether the function ran."""
    films.execute("CREATE SEQUENCE computed")
    films.execute(
        "CREATE FUNCTION constant() RETURNS bigint IMMUTABLE LANGUAGE plpgsql"
        " AS 'BEGIN RETURN nextval(''computed''); END'"
    )
    films.execute("CREATE VIEW of_constants AS SELECT title FROM film WHERE year = constant()")
    for text in ("SELECT title FROM film WHERE year = constant()", "SELECT title FROM of_constants WHERE title = :t"):
        assert describe(text).columns
    assert films.execute("SELECT is_called FROM computed").fetchone() == (False,)


def test_no_right_to_temporary_objects(films, describe):
    name = films.info.dbname
    films.execute("CREATE ROLE guest")
    try:
        films.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
        films.execute("GRANT SELECT ON film TO guest")
        films.execute("SET ROLE guest")
        with pytest.raises(TempDenied) as caught:
            describe("SELECT title FROM film")
        assert "GRANT TEMPORARY" in caught.value.hint
        assert caught.value.exit_code == 2
    finally:
        films.execute("RESET ROLE")
        films.execute("DROP OWNED BY guest")
        films.execute("DROP ROLE guest")
        films.execute(f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC")


def test_a_cast_of_every_parameter_means_the_same(describe):
    found = describe("""
        SELECT tags[:n] AS a, (:b::int[])[2] AS b, tags[1 : :n] AS c, :d || title AS d, id = ANY(:e) AS e,
            added + make_interval(days => :f) AS f, :g::int4range @> 3 AS g
        FROM film WHERE id IN (:h, :i) ORDER BY id LIMIT :j OFFSET :k
    """)
    assert found.takes_casts
    assert [each.type for each in found.parameters] == [
        "integer", "integer[]", "text", "bigint[]", "integer", "int4range", "bigint", "bigint", "bigint", "bigint",
    ]  # fmt: skip
