"""`mgw watch`: describe each query when it is saved."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import typer

from mgw.cli.output import out
from mgw.cli.prepare import (
    DatabaseOption,
    MigrationsOption,
    ModuleOption,
    Places,
    QueriesOption,
    ShadowOption,
    prepare,
    show,
)

if TYPE_CHECKING:
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


def follow(
    connection: Connection[Any],
    found: Places,
    described: Described,
    made_from: Path | None,
    before: dict[Path, tuple[int, int]],
) -> None:
    """Describe the folder again whenever a file of it was saved since it was in the state `before`."""
    from mgw.core.errors import MgwError
    from mgw.sql.preparing import describe_folder, keep
    from mgw.sql.watching import changes

    out.note(f"watching {found.queries}; Ctrl-C ends it")
    for changed in changes(found.queries, before):
        if not changed:
            continue
        started = time.perf_counter()
        try:
            described = describe_folder(connection, found.queries, plan=made_from is not None, before=described)
            written = keep(described, found.queries, migrations=made_from, module=found.module)
        except MgwError as error:  # the folder was moved away for a moment, perhaps
            out.error(error)
            continue
        show(described, written)
        names = ", ".join(sorted(str(path.relative_to(found.queries)) for path in changed))
        out.note(f"{names}: {1000 * (time.perf_counter() - started):.0f} ms")
