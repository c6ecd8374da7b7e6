"""`mgw import`: run as users run it, against a database of somebody else's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psycopg
import pytest
from commands import environment

CONTENT = "id,title,year,genres\nalien,Alien,1979,SF|Horror\nbrazil,Brazil,1985,SF\n"
EVENTS = "user,content,at,rating\nada,alien,1577872800,5\nbob,brazil,2020-01-01,\n"
BAD = EVENTS + "eve,alien,1577872800,6\neve,aliens,1577872800,5\n"


class Project:
    """A folder to run commands in."""

    def __init__(self, folder, url):
        self.folder = folder
        self._environment = environment(MGW_DATABASE_URL=url)

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "mgw", "import", *map(str, arguments)],
            cwd=self.folder, env=self._environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, *arguments, code=0):
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=120)
        assert "Traceback" not in stderr
        assert process.returncode == code, stderr
        return stdout, stderr

    def write(self, name, content):
        (self.folder / name).write_text(content, encoding="utf-8")
        return name


@pytest.fixture
def project(tmp_path, database_url):
    return Project(tmp_path, database_url)


@pytest.fixture
def films(project):
    project.run("content", project.write("films.csv", CONTENT))
    return project


def test_content_and_events(project, contents):
    stdout, stderr = project.run("content", project.write("films.csv", CONTENT))
    assert [line.split() for line in stdout.splitlines()[2:]] == [["titles", "new", "2"]]
    assert stderr == ""
    stdout, stderr = project.run("events", project.write("events.csv", EVENTS))
    assert [line.split() for line in stdout.splitlines()[2:]] == [["events", "new", "2"], ["users", "new", "2"]]
    assert stderr == ""
    assert len(contents()["events"]) == 2


def test_json(films):
    stdout, stderr = films.run("events", films.write("events.csv", EVENTS), "--json")
    assert stderr == ""
    assert json.loads(stdout) == {
        "content": {"new": 0, "changed": 0, "unchanged": 0},
        "events": {"new": 2, "already_there": 0, "conflicting": 0, "duplicates": 0, "users_new": 2},
        "availability": {"titles": 0, "new": 0, "removed": 0, "unchanged": 0},
        "left_out": {},
        "untitled": 0,
    }


def test_availability(films):
    file = films.write("rights.csv", "content,region,ends_at\nalien,DE,2026-06-01\nalien,AT,\n")
    stdout, stderr = films.run("availability", file)
    assert [line.split() for line in stdout.splitlines()[2:]] == [
        ["availability", "titles", "named", "1"], ["availability", "windows", "new", "2"],
    ]  # fmt: skip
    assert stderr == ""
    file = films.write("rights.csv", "content,region\nalien,DE\nnowhere,DE\n")
    _, stderr = films.run("availability", file, code=1)
    assert "rights.csv, line 3, column content: there is no content 'nowhere'" in stderr


def test_a_movielens_folder(project, contents):
    project.write("movies.csv", 'movieId,title,genres\n1,"Matrix, The (1999)",Action\n')
    project.write("ratings.csv", "userId,movieId,rating,timestamp\n7,1,4.5,964982703\n")
    project.run("movielens", ".")
    before = contents()
    assert before["content"] == [("1", "The Matrix", "film", 1999, None, None)]
    stdout, _ = project.run("movielens", ".", "--json")
    assert json.loads(stdout)["events"]["already_there"] == 1
    assert contents() == before


def test_bad_rows_stop_the_import(films, contents):
    before = contents()
    stdout, stderr = films.run("events", films.write("events.csv", BAD), code=1)
    assert stdout == ""
    assert stderr.splitlines() == [
        "error[ROWS_INVALID]: 2 rows cannot be used, nothing was imported",
        "  events.csv, line 4, column rating: rating '6' is not between 1 and 5",
        "  events.csv, line 5, column content: there is no content 'aliens'",
        "  hint: mend the file, or leave such rows out with --on-error skip (--rejects FILE keeps them)",
    ]
    assert contents() == before


def test_bad_rows_are_left_out_counted_and_kept(films, contents):
    arguments = ("--on-error", "skip", "--rejects", "kept/rejects.csv", "--json")
    stdout, stderr = films.run("events", films.write("events.csv", BAD), *arguments)
    assert json.loads(stdout)["left_out"] == {"rating out of range": 1, "unknown content": 1}
    assert "events.csv, line 4, column rating: rating '6'" in stderr
    rejects = films.folder / "kept" / "rejects.csv"
    mended = rejects.read_text().replace('"6"', '"4"').replace('"aliens"', '"brazil"')
    films.run("events", films.write("mended.csv", mended))
    assert [row[0] for row in contents()["events"]] == ["ada", "bob", "eve", "eve"]


def test_columns_are_mapped(films, contents):
    films.write("events.csv", "who;what\nada;alien\n")
    arguments = ("events", "events.csv", "--delimiter", ";", "--map", "user=who")
    _, stderr = films.run(*arguments, code=2)
    assert "error[SOURCE_INVALID]: no column content among: who, what" in stderr
    assert "--map content=COLUMN" in stderr
    films.run(*arguments, "--map", "content=what")
    assert contents()["users"] == [("ada",)]


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["events", "missing.csv"], 2, "error[FILE_UNREADABLE]: missing.csv: No such file or directory"),
        (["events", "."], 2, "error[FILE_UNREADABLE]: .: Is a directory"),
        (["movielens", "missing"], 2, "error[FILE_UNREADABLE]: missing: no such folder"),
        (["movielens", "."], 2, "error[SOURCE_INVALID]: .: not a MovieLens folder"),
        (["content", "events.csv"], 2, "error[SOURCE_INVALID]: no column id among: user, content, at, rating"),
        (["events", "events.csv", "--map", "user"], 2, "error[SOURCE_INVALID]: --map user: not FIELD=COLUMN"),
        (["events", "events.csv", "--map", "user=at", "--map", "user=user"], 2, "--map user=user: user is column at"),
        (["events", "events.csv", "--map", "at=user", "--map", "user=user"], 2, "column user is at already"),
        (["events", "events.csv", "--encoding", "klingon"], 2, "error[SOURCE_INVALID]: unknown encoding klingon"),
        (["events", "events.csv", "--timezone", "Mars/Base"], 2, "--timezone Mars/Base: there is no such zone"),
        (["events", "events.csv", "--timezone", "../x"], 2, "--timezone ../x: there is no such zone"),
        (["events", "events.csv", "--rejects", "events.csv"], 2, "this is the file that is imported"),
        (["events", "events.csv", "--rejects", "."], 2, "error[READ_ONLY]: . is a folder"),
        (["events", "events.csv", "--rejects", "events.csv/r"], 2, "events.csv is a file, not a folder"),
        (["events", "events.csv"], 1, "error[ROWS_INVALID]: 2 rows cannot be used"),
        (["events", "events.csv"], 1, "import the titles first (`mgw import content`)"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(project, contents, arguments, code, complaint):
    project.write("events.csv", EVENTS)
    before = contents()
    stdout, stderr = project.run(*arguments, code=code)
    assert stdout == ""
    assert complaint in stderr
    assert "hint: " in stderr
    assert contents() == before
    assert sorted(path.name for path in project.folder.iterdir()) == ["events.csv"]


def test_a_file_without_rows_is_said_to_have_none(films):
    assert films.run("events", films.write("events.csv", "user,content\n"))[1] == "the file has no rows\n"


# In the middle of an import: it is held there by a pipe that delivers some rows and then nothing.


@contextmanager
def half_way(project, *arguments):
    """Start an import of a pipe, let it read thousands of rows, and yield it while it waits for more."""
    os.mkfifo(project.folder / "pipe.csv")
    process = project.start("events", "pipe.csv", *arguments)
    with (project.folder / "pipe.csv").open("wb") as pipe:
        pipe.write(
            b"user,content\n" + b"".join(b"user%d,%s\n" % (n, b"alien" if n % 9 else b"x") for n in range(40_000))
        )
        pipe.flush()  # the pipe holds 64 KiB: the rest has been read
        yield process, pipe


def test_an_interrupted_import_leaves_everything_as_it_was(films, contents):
    before = contents()
    films.write("r.csv", "former")
    with half_way(films, "--on-error", "skip", "--rejects", "r.csv") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "interrupted\n")
    assert process.returncode == 130
    assert contents() == before
    assert (films.folder / "r.csv").read_text() == "former"
    assert sorted(path.name for path in films.folder.iterdir()) == ["films.csv", "pipe.csv", "r.csv"]


def test_a_server_that_goes_away_leaves_everything_as_it_was(films, contents, database_url):
    before = contents()
    with half_way(films, "--on-error", "skip", "--rejects", "r.csv") as (process, pipe):
        with psycopg.connect(database_url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'mgw'"
            ).fetchall()
        assert ended == [(True,)]
        pipe.close()
        stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (2, "")
    assert stderr.startswith("error[DATABASE_UNREACHABLE]: ")
    assert "hint: " in stderr
    assert contents() == before
    assert sorted(path.name for path in films.folder.iterdir()) == ["films.csv", "pipe.csv"]
