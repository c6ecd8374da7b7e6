"""The files that descriptions are kept in: the same bytes everywhere, nothing rewritten, nothing left over."""

from __future__ import annotations

import hashlib
import json
import shutil

from mgw.core.resources import resource
from mgw.sql.prepared import encode, read_prepared
from mgw.sql.preparing import keep
from mgw.sql.source import PREPARED

# One of everything that versions could tell differently.
QUERIES = {
    "join": "SELECT f.title, c.role, p.born FROM film f LEFT JOIN credit c ON c.film_id = f.id"
    " LEFT JOIN person p ON p.id = c.person_id WHERE f.year = :year AND NOT c.role = :role",
    "types": "SELECT mood, score, price, tags, about, shown, added FROM film WHERE id = :id",
    "composite": "SELECT place, moods FROM person WHERE born > :born",
    "initial": "SELECT title FROM film WHERE year = (SELECT max(year) FROM film) AND price > :p",
    "sub": "SELECT title FROM film f WHERE EXISTS (SELECT FROM credit c WHERE c.film_id = f.id AND c.role = :role)",
    "window": "SELECT title, rank() OVER (PARTITION BY year ORDER BY price) AS r FROM film WHERE mood = :m",
    "sets": "SELECT year, mood, count(*) FROM film GROUP BY GROUPING SETS ((year), (mood), ()) ORDER BY 1 LIMIT :n",
    "upsert": "INSERT INTO film (slug, title) VALUES (:s, :t) ON CONFLICT (slug) DO UPDATE SET title = excluded.title"
    " RETURNING id, score",
    "cte": "WITH RECURSIVE w AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM w WHERE n < :n) SELECT n FROM w",
    "merge": "DELETE FROM credit USING film WHERE film.id = film_id AND film.year = :year RETURNING film.title, role",
    "ranges": "SELECT title FROM film WHERE shown @> :day::date AND tags && :tags",
    "functions": "SELECT coalesce(min(born), :day) AS first, count(DISTINCT name) FROM person WHERE lower(name) = :n",
    "null_tests": "SELECT title FROM film WHERE score IS NULL AND added BETWEEN :a AND :b AND mood IN ('sad', 'ok')",
}


def test_the_same_bytes_on_every_version(any_server, project):
    """Each server is compared with the first, the newest, which the session's own server is."""
    major, url = any_server
    for name, text in QUERIES.items():
        project.query(text, name)
    here, there = project.described(), project.described(url)
    assert not here.faults
    assert not there.faults
    assert any(each.plan for each in here.descriptions.values())
    for name, description in here.descriptions.items():
        assert encode(there.descriptions[name]) == encode(description), (major, name)


def test_the_programs_own_queries(any_server, project):
    """Those that need no directive that they do not have yet are described alike on every version."""
    shutil.rmtree(project.queries)
    shutil.copytree(resource("queries"), project.queries, ignore=shutil.ignore_patterns(PREPARED))
    shutil.rmtree(project.migrations)
    shutil.copytree(resource("migrations"), project.migrations)
    here, there = project.described(), project.described(any_server[1])
    assert len(here.descriptions) > 10
    assert {name: encode(each) for name, each in there.descriptions.items()} == {
        name: encode(each) for name, each in here.descriptions.items()
    }


def test_a_file_is_sorted_json_with_a_final_line_end(project):
    project.query(QUERIES["join"], "graph/join")
    project.prepare()
    text = (project.queries / ".prepared/graph/join.json").read_text()
    document = json.loads(text)
    assert text == json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    assert list(document) == sorted(document)
    assert document["name"] == "graph/join"
    assert not any(word in text for word in ("oid", "version", "PostgreSQL"))


def test_nothing_is_rewritten_that_did_not_change(project):
    for name, text in QUERIES.items():
        project.query(text, f"a/{name}")
    module = project.root / "films.py"
    project.prepare(module)
    files = {path: path.stat().st_mtime_ns for path in (*project.queries.rglob("*.json"), module)}
    assert len(files) == len(QUERIES) + 2  # the record and the module
    assert keep(project.described(), project.queries, migrations=project.migrations, module=module).written == 0
    assert {path: path.stat().st_mtime_ns for path in files} == files
    project.query("SELECT 1 AS one", "a/join")
    found = project.described()
    written = keep(found, project.queries, migrations=project.migrations, module=module)
    assert (written.written, written.removed, written.module) == (1, 0, True)
    changed = {path for path, time in files.items() if path.stat().st_mtime_ns != time}
    assert changed == {project.queries / ".prepared/a/join.json", module}


def test_what_is_stale_is_removed_and_what_is_at_fault_stays(project):
    for name in ("a/one", "b/two", "b/three"):
        project.query("SELECT 1 AS one", name)
    project.prepare()
    (project.queries / "a/one.sql").unlink()
    project.query("SELEC 1", "b/two")
    found = project.described()
    assert [(each.code, each.line, each.column) for each in found.faults] == [("SQL_SYNTAX_INVALID", 1, 1)]
    assert keep(found, project.queries, migrations=None, module=None).removed == 1
    assert set(read_prepared(project.queries)) == {"b/two", "b/three"}
    assert not (project.queries / ".prepared/a").exists()


def test_a_description_that_was_edited_or_is_of_another_format(project):
    project.query("SELECT 1 AS one", "one")
    project.prepare()
    path = project.queries / ".prepared/one.json"
    before = path.read_text()
    kept = read_prepared(project.queries)["one"]
    assert (kept.damage, kept.description.columns[0].name) == (None, "one")
    for text in (before.replace("integer", "text"), before.replace("{\n", "{\n\n", 1), before[:-1], "", "{}", "\xff"):
        path.write_text(text)
        assert read_prepared(project.queries)["one"].damage == "edited", text
    body = before[before.index('",\n') :].replace('"format": 1', '"format": 99')
    path.write_text(f'{{\n  "checksum": "{hashlib.sha256(body.encode()).hexdigest()}{body}')
    assert read_prepared(project.queries)["one"].damage == "foreign"
    path.write_bytes(before.replace("\n", "\r\n").encode())  # as Git may check it out
    assert read_prepared(project.queries)["one"].damage is None
    path.write_text(before)
    path.rename(path.with_name("two.json"))
    assert read_prepared(project.queries)["two"].damage == "edited"


def test_two_branches_that_add_queries_touch_different_files(project):
    project.query("SELECT 1 AS one", "one")
    project.prepare()
    before = {path: path.read_bytes() for path in project.queries.rglob("*.json")}
    project.query("SELECT 2 AS two", "two")
    project.prepare()
    after = {path: path.read_bytes() for path in project.queries.rglob("*.json")}
    assert {path: content for path, content in after.items() if path in before} == before


def test_nothing_stays_on_the_server(project, postgres_url):
    import psycopg  # noqa: PLC0415 - for this test alone

    def databases():
        with psycopg.connect(postgres_url) as connection:
            return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}

    before = databases()
    project.query("SELECT title FROM film WHERE year = :y")
    project.prepare()
    with project.shadow():
        assert databases() != before
    assert databases() == before
    with psycopg.connect(postgres_url, autocommit=True) as connection:  # of a process that was killed
        connection.execute("CREATE DATABASE mgw_shadow_999999999_ab")
    project.prepare()
    assert databases() == before
