"""What is let through, what is mended, and what becomes of files and tools that are not as they should be."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import warnings
from pathlib import Path

import pytest

from mgw.core.database import Database
from mgw.core.errors import BaselineInvalid, ConfigInvalid, UsageInvalid
from mgw.lint import Configuration, Project, baseline, lint, read_configuration, require_known, rule_of
from mgw.lint.files import MAX_BYTES
from mgw.lint.fixing import mend
from mgw.sql.preparing import describe_folder, keep
from mgw.sql.shadow import shadow

from .case_files import Case, read_case

STAR = "SELECT * FROM film WHERE year = NULL AND title = NULL;\n"


def starred(text=STAR, **lint_section):
    files = {"queries/film/list.sql": text, "app/films.py": "from app.queries import film_list\n\nfilm_list(None)\n"}
    return Case(files=files, columns={"film/list": "id title"}, lint=lint_section)


def codes(project, **options):
    report = lint(project, baseline=options.get("baseline"), tools=(), is_asked_for=True)
    return [each.code for each in report.findings]


def again(project):
    return Project(project.root, project.configuration)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({}, ["MGWQ008", "MGWQ005", "MGWQ005"]),
        ({"select": ["MGWQ008"]}, ["MGWQ008"]),
        ({"select": ["MGWQ"], "ignore": ["MGWQ005"]}, ["MGWQ008"]),
        ({"ignore": ["MGW"]}, []),
        ({"per-file-ignores": {"queries/**": ["MGWQ005"]}}, ["MGWQ008"]),
        ({"per-file-ignores": {"queries/*": ["MGWQ005"]}}, ["MGWQ008", "MGWQ005", "MGWQ005"]),
        ({"exclude": ["queries/**"]}, ["MGWQ002"]),
    ],
)
def test_what_is_asked_can_be_chosen(project, section, expected):
    assert codes(project(starred(**section))) == expected


def test_a_comment_lets_its_own_codes_through_and_no_others(project):
    assert codes(project(starred(STAR.replace("\n", " -- mgw: noqa[MGWQ005]\n")))) == ["MGWQ008"]
    assert codes(project(starred("-- mgw: noqa[MGWQ005, MGWQ008]\n" + STAR))) == []


def test_of_rules_that_were_not_asked_no_comment_is_unused(project):
    text = "SELECT id FROM film; -- mgw: noqa[MGWQ005]\n"
    assert codes(project(starred(text))) == ["MGWL002"]
    assert codes(project(starred(text, ignore=["MGWQ005"]))) == []
    assert codes(project(starred(text, select=["MGWQ005", "MGWL"]))) == ["MGWL002"]


def test_what_allows_findings_of_a_query_that_is_not_described_is_not_unused(project):
    text = "-- mgw: noqa[MGWQ009, MGWQ005]\nSELECT id FROM film ORDER BY id;\n"
    made = project(starred(text))
    assert codes(made) == ["MGWL002"]
    (made.root / "queries/film/list.sql").write_text(text.replace("id;", "id, title;"))
    report = lint(again(made), baseline=None, tools=(), is_asked_for=True)
    assert [each.message for each in report.findings] == ["MGWQ005 is allowed here, and there is nothing to allow"]
    assert report.stale == ("film/list",)


def test_fixes_change_the_text_and_nothing_else(project):
    made = project(starred("-- Films.\r\n" + STAR.replace("\n", "\r\n")))
    path = made.root / "queries/film/list.sql"
    path.chmod(0o640)
    report = lint(made, baseline=None, tools=(), is_asked_for=True)
    assert mend(made, report.findings, unsafe=False) == 0  # what is described is another text, with other line ends
    made = project(starred())
    assert mend(made, lint(made, baseline=None, tools=(), is_asked_for=True).findings, unsafe=False) == 1
    assert path.read_text() == "SELECT id, title FROM film WHERE year = NULL AND title = NULL;\n"
    made = again(made)
    assert mend(made, lint(made, baseline=None, tools=(), is_asked_for=True).findings, unsafe=True) == 2
    assert path.read_text() == "SELECT id, title FROM film WHERE year IS NULL AND title IS NULL;\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert codes(again(made)) == []


@pytest.mark.parametrize("name", ["cancelled-left-join", "select-star", "unused-noqa", "open-user-route"])
def test_what_can_be_mended_is_gone_after_it_was(project, name):
    made = project(read_case(name)["fault"])
    findings = lint(made, baseline=None, tools=(), is_asked_for=True).findings
    fixable = [each for each in findings if each.name == name and each.fix is not None]
    assert fixable
    assert mend(made, fixable, unsafe=True) == len(fixable)
    left = [
        each for each in lint(again(made), baseline=None, tools=(), is_asked_for=True).findings if each.name == name
    ]
    assert len(left) == len([each for each in findings if each.name == name]) - len(fixable)
    assert all(each.fix is None for each in left)


def test_a_left_join_that_is_mended_is_an_inner_one(project):
    made = project(read_case("cancelled-left-join")["fault"])
    mend(made, lint(made, baseline=None, tools=(), is_asked_for=True).findings, unsafe=False)
    assert "FROM film AS f\n    JOIN score AS s" in (made.root / "queries/film/more.sql").read_text().replace(
        "join", "JOIN"
    )
    assert "\nJOIN score s ON" in (made.root / "queries/film/list.sql").read_text()


def test_a_baseline_knows_findings_by_what_their_line_says(project, tmp_path):
    file = tmp_path / "known.json"
    made = project(starred())
    report = lint(made, baseline=None, tools=(), is_asked_for=True)
    baseline.write(made, report.findings, file)
    (made.root / "queries/film/list.sql").write_text("-- More words above.\n\n" + STAR)
    assert codes(again(made), baseline=file) == []
    (made.root / "queries/film/list.sql").write_text(STAR.replace(";", " AND id = NULL;"))
    found = lint(again(made), baseline=file, tools=(), is_asked_for=True)
    assert (len(found.findings), found.known, found.gone) == (4, 0, 3)  # the line says something else now
    (made.root / "queries/film/list.sql").write_text("SELECT id FROM film;\n")
    found = lint(again(made), baseline=file, tools=(), is_asked_for=True)
    assert (len(found.findings), found.known, found.gone) == (0, 0, 3)


def test_a_finding_that_is_there_once_more_is_new(project, tmp_path):
    file = tmp_path / "known.json"
    text = "SELECT id FROM film WHERE\n    year = NULL\n;\n"
    made = project(starred(text))
    baseline.write(made, lint(made, baseline=None, tools=(), is_asked_for=True).findings, file)
    (made.root / "queries/film/list.sql").write_text(
        text.replace("year = NULL\n", "year = NULL\n    AND\n    year = NULL\n")
    )
    found = lint(again(made), baseline=file, tools=(), is_asked_for=True)
    assert (len(found.findings), found.known, found.gone) == (1, 1, 0)


@pytest.mark.parametrize(
    "content",
    [
        '{"format": 2, "findings": []}',
        '{"format": 1, "findings": [{}]}',
        "[]",
        "{",
        '{"findings": [], "more": 1, "format": 1}',
    ],
)
def test_a_baseline_of_another_form_is_refused(project, tmp_path, content):
    file = tmp_path / "known.json"
    file.write_text(content)
    with pytest.raises(BaselineInvalid, match=r"known\.json"):
        codes(project(starred()), baseline=file)


def test_files_that_cannot_be_read_are_told_and_survived(project):
    made = project(starred("SELECT id FROM film;\n"))
    (made.root / "app/broken.py").write_text("def (:\n")
    (made.root / "app/latin.py").write_bytes(b"name = 'caf\xe9'\n")
    (made.root / "app/zero.py").write_bytes(b"name = '\0'\n")
    (made.root / "app/deep.py").write_text("x = " + "(" * 5000 + ")" * 5000)
    (made.root / "queries/latin.sql").write_bytes(b"SELECT 1;\n-- caf\xe9\n")
    (made.root / "broken.yaml").write_text("a: [1\n")
    (made.root / "list.yaml").write_text("- a\n- b\n")
    (made.root / "several.yaml").write_text("a: 1\n---\nb: !Ref c\n")
    (made.root / "binary.yaml").write_bytes(bytes(range(256)))
    (made.root / "gone.py").symlink_to(made.root / "nowhere.py")
    with (made.root / "huge.json").open("wb") as file:
        file.truncate(100_000_000)
    report = lint(again(made), baseline=None, tools=(), is_asked_for=True)
    told = {each.path: each.message for each in report.findings if each.code == "MGWL001"}
    assert told.keys() == {
        "app/broken.py", "app/latin.py", "app/zero.py", "app/deep.py", "queries/latin.sql", "broken.yaml",
        "binary.yaml", "gone.py", "huge.json",
    }  # fmt: skip
    assert told["app/latin.py"] == told["queries/latin.sql"] == "byte 0xe9 is not UTF-8"
    assert f"larger than {MAX_BYTES >> 20} MB" in told["huge.json"]
    lines = {each.path: each.line for each in report.findings if each.code == "MGWL001"}
    assert (lines["app/broken.py"], lines["queries/latin.sql"]) == (1, 2)


def as_anybody(look):
    """Return what a function says in a process without root's rights, as JSON."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, of which the child needs none
        child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)
        with os.fdopen(writing, "w") as file:
            json.dump(look(), file)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    os.waitpid(child, 0)
    return json.loads(said)


