"""Migrations: plain SQL files, numbered, applied in one transaction each and recorded with their checksum.

A file that was edited after it ran is an error, because two databases with the same number of migrations would no
longer have the same schema. An advisory lock, held for a migration at a time, makes two migrating processes take turns.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from mgw.core.changes import Action, Actor, Change
from mgw.core.database import queries
from mgw.core.database.recording import record
from mgw.core.errors import MigrationEdited, MigrationFailed, MigrationsInvalid, SchemaOutdated
from mgw.core.resources import resource
from mgw.core.statements import split

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from psycopg import Connection
    from psycopg.rows import TupleRow

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql", re.ASCII)
_TRANSACTION_CONTROL = {"ABORT", "BEGIN", "COMMIT", "END", "PREPARE", "ROLLBACK", "START"}
# The disk, rights, the connection, a timeout: translated where every statement's errors are.
_NOT_ITS_FAULT = {"53100", "42501", "25006", "57014", "57P01", "57P02", "57P03", "55P03"}


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema.

    Attributes:
        number: its place in the order, from 1, without gaps.
        name: what the file name says after the number.
        sql: the statements.
        checksum: SHA-256 of the statements.
    """

    number: int
    name: str
    sql: str
    checksum: str

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.number:04}_{self.name}.sql"


@dataclass(frozen=True, slots=True)
class MigrationState:
    """One migration and whether the database has it."""

    migration: Migration
    applied_at: datetime | None


def read_migrations(folder: Path | None = None) -> list[Migration]:
    """Read the migrations of a folder (the program's own by default), in order.

    Raises:
        MigrationsInvalid: a name is not `0001_words.sql`, a number is missing or used twice, a file cannot be read.
    """
    own = resource("migrations")
    folder = folder or own
    migrations = [_read(path) for path in sorted(folder.glob("*.sql"))]
    if not migrations:
        hint = "install mgw again" if folder == own else "--migrations names the folder that has them"
        raise MigrationsInvalid(f"there are no migrations in {folder}", hint=hint)
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise MigrationsInvalid(
                f"{folder}: found {migration.file} where number {expected:04} was expected",
                hint="number the migrations from 0001, without gaps and without using a number twice",
            )
    return migrations


def _read(path: Path) -> Migration:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise MigrationsInvalid(f"{path}: not a name for a migration", hint="name it like 0002_add_ratings.sql")
    try:
        # Git may write the same file with other line ends on another machine. That is no edit: such a file is read,
        # summed and run as if it had ours.
        sql = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationsInvalid(f"{path}: cannot be read: {error}", hint="migrations are files in UTF-8") from error
    return Migration(int(match[1]), match[2], sql, hashlib.sha256(sql.encode()).hexdigest())


def migration_states(connection: Connection[TupleRow], migrations: list[Migration]) -> list[MigrationState]:
    """Compare the database with the migrations; the database may be empty.

    Raises:
        MigrationEdited: a file is not what was applied under its number.
        SchemaOutdated: the database has migrations that are not among these.
    """
    rows = queries.migrations_applied(connection) if queries.migrations_table_exists(connection) else []
    applied = {number: (name, checksum, at) for number, name, checksum, at in rows}
    if unknown := sorted(set(applied) - {migration.number for migration in migrations}):
        raise SchemaOutdated(
            f"the database has migration {unknown[0]:04}_{applied[unknown[0]][0]}, which this program does not know",
            hint="it was migrated by a newer version: upgrade mgw",
        )
    for migration in migrations:
        if migration.number in applied and applied[migration.number][1] != migration.checksum:
            raise MigrationEdited(
                f"{migration.file} was edited after it ran on {applied[migration.number][2]:%Y-%m-%d %H:%M %Z}",
                hint="restore the file, and put the change into a new migration",
            )
    return [MigrationState(m, applied[m.number][2] if m.number in applied else None) for m in migrations]


def migrate(
    connection: Connection[TupleRow], migrations: list[Migration], *, lock_timeout: str = "10s"
) -> list[Migration]:
    """Apply what the database lacks and return it.

    Each migration is a transaction of its own, and so is the look at what is next: two processes take turns, and what
    one has applied the other does not repeat. Work that is pending on the connection is committed before.

    Args:
        connection: to the database.
        migrations: all that there are.
        lock_timeout: how long a statement waits for a table that others use, as PostgreSQL writes it.

    Raises:
        MigrationFailed: PostgreSQL refused a statement; the migrations before it stay.
    """
    applied: list[Migration] = []
    up_to_date = all(state.applied_at for state in migration_states(connection, migrations))
    connection.commit()  # or what follows would be a part of the transaction that the look began
    while not up_to_date:
        with connection.transaction():
            queries.migrations_lock(connection)
            queries.migrations_wait_briefly(connection, timeout=lock_timeout)
            waiting = [
                state.migration for state in _states_in_new_table(connection, migrations) if not state.applied_at
            ]
            if waiting:
                _apply(connection, waiting[0])
                _record(connection, waiting[0])
                applied.append(waiting[0])
            up_to_date = not waiting
    return applied


def _states_in_new_table(connection: Connection[TupleRow], migrations: list[Migration]) -> list[MigrationState]:
    if not queries.migrations_table_exists(
        connection
    ):  # asked, for "if not exists" looks into the first schema of the path only
        queries.migrations_create_table(connection)
    return migration_states(connection, migrations)


def _apply(connection: Connection[TupleRow], migration: Migration) -> None:
    for start, sql in split(migration.sql):
        line = migration.sql.count("\n", 0, start) + 1
        if (first := sql.split(maxsplit=1)[0].rstrip(";").upper()) in _TRANSACTION_CONTROL:
            raise MigrationFailed(
                f"{migration.file}, line {line}: {first} would end the transaction that a migration is",
                hint="leave it out; what needs a transaction of its own goes into a migration of its own",
            )
        try:
            # Part of the program, as literal as a string in its source.
            connection.execute(sql)
        except psycopg.DatabaseError as error:
            if error.sqlstate is None or error.sqlstate in _NOT_ITS_FAULT:
                raise
            line += sql.count("\n", 0, int(error.diag.statement_position or 1) - 1)
            raise MigrationFailed(
                f"{migration.file}, line {line}: {error.diag.message_primary or error}",
                hint=_hint(error) or "it was rolled back; mend it and run the command again",
            ) from error
    queries.migrations_record(connection, number=migration.number, name=migration.name, checksum=migration.checksum)


def _record(connection: Connection[TupleRow], migration: Migration) -> None:
    """Say in the audit trail that a migration ran, once there is one."""
    if queries.audit_is_chained(connection):
        details = {"checksum": migration.checksum}
        record(connection, Actor.on_this_machine(), Change(Action.SCHEMA_MIGRATED, "schema", migration.file, details))


def _hint(error: psycopg.DatabaseError) -> str | None:
    if isinstance(error, psycopg.errors.ActiveSqlTransaction):
        return "each migration runs in a transaction: build an index without CONCURRENTLY, or outside of migrations"
    return error.diag.message_hint


def require_schema(connection: Connection[TupleRow]) -> None:
    """Make sure that the database has every migration of this program.

    Raises:
        SchemaOutdated: some have not run.
    """
    waiting = [s.migration for s in migration_states(connection, read_migrations()) if s.applied_at is None]
    if waiting:
        raise SchemaOutdated(
            f"{len(waiting)} migration{'s have' if len(waiting) > 1 else ' has'} not run yet,"
            f" the first is {waiting[0].file}",
            hint="run `mgw db migrate`",
        )
