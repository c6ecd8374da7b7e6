"""Migrations: plain SQL files, numbered, applied in one transaction each and recorded with their checksum.

A file that was edited after it ran is an error, because two databases with the same number of migrations would no
longer have the same schema. An advisory lock makes two migrating processes take turns.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString, cast

import psycopg

from mgw.core.database.statements import statement
from mgw.core.errors import MigrationEdited, MigrationFailed, MigrationsInvalid, SchemaOutdated
from mgw.core.resources import resource

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from psycopg import Connection
    from psycopg.rows import TupleRow

_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema.

    Attributes:
        number: its place in the order, from 1, without gaps.
        name: what the file name says after the number.
        sql: the statements.
        checksum: SHA-256 of the file.
    """

    number: int
    name: str
    sql: str
    checksum: str


@dataclass(frozen=True, slots=True)
class MigrationState:
    """One migration and whether the database has it."""

    migration: Migration
    applied_at: datetime | None


def read_migrations(folder: Path | None = None) -> list[Migration]:
    """Read the migrations of a folder (the program's own by default), in order.

    Raises:
        MigrationsInvalid: a name is not `0001_words.sql`, or a number is missing or used twice.
    """
    folder = folder or resource("migrations")
    migrations = [_read(path) for path in sorted(folder.glob("*.sql"))]
    for expected, migration in enumerate(migrations, start=1):
        if migration.number != expected:
            raise MigrationsInvalid(
                f"{folder}: found {migration.number:04}_{migration.name}.sql where number {expected:04} was expected",
                hint="number the migrations from 0001, without gaps and without using a number twice",
            )
    return migrations


def _read(path: Path) -> Migration:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise MigrationsInvalid(f"{path}: not a name for a migration", hint="name it like 0002_add_ratings.sql")
    content = path.read_bytes()
    return Migration(int(match[1]), match[2], content.decode("utf-8"), hashlib.sha256(content).hexdigest())


def migration_states(connection: Connection[TupleRow], migrations: list[Migration]) -> list[MigrationState]:
    """Compare the database with the migrations; the database may be empty.

    Raises:
        MigrationEdited: a file is not what was applied under its number.
        SchemaOutdated: the database has migrations that are not among these.
    """
    table = connection.execute(statement("migrations/table_exists")).fetchone()
    rows = connection.execute(statement("migrations/applied")).fetchall() if table and table[0] else []
    applied = {number: (name, checksum, at) for number, name, checksum, at in rows}
    if unknown := sorted(set(applied) - {migration.number for migration in migrations}):
        raise SchemaOutdated(
            f"the database has migration {unknown[0]:04}_{applied[unknown[0]][0]}, which this program does not know",
            hint="it was migrated by a newer version: upgrade mgw",
        )
    for migration in migrations:
        if migration.number in applied and applied[migration.number][1] != migration.checksum:
            raise MigrationEdited(
                f"{migration.number:04}_{migration.name}.sql was edited after it ran on"
                f" {applied[migration.number][2]:%Y-%m-%d %H:%M} UTC",
                hint="restore the file, and put the change into a new migration",
            )
    return [MigrationState(m, applied[m.number][2] if m.number in applied else None) for m in migrations]


def migrate(connection: Connection[TupleRow], migrations: list[Migration]) -> list[Migration]:
    """Apply what the database lacks and return it; each migration is committed by itself.

    Raises:
        MigrationFailed: PostgreSQL refused a statement; the migrations before it stay.
    """
    applied: list[Migration] = []
    if all(state.applied_at for state in migration_states(connection, migrations)):
        return []
    connection.execute(statement("migrations/lock"))  # held until the connection closes
    connection.execute(statement("migrations/create_table"))
    connection.commit()
    for state in migration_states(connection, migrations):
        if state.applied_at is None:
            _apply(connection, state.migration)
            applied.append(state.migration)
    connection.commit()
    return applied


def _apply(connection: Connection[TupleRow], migration: Migration) -> None:
    name = f"{migration.number:04}_{migration.name}.sql"
    try:
        with connection.transaction():
            # Part of the program, as literal as a string in its source; without parameters it may hold many statements.
            connection.execute(cast("LiteralString", migration.sql))
            connection.execute(
                statement("migrations/record"),
                {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
            )
    except psycopg.DatabaseError as error:
        line = migration.sql.count("\n", 0, int(error.diag.statement_position or 1) - 1) + 1
        raise MigrationFailed(
            f"{name}, line {line}: {error.diag.message_primary or error}",
            hint=error.diag.message_hint or "the migration was rolled back; mend it and run `mgw db migrate` again",
        ) from error


def require_schema(connection: Connection[TupleRow]) -> None:
    """Make sure that the database has every migration of this program.

    Raises:
        SchemaOutdated: some have not run.
    """
    waiting = [s.migration for s in migration_states(connection, read_migrations()) if s.applied_at is None]
    if waiting:
        raise SchemaOutdated(
            f"{len(waiting)} migration{'s have' if len(waiting) > 1 else ' has'} not run yet,"
            f" the first is {waiting[0].number:04}_{waiting[0].name}",
            hint="run `mgw db migrate`",
        )