@pytest.mark.parametrize("has_git", [True, False])
def test_a_folder_without_permission_is_told(has_git):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o777)
        if has_git:
            git(root, "init", "-q")
        (root / "a.yaml").write_text("a: 1\n")
        (root / "closed").mkdir()
        (root / "closed/b.yaml").write_text("a: 1\n")
        (root / "closed").chmod(0)

        def look():
            report = lint(Project(root, Configuration()), baseline=None, tools=(), is_asked_for=True)
            return [[each.code, each.path, each.message] for each in report.findings]

        look()
        found = as_anybody(look)
        (root / "closed").chmod(0o700)
    assert [(code, path) for code, path, _ in found] == [("MGWL001", "closed")]
    assert "denied" in found[0][2]


def test_facts_that_were_kept_are_of_the_file_as_it_is(project, tmp_path):
    made = project(starred("SELECT id FROM film;\n"))
    memory = tmp_path / "facts"

    def look():
        kept = Project(made.root, made.configuration, memory)
        return [each.code for each in lint(kept, baseline=None, tools=(), is_asked_for=True).findings]

    assert look() == look() == []
    (made.root / "app/films.py").write_text("from app.queries import film_lists\n\nfilm_lists(None)\n")
    assert look() == ["MGWQ002", "MGWQ001"]
    memory.write_bytes(b"\xc1 no message pack")
    assert look() == ["MGWQ002", "MGWQ001"]
    (made.root / "app/films.py").unlink()
    assert look() == ["MGWQ001"]


