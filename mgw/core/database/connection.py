"""The way to the database: the configured URL or the embedded server, and PostgreSQL's errors as ours."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import Connection, errors, pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from mgw.core.database.embedded import EmbeddedServer
from mgw.core.database.lists import register_lists
from mgw.core.database.migrations import migrate, read_migrations, require_schema
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
from mgw.core.settings import redact_url, resolve_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from psycopg.rows import TupleRow

    from mgw.core.settings import LoadedSettings

# What psycopg logs of a connection that is lost, the error says; without a handler Python prints it beside that.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

OLDEST_SUPPORTED = 15

# The embedded server is reached as its URL says, whatever of libpq's environment is meant for other servers.
_AS_THE_URL_SAYS = {
    "hostaddr": "",
    "target_session_attrs": "any",
    "channel_binding": "prefer",
    "require_auth": "",
    "requirepeer": "",
}
_BUSY = re.compile(r"too many|connection slots|starting up|shutting down|recovery mode|not yet accepting")
_UNDONE = "what was not committed is undone; run the command again when the server is back"
_NO_SCHEMA = (
    "the user needs a schema to create tables in: GRANT CREATE ON SCHEMA public TO …, or"
    " CREATE SCHEMA mgw AUTHORIZATION … and ALTER ROLE … SET search_path = mgw"
)
_HINTS: dict[type[psycopg.Error], str] = {
    errors.QueryCanceled: "if it is statement_timeout, PGOPTIONS='-c statement_timeout=0' lifts it for one command",
    errors.LockNotAvailable: "another session holds a lock: run the command again later",
    errors.DeadlockDetected: "another session was in the way: run the command again",
    errors.SerializationFailure: "another session was in the way: run the command again",
    errors.InvalidSchemaName: _NO_SCHEMA,
}


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
        """Find the database that the settings name.

        Raises:
            ConfigInvalid: the URL cannot be understood.
            FileUnreadable: `database.password_file` cannot be read.
        """
        settings = loaded.settings.database
        if settings.url is not None:
            _check_url(settings.url)
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
    def connect(self, *, deadline_s: float | None = None) -> Iterator[Connection[TupleRow]]:
        """Yield a connection; its transaction is committed where the block ends well and rolled back where not.

        Args:
            deadline_s: after how many seconds a statement is given up, by the server or, where the network swallows
                what is sent, by this side.

        Raises:
            DatabaseUnreachable: nothing answers, or the server went away in the middle.
            DatabaseAuthFailed: the server refused the user, the password or the database name.
            DatabaseTooOld: the server is older than PostgreSQL 15.
            DatabaseDenied: the user lacks a right, or the server only reads.
            SchemaOutdated: a table or column is missing: the migrations have not run.
            DiskFull: the server's disk is full.
            DatabaseFailed: PostgreSQL refused a statement for another reason.
        """
        with self.address() as url:
            place = "the embedded database" if self.embedded is not None else _place(url)
            with _connecting_errors(place):
                options = self._options(url) | _given_up_after(deadline_s, self._options(url))
                connection = psycopg.connect(make_conninfo(url, **options, client_encoding="utf8"))
            register_lists(connection)
            with _statement_errors(place), connection:
                if connection.info.server_version < OLDEST_SUPPORTED * 10_000:
                    raise DatabaseTooOld(
                        f"{place} is PostgreSQL {connection.info.server_version // 10_000}",
                        hint=f"PostgreSQL {OLDEST_SUPPORTED} is the oldest that is supported",
                    )
                yield connection

    @contextmanager
    def session(self, *, deadline_s: float | None = None) -> Iterator[Connection[TupleRow]]:
        """Yield a connection to a database that has the whole schema; the embedded one is migrated on the way.

        Args:
            deadline_s: as for `connect`.

        Raises:
            SchemaOutdated: another server lacks a migration; that is for its owner to run.
            DatabaseError: as `connect`.
        """
        with self.connect(deadline_s=deadline_s) as connection:
            if self.embedded is not None:
                migrate(connection, read_migrations())
            else:
                require_schema(connection)
            connection.commit()
            yield connection

    def run(self, work: Callable[[Connection[TupleRow]], None]) -> None:
        """Do some work in a session of its own."""
        with self.session() as connection:
            work(connection)

    def libpq_environment(self, address: str) -> dict[str, str]:
        """Return the environment variables under which libpq's programs reach the database, the password among them."""
        given = {**conninfo_to_dict(address), **self._options(address)}
        variables = {option.keyword.decode(): option.envvar for option in pq.Conninfo.get_defaults()}
        return {
            variable.decode(): str(given[key])
            for key, variable in variables.items()
            if variable and given.get(key) is not None
        }

    def _options(self, url: str) -> dict[str, str | int]:
        """Return what a connection needs beyond the URL; where the URL itself says it, the URL is right."""
        given = conninfo_to_dict(url)
        options = {} if self.embedded is None else {**_AS_THE_URL_SAYS}
        # Times are shown and cut into days in UTC, whatever the server's own zone. libpq has one string for all server
        # settings: those of the user (PGOPTIONS, where the URL has none) stay in front of ours.
        theirs = given.get("options", _libpq_default("options"))
        options["options"] = f"{theirs or ''} -c timezone=UTC".strip()
        options["fallback_application_name"] = "mgw"
        if self.password is not None:
            options["password"] = self.password
        return {"connect_timeout": self.connect_timeout_s, **options} if "connect_timeout" not in given else {**options}


