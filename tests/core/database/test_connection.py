"""The way to a database that somebody else runs, and what is said when it is barred: a real server with passwords."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from mgw.core.database import Database, connection
from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.migrations import migrate, read_migrations
from mgw.core.errors import (
    ConfigInvalid,
    DatabaseAuthFailed,
    DatabaseDenied,
    DatabaseFailed,
    DatabaseTooOld,
    DatabaseUnreachable,
    DiskFull,
    FileUnreadable,
    MgwError,
    SchemaOutdated,
)
from mgw.core.settings import load_settings

SECRET = "pa/ss@w:rd?#%"


def external(url: str, password: str | None = None) -> Database:
    return Database(embedded=None, url=url, password=password, connect_timeout_s=10)


def failure(database: Database, action="SELECT 1") -> MgwError:
    """What the user is told, which never has the password in it."""
    act = action if callable(action) else lambda opened: opened.execute(action)
    with pytest.raises(MgwError) as caught, database.connect() as opened:
        act(opened)
    told = f"{caught.value.message} {caught.value.hint}"
    assert SECRET not in told
    assert "%2Fss" not in told
    return caught.value


@pytest.fixture
def closed_port():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # and does not listen
        yield reserved.getsockname()[1]


def test_a_connection_commits_where_the_block_ends_well_and_rolls_back_where_not(password_server, password_database):
    database = external(password_server.url(password_database))
    with database.connect() as opened:
        opened.execute("CREATE TABLE kept (id int)")
    assert isinstance(failure(database, "CREATE TABLE dropped (id int); SELECT 1/0"), DatabaseFailed)
    with database.connect() as opened:
        assert opened.execute("SELECT relname FROM pg_class WHERE relname ~ 'kept|dropped'").fetchall() == [("kept",)]


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"password": "wrong"}, 'password authentication failed for user "ada"'),
        ({"password": None}, "no password supplied"),
        ({"user": "nobody_of_that_name"}, 'password authentication failed for user "nobody_of_that_name"'),
        ({"name": "no_such_films"}, 'database "no_such_films" does not exist'),
    ],
)
def test_refused_by_the_server(password_server, parts, said, monkeypatch, tmp_path):
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    error = failure(external(password_server.url(**parts)))
    assert isinstance(error, DatabaseAuthFailed)
    assert f"at 127.0.0.1:{password_server.port} refused the connection: " in error.message
    assert said in error.message
    assert "FATAL" not in error.message
    assert "password" in error.hint


def test_nobody_listens(password_server, closed_port):
    url = password_server.url().replace(str(password_server.port), str(closed_port))
    error = failure(external(url))
    assert isinstance(error, DatabaseUnreachable)
    assert f"cannot reach the database postgres at 127.0.0.1:{closed_port}: " in error.message
    assert "refused" in error.message


def test_a_host_without_an_address(password_server):
    error = failure(external(password_server.url().replace("127.0.0.1", "db.invalid")))
    assert isinstance(error, DatabaseUnreachable)
    assert "db.invalid" in error.message


def test_a_socket_that_is_not_there(tmp_path):
    error = failure(external(f"postgresql:///films?host={tmp_path}&password=pa%2Fss@"[:-1]))
    assert isinstance(error, DatabaseUnreachable)
    assert f"the database films in {tmp_path}" in error.message


def test_of_several_hosts_one_is_enough(password_server, closed_port):
    here = f"127.0.0.1:{password_server.port}"
    url = password_server.url().replace(here, f"127.0.0.1:{closed_port},{here}")
    with external(url).connect() as opened:
        assert opened.info.port == password_server.port
    error = failure(external(password_server.url().replace(here, f"127.0.0.1:{closed_port},127.0.0.1:{closed_port}")))
    assert isinstance(error, DatabaseUnreachable)
    assert f"at 127.0.0.1,127.0.0.1:{closed_port},{closed_port}" in error.message
    refused = failure(external(password_server.url(password="wrong").replace(here, f"{here},127.0.0.1:{closed_port}")))
    assert isinstance(refused, DatabaseAuthFailed), "the one that answered says more"


def test_all_connections_are_taken(password_server):
    password_server.run("CREATE ROLE lonely LOGIN PASSWORD 'pw' CONNECTION LIMIT 1")
    database = external(password_server.url(user="lonely", password="pw"))
    with database.connect():
        error = failure(database)
    assert isinstance(error, DatabaseUnreachable)
    assert "too many connections" in error.message
    assert "again" in error.hint


BROKEN_URLS = [
    "postgresql://ada:pa/ss@w:rd@h/films",  # bare / and @: libpq takes `ada` for the host
    "postgresql://ada:p@ss@h/films",
    "postgresql://ada:hunter2%zz@h/films",
    "postgresql://ada:hunter2@h/films?pasword=hunter2",
    "postgresql://ada@h/films?user=a:b@c&password=hunter2%",
    "mysql://ada:hunter2@h/films",
    "host=h password=hunter2 port",
    "hunter2",
]


@pytest.mark.parametrize("url", BROKEN_URLS)
def test_a_url_that_cannot_be_understood_is_refused_before_anybody_is_asked(url, tmp_path):
    loaded = load_settings(start=tmp_path, environ={"MGW_DATABASE_URL": url})
    with pytest.raises(ConfigInvalid, match=r"database\.url cannot be understood") as caught:
        Database.of(loaded)
    told = f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    assert not any(piece in told for piece in ("hunter2", "ss@", "pa/", "w:rd"))


@pytest.mark.parametrize("query", ["?password={}", "?sslmode=disable&password={}&application_name=x"])
def test_a_password_among_the_parameters(password_server, query, tmp_path):
    quoted = password_server.url().partition(":ada")[0].split("ada:")[1].split("@127")[0]
    url = password_server.url(password=None, query=query.format(quoted))
    with Database.of(load_settings(start=tmp_path, environ={"MGW_DATABASE_URL": url})).connect() as opened:
        assert opened.info.user == "ada"
    failure(external(url.replace(quoted, quoted + "x")))


def with_password_file(url: str, path: Path) -> Database:
    environ = {"MGW_DATABASE_URL": url, "MGW_DATABASE_PASSWORD_FILE": str(path)}
    return Database.of(load_settings(start=path.parent, environ=environ))


@pytest.mark.parametrize("content", [b"%b", b"%b\n", b"%b\r\n", b"\xef\xbb\xbf%b\n"])
def test_a_password_in_a_file(password_server, tmp_path, content):
    file = tmp_path / "password"
    file.write_bytes(content % SECRET.encode())
    with with_password_file(password_server.url(password=None), file).connect() as opened:
        assert opened.info.user == "ada"
    with with_password_file(password_server.url(password="wrong"), file).connect():
        pass  # the file goes before the URL


def test_blanks_belong_to_the_password(tmp_path):
    (tmp_path / "password").write_text(" a b \n")
    assert with_password_file("postgresql://h/d", tmp_path / "password").password == " a b "


@pytest.mark.parametrize("content", [None, b"", b"\n", b"one\ntwo\n", b"a\0b", b"\xff\xfe"])
def test_a_password_file_that_is_none(tmp_path, content):
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(FileUnreadable, match=r"database\.password_file: .*password") as caught:
        with_password_file("postgresql://h/d", file)
    assert caught.value.hint


def test_the_settings_of_the_user_stay_and_ours_come_on_top(password_server, monkeypatch):
    show = (
        "SELECT current_setting('statement_timeout'), current_setting('TimeZone'), current_setting('client_encoding')"
    )
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=7min -c timezone=Asia/Tokyo")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with external(password_server.url()).connect() as opened:
        assert opened.execute(show).fetchone() == ("7min", "UTC", "UTF8")
    with external(password_server.url(query="?options=-c%20statement_timeout%3D5min")).connect() as opened:
        assert opened.execute(show).fetchone() == ("5min", "UTC", "UTF8"), "the URL goes before the environment"
        assert opened.execute("SHOW application_name").fetchone() == ("mgw",)
    with external(password_server.url(query="?application_name=films&connect_timeout=3")).connect() as opened:
        assert opened.execute("SHOW application_name").fetchone() == ("films",)
        assert opened.info.get_parameters()["connect_timeout"] == "3"


def test_what_the_environment_says_of_other_servers_does_not_lead_away_from_ours(postgres_url, monkeypatch):
    home = Path(psycopg.conninfo.conninfo_to_dict(postgres_url)["host"]).parent
    for name, value in {
        "PGHOSTADDR": "192.0.2.1", "PGHOST": "h.invalid", "PGPORT": "1", "PGUSER": "eve", "PGDATABASE": "eve",
        "PGTARGETSESSIONATTRS": "standby", "PGREQUIREAUTH": "scram-sha-256", "PGCHANNELBINDING": "require",
        "PGREQUIREPEER": "eve",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    database = Database(EmbeddedServer(home), None, None, 10)
    with database.connect() as opened:
        assert (opened.info.user, opened.info.dbname) == ("mgw", "mgw")
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("there is no psql")
    with database.address() as address:
        environment = {**os.environ, **database.libpq_environment(address)}
        done = subprocess.run(
            [psql, "-XAtc", "SELECT user"], env=environment, capture_output=True, text=True, check=False
        )
    assert (done.stdout, done.stderr) == ("mgw\n", "")


def test_an_old_server(password_server, monkeypatch):
    monkeypatch.setattr(connection, "OLDEST_SUPPORTED", 16)
    error = failure(external(password_server.url()))
    assert isinstance(error, DatabaseTooOld)
    assert "is PostgreSQL 15" in error.message


def test_a_statement_that_took_too_long(password_server):
    error = failure(external(password_server.url(query="?options=-c%20statement_timeout%3D1ms")), "SELECT pg_sleep(60)")
    assert isinstance(error, DatabaseFailed), "the server is there, and must not be called unreachable"
    assert "statement timeout" in error.message
    assert "PGOPTIONS" in error.hint


@pytest.mark.parametrize("end", ["SELECT pg_terminate_backend(pg_backend_pid())", None])
def test_a_server_that_goes_away_in_the_middle(password_server, end, caplog):
    error = failure(external(password_server.url()), end or cut_the_line)
    assert isinstance(error, DatabaseUnreachable)
    assert error.message.startswith("lost the connection to the database postgres at 127")
    assert "undone" in error.hint
    assert caplog.records == [], "nothing is printed beside it"


def cut_the_line(opened) -> None:
    """Like a server that is killed: not a word comes back."""
    with socket.socket(fileno=os.dup(opened.fileno())) as line:
        line.shutdown(socket.SHUT_RDWR)
    opened.execute("SELECT 1")


def test_a_user_who_may_not_create_tables(password_server, password_database):
    name = f"reader_of_{password_database}"
    password_server.run(f"CREATE ROLE {name} LOGIN PASSWORD 'pw'")
    try:
        database = external(password_server.url(password_database, user=name, password="pw"))
        with pytest.raises(DatabaseDenied, match="for schema public") as caught, database.connect() as opened:
            migrate(opened, read_migrations())
        assert "GRANT CREATE ON SCHEMA public" in caught.value.hint
        password_server.run(f"CREATE SCHEMA mgw AUTHORIZATION {name}", password_database)
        inside = replace(database, url=f"{database.url}?options=-c%20search_path%3Dmgw")
        with inside.connect() as opened:
            migrate(opened, read_migrations())
        with inside.session() as opened:
            assert opened.execute("SELECT count(*) FROM mgw.content").fetchone() == (0,)
        nowhere = replace(database, url=f"{database.url}?options=-c%20search_path%3Dnowhere")
        with pytest.raises(DatabaseFailed, match="no schema has been selected") as caught, nowhere.connect() as opened:
            migrate(opened, read_migrations())
        assert "search_path" in caught.value.hint
    finally:
        password_server.run(f"DROP OWNED BY {name}; DROP ROLE {name}", password_database)


def test_a_server_that_only_reads(password_server, password_database):
    url = password_server.url(password_database, query="?options=-c%20default_transaction_read_only%3Don")
    with pytest.raises(DatabaseDenied, match="only reads") as caught, external(url).connect() as opened:
        migrate(opened, read_migrations())
    assert "primary" in caught.value.hint


def test_another_server_is_not_migrated_unasked(password_server, password_database):
    database = external(password_server.url(password_database))
    with pytest.raises(SchemaOutdated) as caught, database.session():
        pass
    assert caught.value.hint == "run `mgw db migrate`"
    assert isinstance(failure(database, "SELECT * FROM content"), SchemaOutdated)


def test_the_embedded_database_is_migrated_on_the_way(tmp_path):
    database = Database.of(load_settings(start=tmp_path, environ={}))
    assert database.embedded is not None
    with database.session() as opened:
        assert opened.execute("SELECT count(*) FROM content").fetchone() == (0,)
    database.embedded.stop()


def test_the_disk_of_the_server_is_full(password_server, password_database):
    folder = password_server.folder / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        os.chown(folder, password_server.uid, -1)
        password_server.run(f"CREATE TABLESPACE small LOCATION '{folder}'")
        url = password_server.url(password_database, query="?options=-c%20default_tablespace%3Dsmall")
        error = failure(
            external(url), "CREATE TABLE big AS SELECT repeat(md5(i::text), 99) FROM generate_series(1, 9999) i"
        )
        assert isinstance(error, DiskFull)
        assert "No space left" in error.message
        password_server.run("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def test_a_text_that_is_no_unicode(password_server):
    with pytest.raises(DatabaseFailed, match="not valid Unicode"), external(password_server.url()).connect() as opened:
        opened.execute("SELECT %s", ["\udcff"])


def test_a_fault_of_ours_stays_one(password_server):
    with pytest.raises(psycopg.ProgrammingError), external(password_server.url()).connect() as opened:
        opened.execute("SELECT %(missing)s", {"given": 1})


def test_letters_that_the_encoding_of_the_database_lacks(password_server):
    password_server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        database = external(password_server.url("latin"))
        with database.connect() as opened:
            assert opened.execute("SELECT %s", ["Amélie"]).fetchone() == ("Amélie",)
        with pytest.raises(DatabaseFailed, match="no equivalent in encoding"), database.connect() as opened:
            opened.execute("SELECT %s", ["Ωmega"])
    finally:
        password_server.run("DROP DATABASE latin WITH (FORCE)")