def git(root, *arguments):
    command = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_a_migration_that_was_released_is_not_edited_nor_deleted(tmp_path):
    folder = tmp_path / "migrations"
    folder.mkdir()
    for number in range(1, 4):
        (folder / f"000{number}_a.sql").write_text(f"CREATE TABLE t{number} (id int);\n\n-- {number}\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    project = Project(tmp_path, Configuration())
    (folder / "0001_a.sql").write_text("CREATE TABLE t1 (id bigint);\n")
    assert codes(project) == []  # nothing was released
    git(tmp_path, "stash", "-q")
    git(tmp_path, "tag", "v1.0")
    assert codes(again(project)) == []
    (folder / "0001_a.sql").write_text("CREATE TABLE t1 (id int);\n\n-- one\n")
    (folder / "0002_a.sql").unlink()
    (folder / "0003_a.sql").write_bytes((folder / "0003_a.sql").read_bytes().replace(b"\n", b"\r\n"))
    (folder / "0004_a.sql").write_text("CREATE TABLE t4 (id int);\n")
    report = lint(again(project), baseline=None, tools=(), is_asked_for=True)
    assert [(each.code, each.place) for each in report.findings] == [
        ("MGWD001", "migrations/0001_a.sql:3"),
        ("MGWD001", "migrations/0002_a.sql"),
    ]
    report = lint(Project(tmp_path, Configuration(released="v9")), baseline=None, tools=(), is_asked_for=True)
    assert [each.message for each in report.findings] == ["`released` is v9, which Git does not know here"]


def tool(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A folder for programs, beside which no other tool is found."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setattr("sys.executable", str(programs / "python"))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    return programs


def test_a_tool_that_is_missing_is_named(project, bare):
    made = project(starred("SELECT id FROM film;\n"))
    report = lint(made, baseline=None, tools=["ruff"], is_asked_for=False)
    assert [(each.tool, each.is_failure) for each in report.troubles] == [("ruff", False)]
    assert "not installed" in report.troubles[0].message
    report = lint(again(made), baseline=None, tools=["ruff"], is_asked_for=True)
    assert [each.is_failure for each in report.troubles] == [True]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo oh dear >&2; exit 3", "ended with 3: oh dear"),
        ("kill -9 $$", "ended with -9"),
        ('echo \'{"not": "a list"}\'', "ended with 0"),
        ('echo \'[{"code": "F401"}]\'', "ended with 0"),
    ],
)
def test_a_tool_that_crashes_is_told_and_the_rest_is_there(project, bare, script, said):
    tool(bare, "ruff", script)
    report = lint(project(starred()), baseline=None, tools=["ruff"], is_asked_for=False)
    assert [each.is_failure for each in report.troubles] == [True]
    assert said in report.troubles[0].message
    assert len(report.findings) == 3


