"""`mgw db`: run as users run it, on the embedded server and on one that asks for a password."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from commands import Done, environment, mgw

from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.migrations import migrate, read_migrations

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = ("pa/ss", "pa%2Fss", "w%3Ard", "w:rd")


@pytest.fixture
def folder(tmp_path):
    """A project of its own; its embedded server, should it run, ends with the test."""
    yield tmp_path
    EmbeddedServer(tmp_path / ".mgw" / "postgres").stop()


def db(folder: Path, *arguments: str, **changes: str) -> Done:
    """Run a command of `mgw db`, which never tells a password."""
    done = mgw(folder, "db", *arguments, PAGER="cat", **changes)
    assert not any(secret in done.out + done.err for secret in SECRETS)
    return done


def test_to_ask_does_not_start_the_server(folder):
    for _ in range(2):
        done = db(folder, "status", "--json")
        document = json.loads(done.out)
        assert (done.code, done.err) == (1, "")
        assert (document["kind"], document["running"], document["migrations"]) == ("embedded", False, None)
        assert document["data_dir"] == str(folder / ".mgw" / "postgres" / "data")
        assert not (folder / ".mgw").exists()
    done = db(folder, "url")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error[DATABASE_UNREACHABLE]: the embedded server is not running\n  hint: `mgw db start` starts it\n"
    )
    assert not (folder / ".mgw").exists()


def test_a_day_of_the_embedded_server(folder):
    started = db(folder, "start")
    assert (started.code, started.err) == (0, "")
    assert started.out.startswith("PostgreSQL ")
    waiting = db(folder, "status")
    assert waiting.code == 1
    assert "migration 0001_catalogue_and_viewing: waiting\n" in waiting.out
    migrated = db(folder, "migrate")
    assert (migrated.code, migrated.out.splitlines()[0]) == (0, "applied 0001_catalogue_and_viewing")
    again = db(folder, "migrate")
    assert (again.code, again.out) == (0, "nothing to do: the schema is up to date\n")
    done = db(folder, "status", "--json")
    document = json.loads(done.out)
    assert (done.code, document["running"], document["pinned"]) == (0, True, True)
    assert all(migration["applied_at"].endswith("+00:00") for migration in document["migrations"])
    url = db(folder, "url")
    assert (url.code, url.out) == (0, document["url"] + "\n")
    with psycopg.connect(url.out.strip()) as connection:
        assert connection.execute("SELECT count(*) FROM content").fetchone() == (0,)
    assert (db(folder, "stop").out, db(folder, "stop").out) == ("stopped\n", "was not running\n")


@pytest.mark.parametrize("command", ["start", "stop"])
def test_another_server_is_not_ours_to_start_and_stop(folder, command):
    done = db(folder, command, MGW_DATABASE_URL="postgresql://ada:pa%2Fss@db.invalid/films")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"error[EMBEDDED_UNAVAILABLE]: `mgw db {command}` is for the embedded server")


def test_the_status_of_another_server(folder, password_server, password_database):
    url = password_server.url(password_database)
    done = db(folder, "status", "--json", MGW_DATABASE_URL=url)
    document = json.loads(done.out)
    assert (done.code, document["kind"], document["running"]) == (1, "external", True)
    assert document["url"] == f"postgresql://ada:***@127.0.0.1:{password_server.port}/{password_database}"
    assert all(migration["applied_at"] is None for migration in document["migrations"])
    assert db(folder, "migrate", MGW_DATABASE_URL=url).code == 0
    assert db(folder, "status", MGW_DATABASE_URL=url).code == 0
    away = db(folder, "status", "--json", MGW_DATABASE_URL=url.replace(str(password_server.port), "1"))
    document = json.loads(away.out)
    assert (away.code, document["running"], document["migrations"]) == (1, False, None)
    assert "cannot reach" in document["problem"]
    wrong = db(folder, "status", MGW_DATABASE_URL=password_server.url(password="pa/ss"))
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err.startswith("error[DATABASE_AUTH_FAILED]: the database postgres at 127.0.0.1:")


def test_a_migration_that_was_edited(folder, password_server, password_database):
    url = password_server.url(password_database)
    with psycopg.connect(url) as connection:
        migrate(connection, read_migrations())
        connection.execute("UPDATE mgw_migrations SET checksum = 'other'")
    for command in ("status", "migrate"):
        done = db(folder, command, MGW_DATABASE_URL=url)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error[MIGRATION_EDITED]: 0001_catalogue_and_viewing.sql was edited after it ran")
        assert "hint: restore the file" in done.err


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ada:pa%2Fss@h:1/films?sslmode=require", "postgresql://ada@h:1/films?sslmode=require"),
        ("postgresql://ada:pa%2Fss@h1,h2/films", "postgresql://ada@h1,h2/films"),
        ("postgresql://ada@h/films?password=pa%2Fss", "postgresql://ada@h/films"),
        ("postgresql://ada@h/films?password=pa%2Fss&sslmode=require", "postgresql://ada@h/films?sslmode=require"),
        ("postgresql://ada@h/films?sslmode=require&sslpassword=pa%2Fss", "postgresql://ada@h/films?sslmode=require"),
        ("host=h password=pa/ss user=ada", "host=h user=ada"),
    ],
)
def test_the_url_without_its_password_is_good_for_other_programs(folder, url, shown):
    done = db(folder, "url", MGW_DATABASE_URL=url)
    assert done == (0, f"{shown}\n", "")
    psycopg.conninfo.conninfo_to_dict(shown)


@pytest.fixture
def psql():
    if shutil.which("psql") is None:
        pytest.skip("there is no psql")


def test_a_shell_on_another_server(folder, psql, password_server):
    file = folder / "password"
    file.write_text(password_server.PASSWORD + "\n")
    url = {
        "MGW_DATABASE_URL": password_server.url(user="ada", password=None),
        "MGW_DATABASE_PASSWORD_FILE": str(file),
    }
    # The list of processes, as psql's own shell sees it, with the arguments of psql, of mgw and of all others.
    look = r"\! cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' '"
    done = db(folder, "shell", "-XAt", "-c", "SELECT user", "-c", look, **url)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ada\n")
    assert "mgw db shell" in done.out
    assert "SHOW TimeZone" not in done.out
    assert db(folder, "shell", "-XAt", "-c", "SHOW TimeZone", **url).out == "UTC\n"


@pytest.mark.parametrize(("arguments", "code"), [(["-c", "SELECT"], 0), (["-c", "SELEC"], 1), (["--no-such"], 1)])
def test_the_exit_code_of_psql_passes_through(folder, psql, password_server, arguments, code):
    assert db(folder, "shell", *arguments, MGW_DATABASE_URL=password_server.url()).code == code


def test_a_shell_that_cannot_connect(folder, psql, password_server):
    done = db(folder, "shell", "-c", "SELECT 1", MGW_DATABASE_URL=password_server.url(password="wrong"))
    assert (done.code, done.out) == (2, "")
    assert "password authentication failed" in done.err


def test_a_shell_on_the_embedded_server_starts_it_and_leaves_nothing(folder, psql):
    done = db(folder, "shell", "-XAt", "-c", "SELECT 6 * 7", PGHOSTADDR="192.0.2.1")
    assert done == (0, "42\n", "")
    assert not EmbeddedServer(folder / ".mgw" / "postgres").status().pinned


def test_ctrl_c_belongs_to_psql(folder, psql, password_server):
    """It ends the statement; psql goes on, and so does mgw."""
    keyboard, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mgw", "db", "shell", "-XAtn"], cwd=folder, stdin=terminal, stdout=terminal,
        stderr=terminal, env=environment(MGW_DATABASE_URL=password_server.url(), PAGER="cat"), start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    screen = b""
    os.write(keyboard, b"SELECT pg_sleep(600);\n")
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep.600' AND pid <> pg_backend_pid()"
    with psycopg.connect(password_server.url(), autocommit=True) as connection:
        while connection.execute(sleeping).fetchone() == (0,):
            assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    while b"canceling statement" not in screen:
        screen += os.read(keyboard, 4096)
    os.write(keyboard, b"SELECT 6 * 7;\n")
    while b"42\r\n" not in screen:
        screen += os.read(keyboard, 4096)
    os.write(keyboard, b"\\q\n")
    assert process.wait(60) == 0
    os.close(keyboard)