def _given_up_after(deadline_s: float | None, options: Mapping[str, str | int]) -> dict[str, str | int]:
    """Return what makes a statement end in time, in addition to other options.

    Who has a deadline asks the same few questions again and again: each is planned once, not with every parameter.
    """
    if deadline_s is None:
        return {}
    milliseconds = max(1, round(deadline_s * 1000))
    settings = f"{options['options']} -c statement_timeout={milliseconds} -c plan_cache_mode=force_generic_plan"
    return {"options": settings, "tcp_user_timeout": milliseconds}


def _libpq_default(keyword: str) -> str | None:
    """Return what libpq takes for a parameter that is not given: from the environment, a service, or built in."""
    name = keyword.encode()
    return next((o.val.decode() for o in pq.Conninfo.get_defaults() if o.keyword == name and o.val is not None), None)


def _read_password(path: Path) -> str:
    """Read a password from the one line of a file; everybody's permission to read it is for `mgw doctor` to note."""
    hint = "check the path and its owner; the file holds the password and nothing else"
    try:
        # An editor ends the line and may set a mark in front; blanks may belong to the password.
        password = path.read_text(encoding="utf-8-sig").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(f"database.password_file: cannot read {path}", hint=hint) from error
    if not password or "\n" in password or "\0" in password:
        raise FileUnreadable(f"database.password_file: {path} does not hold one line", hint=hint)
    return password


def _check_url(url: str) -> None:
    """Refuse a URL that libpq cannot read, or reads in another way than `redact_url`.

    A password with a bare `@` or `/` is cut there by libpq, and its rest taken for the host, which messages name.
    """
    shown = redact_url(url)
    try:
        safe = conninfo_to_dict(shown)
    except psycopg.ProgrammingError as error:  # about the redacted text, so it can be shown
        raise ConfigInvalid(
            f"database.url cannot be understood: {str(error).strip()}",
            hint="it looks like postgresql://user@host:5432/name",
        ) from error
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        given = {}
    secret = redact_url("secret")
    if given.keys() != safe.keys() or any(given[key] != value for key, value in safe.items() if value != secret):
        # Without `from`: what libpq said quotes the password.
        raise ConfigInvalid(
            f"database.url cannot be understood: {shown}",
            hint="write % @ : / ? # in names and passwords as %25 %40 %3A %2F %3F %23, or use database.password_file",
        ) from None


@contextmanager
def _connecting_errors(place: str) -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        raise _refusal(str(error), place) from error


def _refusal(text: str, place: str) -> MgwError:
    """Tell from libpq's words, for it gives no code, why there is no connection."""
    lines = text.strip().splitlines()
    # Of several hosts, one that answered and refused says more than one that did not.
    line = next((line for line in lines if "FATAL:" in line), lines[0])
    reason = line.rpartition("FATAL:")[2].strip()
    refused = "FATAL:" in line or "no password supplied" in line or "authentication" in line
    if refused and not _BUSY.search(line):
        return DatabaseAuthFailed(
            f"{place} refused the connection: {reason}",
            hint="check user, password and database name in MGW_DATABASE_URL or database.url",
        )
    hint = "check that the server runs and that MGW_DATABASE_URL or database.url names it; `mgw doctor` looks closer"
    if refused:
        hint = "run the command again when the server has started, or other sessions have ended"
    return DatabaseUnreachable(f"cannot reach {place}: {reason}", hint=hint)


@contextmanager
def _statement_errors(place: str) -> Iterator[None]:
    """Translate what psycopg raises on an open connection; what it says of our use of it is a fault of ours."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise DatabaseFailed(f"{error.object!r} is not valid Unicode, which {place} keeps its texts in") from error
    except psycopg.Error as error:
        if error.sqlstate is None and not isinstance(error, (psycopg.OperationalError, psycopg.DataError)):
            raise
        raise _failure(error, place, str(error).strip().partition("\n")[0]) from error


def _failure(error: psycopg.Error, place: str, message: str) -> MgwError:
    if isinstance(error, (errors.UndefinedTable, errors.UndefinedColumn)):
        return SchemaOutdated(f"{place} lacks a part of the schema: {message}", hint="run `mgw db migrate`")
    if isinstance(error, errors.DiskFull):
        return DiskFull(f"the disk of {place} is full: {message}", hint="free some space and run the command again")
    if isinstance(error, errors.InsufficientPrivilege):
        hint = _NO_SCHEMA if "schema" in message else "grant the right to the user, or connect as another one"
        return DatabaseDenied(f"{place} denies it: {message}", hint=hint)
    if isinstance(error, errors.ReadOnlySqlTransaction):
        return DatabaseDenied(
            f"{place} only reads: {message}",
            hint="connect to the primary, or lift default_transaction_read_only",
        )
    if _is_lost(error):
        return DatabaseUnreachable(f"lost the connection to {place}: {message}", hint=_UNDONE)
    return DatabaseFailed(
        f"{place} refused a statement: {message}", hint=_HINTS.get(type(error)) or error.diag.message_hint
    )


def _is_lost(error: psycopg.Error) -> bool:
    """Return whether the connection is gone: closed without a word, by an administrator, or after a timeout of it."""
    if not isinstance(error, (psycopg.OperationalError, psycopg.InternalError)):
        return False
    state = error.sqlstate or "08"
    return state.startswith(("08", "57P")) or state in {"25P03", "25P04"}


def _place(url: str) -> str:
    """Name the server and the database without the user's secrets."""
    parts = conninfo_to_dict(redact_url(url))
    host, port, name = (str(parts.get(key) or _libpq_default(key) or "") for key in ("host", "port", "dbname"))
    at = f"in {host}" if host.startswith("/") else f"at {host or 'this machine'}:{port}"
    return f"the database {name} {at}" if name else f"the database {at}"