def test_ruff_squawk_and_deptry_are_asked_and_their_fixes_made(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1"\ndependencies = ["requests"]\n')
    (tmp_path / "app.py").write_text("import os\nimport nowhere\n\n\ndef size(unused):\n    return nowhere.zeros(3)\n")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/0001_a.sql").write_text("ALTER TABLE film\n    DROP COLUMN title;\n")
    project = Project(tmp_path, Configuration())
    report = lint(project, baseline=None, tools=["ruff", "squawk", "deptry"], is_asked_for=True)
    if report.troubles:
        pytest.skip(f"not installed here: {report.troubles}")
    found = {(each.code, each.path, each.line) for each in report.findings}
    assert found >= {
        ("ruff:F401", "app.py", 1),
        ("ruff:ARG001", "app.py", 5),
        ("squawk:ban-drop-column", "migrations/0001_a.sql", 2),
        ("deptry:DEP001", "app.py", 2),
        ("deptry:DEP002", "pyproject.toml", 0),
    }
    assert mend(project, report.findings, unsafe=False) == 1
    assert (tmp_path / "app.py").read_text().startswith("import nowhere\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.mgw.lint]\nselekt = []", "selekt"),
        ("[tool.mgw.lint]\nselect = 3", "select"),
        ("[tool", "not TOML"),
        ("tool = 3", "what holds `mgw` is no table"),
        ("[tool]\nmgw = []", "what holds `lint` is no table"),
        ("[tool.mgw]\nlint = 3", "Expected `object`"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(tmp_path, text, said):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigInvalid, match=said):
        read_configuration(tmp_path)


def test_codes_that_do_not_exist_are_refused_with_the_nearest():
    require_known(["MGWQ", "MGWQ001", "ruff:F401"])
    with pytest.raises(UsageInvalid) as refused:
        require_known(["MGWQ999"])
    assert "MGWQ0" in (refused.value.hint or "")
    assert rule_of("unused-query").code == rule_of("mgwq001").code == "MGWQ001"


def test_a_project_without_queries_or_git_or_python_is_one(tmp_path):
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/a.yaml").write_text("[")
    (tmp_path / "env/lib").mkdir(parents=True)
    (tmp_path / "env/pyvenv.cfg").write_text("")
    (tmp_path / "env/lib/a.py").write_text("(")
    project = Project(tmp_path, Configuration())
    assert (codes(project), project.paths) == ([], [])


def test_what_git_ignores_is_not_looked_at(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("made/\n")
    (tmp_path / "made").mkdir()
    (tmp_path / "made/a.py").write_text("(")
    (tmp_path / "b.json").write_text(json.dumps({}))
    assert Project(tmp_path, Configuration()).paths == ["b.json"]


def test_a_really_prepared_project_is_linted_by_what_was_proved(tmp_path, postgres_url):
    """Description, accessors and linter together, on a server: nothing here is made by the test."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/0001_film.sql").write_text(
        "CREATE TABLE film (id int PRIMARY KEY, title text, year int);\n"
    )
    (tmp_path / "queries/film").mkdir(parents=True)
    (tmp_path / "queries/film/of_year.sql").write_text("SELECT id, title, year FROM film WHERE year = :year;\n")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/films.py").write_text(
        "from app import queries\n\n\ndef shout(connection):\n"
        "    return [row.title.upper() for row in queries.film_of_year(connection, year=1) if row.id]\n"
    )
    with shadow(Database(None, postgres_url, None, 10), tmp_path / "migrations") as connection:
        described = describe_folder(connection, tmp_path / "queries", plan=True)
        keep(described, tmp_path / "queries", migrations=tmp_path / "migrations", module=tmp_path / "app/queries.py")
    report = lint(Project(tmp_path, Configuration()), baseline=None, tools=(), is_asked_for=True)
    assert [(each.code, each.place) for each in report.findings] == [
        ("MGWQ004", "app/films.py:5:13"),
        ("MGWQ003", "queries/film/of_year.sql:1"),
        ("MGWQ007", "queries/film/of_year.sql:1"),
    ]
    assert "NULL" in report.findings[0].message
    assert report.findings[2].hint == "CREATE INDEX ON film (year);"
