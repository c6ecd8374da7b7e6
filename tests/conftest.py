"""What tests share: a real PostgreSQL server, and a fresh database for each test that asks for one."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.migrations import migrate, read_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.rows import TupleRow

_TEMPLATE = "migrated"
_NUMBERS = itertools.count(1)


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


def _named(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()
