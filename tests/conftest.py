"""What tests share: a real PostgreSQL server, and a fresh database for each test that asks for one."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.migrations import migrate, read_migrations
from mgw.core.processes import bound_to_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import LiteralString

    from psycopg import Connection
    from psycopg.rows import TupleRow

# How long an example takes says more about the machine than about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# The settings of whoever runs the tests are not those of the projects that the tests make.
for _name in [name for name in os.environ if name.startswith("MGW_")]:
    del os.environ[_name]

# A shell starts what runs in the background with SIGINT ignored, and children inherit that: the tests of Ctrl-C would
# wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_TEMPLATE = "migrated"
_NUMBERS = itertools.count(1)
_CONTENTS: dict[str, LiteralString] = {
    "content": "SELECT external_id, title, kind, year, runtime_minutes, plot FROM content ORDER BY 1",
    "genres": "SELECT external_id, genre FROM content_genres JOIN content ON id = content_id ORDER BY 1, 2",
    "themes": "SELECT external_id, theme FROM content_themes JOIN content ON id = content_id ORDER BY 1, 2",
    "credits": "SELECT external_id, role, billing_position, person FROM credits JOIN content ON id = content_id"
    " ORDER BY 1, 2, 3",
    "users": "SELECT external_id FROM users ORDER BY 1",
    "events": "SELECT u.external_id, c.external_id, at, completion_rate, rating, is_rewatch, dismissed, device"
    " FROM viewing_events e JOIN users u ON u.id = e.user_id JOIN content c ON c.id = e.content_id ORDER BY 1, 2, 3",
}


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server that runs as long as the session (under xdist: as long as the worker), without data."""
    server = EmbeddedServer(tmp_path_factory.mktemp("server") / "postgres", timeout_s=120)
    with server.lease() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            # Nothing here outlives the session, so nothing needs to reach the disk.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        yield url
    server.stop()
    shutil.rmtree(server.home, ignore_errors=True)  # hundreds of megabytes, which pytest would keep for three sessions


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> str:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
    with psycopg.connect(_named(postgres_url, _TEMPLATE), options="-c timezone=UTC") as connection:
        migrate(connection, read_migrations())
    return _TEMPLATE


@pytest.fixture
def database_url(postgres_url: str, _template: str) -> Iterator[str]:
    """The URL of a database of the test's own, which has the whole schema and no rows."""
    name = sql.Identifier(f"test_{next(_NUMBERS)}")
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(name, sql.Identifier(_template))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(create)
        yield _named(postgres_url, name.as_string(None).strip('"'))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def database(database_url: str) -> Iterator[Connection[TupleRow]]:
    """A connection to the test's database; what the test leaves uncommitted is rolled back."""
    with psycopg.connect(database_url, options="-c timezone=UTC") as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def contents(database_url: str) -> Callable[[], dict[str, list[TupleRow]]]:
    """A function that returns what is committed in the test's database, table by table, without the internal ids."""

    def read() -> dict[str, list[TupleRow]]:
        with psycopg.connect(database_url, options="-c timezone=UTC") as connection:
            return {name: connection.execute(query).fetchall() for name, query in _CONTENTS.items()}

    return read


def _named(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


class PasswordServer:
    """A server that somebody else runs: the system's PostgreSQL on a TCP port, which asks for a password.

    Attributes:
        port: on 127.0.0.1.
        folder: a folder that the server may enter and its user owns.
        uid: whom the server runs as.
    """

    USER, PASSWORD = "ada", "pa/ss@w:rd?#%"

    def __init__(self, folder: Path, bin_dir: Path) -> None:
        self.folder, self.uid = folder, os.geteuid() or pwd.getpwnam("nobody").pw_uid
        os.chown(folder, self.uid, -1)
        (folder / "password").write_text(self.PASSWORD)
        (folder / "password").chmod(0o644)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        data, identity = folder / "data", {"user": self.uid, "extra_groups": []} if os.geteuid() == 0 else {}
        initdb = [bin_dir / "initdb", "-D", data, "-U", self.USER, f"--pwfile={folder / 'password'}", "--no-sync"]
        subprocess.run(
            [*initdb, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"],
            check=True, capture_output=True, cwd="/", **identity,
        )  # fmt: skip
        settings = (f"port={self.port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off")
        self._process = subprocess.Popen(
            [bin_dir / "postgres", "-D", data, *itertools.chain(*(("-c", setting) for setting in settings))],
            stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd="/", **identity,
            preexec_fn=bound_to_parent(signal.SIGINT),  # noqa: PLW1509 - one call of the kernel, looked up before
        )  # fmt: skip
        lines = iter(self._process.stderr)
        said = list(itertools.takewhile(lambda line: "ready to accept connections" not in line, lines))
        assert self._process.poll() is None, "".join(said)
        threading.Thread(target=lambda: list(lines), daemon=True).start()  # or the server would wait for its reader

    def url(self, name: str = "postgres", *, user: str = USER, password: str | None = PASSWORD, query: str = "") -> str:
        """Return the URL of a database; None is no password."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{name}{query}"

    def run(self, statement: LiteralString, name: str = "postgres") -> None:
        """Run a statement as the superuser."""
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        """Disconnect everybody and end."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        self._process.stderr.close()


@pytest.fixture(scope="session")
def password_server() -> Iterator[PasswordServer]:
    bin_dir = Path("/usr/lib/postgresql/15/bin")
    if not (bin_dir / "initdb").is_file():
        pytest.skip(f"there is no PostgreSQL of the system in {bin_dir}")
    with tempfile.TemporaryDirectory(prefix="mgw-server-", dir="/tmp") as folder:
        server = PasswordServer(Path(folder), bin_dir)
        yield server
        server.stop()


@pytest.fixture
def password_database(password_server: PasswordServer) -> Iterator[str]:
    """The name of an empty database on the server that asks for a password."""
    name = f"films_{next(_NUMBERS)}"
    password_server.run(f"CREATE DATABASE {name} TEMPLATE template0")
    yield name
    password_server.run(f"DROP DATABASE {name} WITH (FORCE)")
