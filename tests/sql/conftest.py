"""A project of the test's own, with queries and migrations, and real servers to describe it on."""

from __future__ import annotations

import textwrap
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from mgw.core.database import Database
from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.embedded.binaries import find
from mgw.core.errors import EmbeddedUnavailable
from mgw.sql.describe import Describer
from mgw.sql.preparing import Described, describe_folder, keep, read_queries
from mgw.sql.shadow import shadow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

    from mgw.sql.description import Description

SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")

SCHEMA = """
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'very "happy"');
    CREATE DOMAIN score AS numeric CHECK (VALUE >= 0);
    CREATE TYPE place AS (city text, zip int);
    CREATE TABLE film (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        slug text NOT NULL UNIQUE,
        title text NOT NULL,
        year smallint,
        mood mood NOT NULL DEFAULT 'ok',
        score score,
        price numeric(10, 2) NOT NULL DEFAULT 0,
        tags text[] NOT NULL DEFAULT '{}',
        about jsonb,
        shown daterange,
        added timestamptz NOT NULL DEFAULT now()
    );
    CREATE TABLE person (id bigint PRIMARY KEY, name text NOT NULL, born date, place place, moods mood[]);
    CREATE TABLE credit (
        film_id bigint NOT NULL REFERENCES film,
        person_id bigint NOT NULL REFERENCES person,
        role text NOT NULL,
        billing int,
        PRIMARY KEY (film_id, person_id, role)
    );
"""


@dataclass
class Project:
    """A folder of queries and one of migrations.

    Attributes:
        root: the folder of both.
        url: of the server that shadows are made on.
    """

    root: Path
    url: str

    @property
    def queries(self) -> Path:
        return self.root / "queries"

    @property
    def migrations(self) -> Path:
        return self.root / "migrations"

    def query(self, text: str, name: str = "one") -> Path:
        path = self.queries / f"{name}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def migration(self, text: str) -> Path:
        self.migrations.mkdir(exist_ok=True)
        number = len(list(self.migrations.iterdir())) + 1
        path = self.migrations / f"{number:04}_step.sql"
        path.write_text(textwrap.dedent(text))
        return path

    @contextmanager
    def shadow(self, url: str | None = None) -> Iterator[Connection]:
        with shadow(Database(None, url or self.url, None, 10), self.migrations) as connection:
            yield connection

    def described(self, url: str | None = None) -> Described:
        with self.shadow(url) as connection:
            return describe_folder(connection, self.queries, plan=True)

    def prepare(self, module: Path | None = None) -> Described:
        found = self.described()
        assert not found.faults, found.faults
        keep(found, self.queries, migrations=self.migrations, module=module)
        return found


@pytest.fixture(scope="session")
def make_project(postgres_url: str) -> Callable[[Path], Project]:
    """Make a project, with the schema of films and without queries, in an empty folder."""

    def make(root: Path) -> Project:
        made = Project(root, postgres_url)
        made.migration(SCHEMA)
        made.queries.mkdir()
        return made

    return make


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[[Path], Project]) -> Project:
    return make_project(tmp_path)


@pytest.fixture(scope="module")
def films(make_project: Callable[[Path], Project], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A connection to a database with the schema of films, for a whole module: nothing that is described stays."""
    with make_project(tmp_path_factory.mktemp("films")).shadow() as connection:
        yield connection


@pytest.fixture
def describe(films: Connection, tmp_path: Path):
    """Describe one query, or raise what is wrong with it."""

    def one(text: str, name: str = "one", **others: str) -> Description:
        made = Project(tmp_path, "")
        made.query(text, name)
        for other, content in others.items():
            made.query(content, other)
        queries, faults = read_queries(made.queries)
        if faults:
            raise faults[0]
        return Describer(films, queries).describe(queries[name])

    return one


@pytest.fixture(scope="session", params=[18, 16, 15])
def any_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """The major version and URL of each server that can be had here."""
    major = request.param
    bin_dir = SYSTEM_15 if major == 15 else None
    try:
        found = find(major, bin_dir, data_major=None)
    except EmbeddedUnavailable:
        found = None
    if found is None or found.major != major:
        warnings.warn(f"PostgreSQL {major} is not here: not tested on it", pytest.PytestWarning, stacklevel=1)
        pytest.skip(f"PostgreSQL {major} is not here")
    server = EmbeddedServer(tmp_path_factory.mktemp("any") / "postgres", version=major, bin_dir=bin_dir, timeout_s=120)
    with server.lease() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            assert connection.info.server_version // 10_000 == major
        yield major, url
    server.stop()
