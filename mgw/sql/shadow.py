"""A database that exists only while queries are described: made from the migrations, dropped afterwards.

So nobody's database is touched, and the descriptions follow from what is in the repository alone.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.conninfo import make_conninfo

from mgw.core.database import Database, queries
from mgw.core.database.migrations import migrate, read_migrations
from mgw.core.processes import is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection

_PREFIX = "mgw_shadow_"


@contextmanager
def shadow(server: Database, migrations: Path | None) -> Iterator[Connection[Any]]:
    """Yield a connection, in autocommit, to a new database that has the schema and no rows.

    Args:
        server: on which it is made: the embedded server.
        migrations: folder of the migrations; None means those of the program.

    Raises:
        MigrationFailed: PostgreSQL refuses a migration.
        MigrationsInvalid: the folder is none of migrations.
        DatabaseError: as `Database.connect`.
    """
    steps = read_migrations(migrations)
    with server.address() as address, server.connect() as administrator:
        administrator.commit()
        administrator.autocommit = True
        _drop_left_over(administrator)
        name = f"{_PREFIX}{os.getpid()}_{secrets.token_hex(4)}"
        database = sql.Identifier(name)
        administrator.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 STRATEGY file_copy").format(database))
        try:
            url = make_conninfo(address, dbname=name)
            with Database(None, url, server.password, server.connect_timeout_s).connect() as connection:
                migrate(connection, steps)
                connection.commit()
                connection.autocommit = True
                yield connection
        finally:
            administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))


def _drop_left_over(administrator: Connection[Any]) -> None:
    """Drop the shadows of processes that were killed. The server is on this machine, so they can be told apart."""
    for name in queries.prepare_shadows(administrator, pattern=f"^{_PREFIX}\\d+_"):
        pid = int(name.removeprefix(_PREFIX).partition("_")[0])
        if not is_alive(pid):
            administrator.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def in_place(database: Database) -> Iterator[Connection[Any]]:
    """Yield a connection, in autocommit, to a database that is looked at as it is and not changed.

    Raises:
        DatabaseError: as `Database.connect`.
    """
    with database.connect() as connection:
        connection.rollback()
        connection.autocommit = True
        yield connection
