"""`mgw watch`: describe each query when it is saved."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from mgw.cli.output import out
from mgw.cli.prepare import (
    DatabaseOption,
    MigrationsOption,
    ModuleOption,
    Places,
    QueriesOption,
    ShadowOption,
    Target,
    describe,
    prepare,
    schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection

    from mgw.sql.preparing import Described


def watch(
    ctx: typer.Context,
    queries: QueriesOption = None,
    migrations: MigrationsOption = None,
    module: ModuleOption = None,
    database: DatabaseOption = None,
    shadow: ShadowOption = False,
) -> None:
    """Describe every query, and then each one again when it is saved, until Ctrl-C: the same as `prepare --watch`."""
    prepare(ctx, queries, migrations, module, database, shadow, watch=True)


def keep_up(target: Target, found: Places, known: Described | None) -> NoReturn:
    """Describe the queries, and again whenever a query or a migration was saved, until Ctrl-C.

    What is wrong at the beginning ends it; what goes wrong later is shown, and the next save is waited for.

    Args:
        target: what to describe on.
        found: the folders.
        known: what need not be described again.
    """
    from mgw.core.errors import MgwError
    from mgw.sql.watching import saves

    folders = (found.queries,) if target.in_place else (found.queries, found.migrations)
    saved = saves(folders)  # one for all: what is saved while it goes wrong is not missed
    has_begun = False
    with nullcontext() if target.in_place else target.database.address():  # the server outlives each shadow
        while True:
            try:
                with schema(target, found.migrations) as (connection, made_from):
                    described = describe(connection, target, found, made_from, known)
                    if not has_begun:
                        out.note(f"watching {' and '.join(map(str, folders))}; Ctrl-C ends it")
                    has_begun = True
                    _follow(connection, target, found, described, saved)
            except MgwError as error:
                if not has_begun:
                    raise
                out.error(error)
                next(saved)
            known = None  # of another schema


def _follow(
    connection: Connection[Any],
    target: Target,
    found: Places,
    described: Described,
    changed: Iterator[set[Path]],
) -> None:
    """Describe what was saved, until that is a migration."""
    made_from = None if target.in_place else found.migrations
    for paths in changed:
        migrations = sorted(path.name for path in paths if not path.is_relative_to(found.queries))
        if migrations:
            out.note(f"{', '.join(migrations)} changed: every query is described on a database made anew")
            return
        started = time.perf_counter()
        described = describe(connection, target, found, made_from, described)
        names = ", ".join(sorted(str(path.relative_to(found.queries)) for path in paths))
        out.note(f"{names}: {1000 * (time.perf_counter() - started):.0f} ms")
