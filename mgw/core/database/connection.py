"""The way to the database: the configured URL or the embedded server, and PostgreSQL's errors as ours."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import Connection, errors, pq
from psycopg.conninfo import conninfo_to_dict

from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.migrations import migrate, read_migrations, require_schema
from mgw.core.errors import (
    DatabaseAuthFailed,
    DatabaseError,
    DatabaseFailed,
    DatabaseTooOld,
    DatabaseUnreachable,
    DiskFull,
    FileUnreadable,
    SchemaOutdated,
)

from mgw.core.settings import resolve_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg.rows import TupleRow

    from mgw.core.settings import LoadedSettings

OLDEST_SUPPORTED = 15


@dataclass(frozen=True, slots=True)
class Database:
    """Where the project's data lives.

    Attributes:
        embedded: the server that this program runs itself, or None.
        url: address of another server; it may hold a password and is never shown as it is.
        password: the password from `database.password_file`, if there is one.
        connect_timeout_s: how long to wait for a connection, in seconds.
    """

    embedded: EmbeddedServer | None
    url: str | None
    password: str | None
    connect_timeout_s: int

    @classmethod
    def of(cls, loaded: LoadedSettings) -> Database:
        """Find the database that the settings name."""
        settings = loaded.settings.database
        if settings.url is not None:
            password = _read_password(resolve_path(loaded, settings.password_file)) if settings.password_file else None
            return cls(None, settings.url, password, settings.connect_timeout_s)
        embedded = EmbeddedServer(
            resolve_path(loaded, loaded.settings.state_dir) / "postgres",
            version=settings.embedded_version,
            bin_dir=resolve_path(loaded, settings.bin_dir) if settings.bin_dir else None,
        )
        return cls(embedded, None, None, settings.connect_timeout_s)

    @contextmanager
    def address(self) -> Iterator[str]:
        """Yield a libpq URL that is good for the length of the block; starts the embedded server if need be."""
        if self.embedded is not None:
            with self.embedded.lease() as url:
                yield url
        else:
            assert self.url is not None
            yield self.url

    @contextmanager
    def connect(self) -> Iterator[Connection[TupleRow]]:
        """Yield a connection; its transaction is committed where the block ends well and rolled back where not.

        Raises:
            DatabaseUnreachable: nothing answers, or the server went away in the middle.
            DatabaseAuthFailed: the server refused the user, the password or the database name.
            DatabaseTooOld: the server is older than PostgreSQL 15.
            SchemaOutdated: a table or column is missing: the migrations have not run.
            DiskFull: the server's disk is full.
            DatabaseFailed: PostgreSQL refused a statement for another reason.
        """
        with self.address() as url, database_errors(url):
            with psycopg.connect(url, **self._options()) as connection:
                if connection.info.server_version < OLDEST_SUPPORTED * 10_000:
                    raise DatabaseTooOld(
                        f"the server is PostgreSQL {connection.info.server_version // 10_000}",
                        hint=f"PostgreSQL {OLDEST_SUPPORTED} is the oldest that is supported",
                    )
                yield connection

    @contextmanager
    def session(self) -> Iterator[Connection[TupleRow]]:
        """Yield a connection to a database that has the whole schema; the embedded one is migrated on the way.

        Raises:
            SchemaOutdated: another server lacks a migration; that is for its owner to run.
            DatabaseError: as `connect`.
        """
        with self.connect() as connection:
            if self.embedded is not None:
                migrate(connection, read_migrations())
            else:
                require_schema(connection)
            connection.commit()
            yield connection

    def libpq_environment(self, address: str) -> dict[str, str]:
        """Return the environment variables under which libpq's programs reach the database, the password among them."""
        given = {**conninfo_to_dict(address), **self._options()}
        variables = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
        return {
            variable.decode(): str(given[key]) for key, variable in variables.items() if variable and given.get(key)
        }

    def _options(self) -> dict[str, str | int]:
        options: dict[str, str | int] = {"connect_timeout": self.connect_timeout_s, "application_name": "mgw"}
        # Times are shown and cut into days in UTC, whatever the server's own zone.
        options["options"] = "-c timezone=UTC"
        return options if self.password is None else {**options, "password": self.password}


def _read_password(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(
            f"database.password_file: cannot read {path}", hint="check the path and its owner"
        ) from error


@contextmanager
def database_errors(url: str) -> Iterator[None]:
    """Translate what psycopg raises in the block."""
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, _place(url)) from error


def _translate(error: psycopg.Error, place: str) -> DatabaseError | DiskFull:
    message = str(error).strip().partition("\n")[0]
    if isinstance(error, (errors.UndefinedTable, errors.UndefinedColumn)):
        return SchemaOutdated(f"{place} lacks a part of the schema: {message}", hint="run `mgw db migrate`")
    if isinstance(error, errors.DiskFull):
        return DiskFull(f"the disk of {place} is full: {message}", hint="free some space; nothing was changed")
    if isinstance(error, psycopg.OperationalError) and _is_refusal(error, message):
        return DatabaseAuthFailed(
            f"{place} refused the connection: {_without_address(message)}",
            hint="check user, password and database name in MGW_DATABASE_URL or database.url",
        )
    if isinstance(error, psycopg.OperationalError) and _is_absence(error):
        return DatabaseUnreachable(
            f"cannot reach {place}: {_without_address(message)}",
            hint="check that the server runs and that MGW_DATABASE_URL or database.url names it; `mgw doctor` looks closer",
        )
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return DatabaseUnreachable(
            "the database URL cannot be understood", hint="it looks like postgresql://user@host:5432/name"
        )
    return DatabaseFailed(f"{place} refused a statement: {message}", hint=error.diag.message_hint)


def _is_refusal(error: psycopg.OperationalError, message: str) -> bool:
    refused = ("28000", "28P01", "3D000")
    words = ("password authentication failed", "no pg_hba.conf entry", "no password supplied", "does not exist")
    # While connecting libpq gives no SQLSTATE, only the server's words.
    return error.sqlstate in refused or (error.sqlstate is None and any(word in message for word in words))


def _is_absence(error: psycopg.OperationalError) -> bool:
    return error.sqlstate is None or error.sqlstate[:2] in {"08", "57"} or error.sqlstate == "53300"


def _without_address(message: str) -> str:
    """Drop libpq's own naming of the address, which repeats ours."""
    return message.rpartition("FATAL:")[2].strip() or message


def _place(url: str) -> str:
    """Name the server and the database without the user's secrets."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the database"
    host = str(parts.get("host") or "localhost")
    if host.startswith("/"):
        return "the embedded database" if "/postgres/" in host else f"the database at {host}"
    return f"the database {parts.get('dbname', '')} at {host}:{parts.get('port', 5432)}"
