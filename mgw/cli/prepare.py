"""`mgw prepare`: describe the queries, without running one, and keep what is known of them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from mgw.cli.output import out
from mgw.cli.project import current_project, project_database
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from mgw.core.database import Database
    from mgw.core.database.embedded import EmbeddedServer
    from mgw.core.settings import LoadedSettings
    from mgw.sql.errors import QueryFault
    from mgw.sql.preparing import Described, Written
    from mgw.sql.record import Record

CONFIGURED = "configured"

QueriesOption: TypeAlias = Annotated[
    Path | None, typer.Option("--queries", help="Folder of the queries. Default: queries here, else those of mgw.")
]
MigrationsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--migrations", help="Folder of the migrations. Default: as prepared before, else those of mgw."),
]
ModuleOption: TypeAlias = Annotated[
    Path | None, typer.Option("--module", help="Python file for the accessors. Default: as prepared before.")
]
DatabaseOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="Look at this database; `configured` is the one of the project."),
]
ShadowOption: TypeAlias = Annotated[
    bool, typer.Option("--shadow", help="Use a database made from the migrations, on the embedded server.")
]


@dataclass(frozen=True, slots=True)
class Places:
    """Where the queries are and what belongs to them.

    Attributes:
        queries: their folder.
        migrations: folder of the migrations.
        module: file of the accessors, or None.
        record: what the folder was prepared with.
    """

    queries: Path
    migrations: Path
    module: Path | None
    record: Record


def places(queries: Path | None, migrations: Path | None, module: Path | None) -> Places:
    """Find what the options name, or was named when the queries were prepared, or is the program's own."""
    from mgw.core.resources import resource
    from mgw.sql.record import read_record, resolved

    folder = queries or (Path("queries") if Path("queries").is_dir() else resource("queries"))
    record = read_record(folder)
    return Places(
        folder,
        migrations or resolved(record.migrations, folder) or resource("migrations"),
        module or resolved(record.module, folder),
        record,
    )


def prepare(
    ctx: typer.Context,
    queries: QueriesOption = None,
    migrations: MigrationsOption = None,
    module: ModuleOption = None,
    database: DatabaseOption = None,
    shadow: ShadowOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and describe each query when it is saved.")] = False,
) -> None:
    """Describe every query against the database, and keep the descriptions.

    Nothing is executed, and nothing stays in the database. With the embedded server, or with --shadow, a database is
    made from the migrations and dropped afterwards; otherwise the configured one is looked at. Exit code 1 if a query
    is at fault: the others are described all the same.
    """
    from mgw.sql.preparing import describe_folder, keep
    from mgw.sql.watching import state

    found = places(queries, migrations, module)
    before = state(found.queries)
    with schema(ctx, found, database, shadow=shadow) as (connection, made_from):
        described = describe_folder(connection, found.queries, plan=made_from is not None)
        written = keep(described, found.queries, migrations=made_from, module=found.module)
        show(described, written)
        if watch:
            from mgw.cli.watch import follow

            follow(connection, found, described, made_from, before)
    if described.faults:
        raise typer.Exit(1)


@contextmanager
def schema(
    ctx: typer.Context, found: Places, url: str | None, *, shadow: bool
) -> Iterator[tuple[Connection[Any], Path | None]]:
    """Yield a connection to describe on, and the migrations that its schema was made from, if it was."""
    from mgw.core.database import Database
    from mgw.sql import shadow as shadows

    if url is not None and shadow:
        raise UsageInvalid("--shadow and --database exclude each other", hint="leave one of them out")
    loaded = current_project(ctx, database__url=None if url in {None, CONFIGURED} else url)
    configured = project_database(loaded)
    if url is None and (shadow or configured.embedded is not None):
        server = Database(_embedded(loaded, configured), None, None, configured.connect_timeout_s)
        with shadows.shadow(server, found.migrations) as connection:
            yield connection, found.migrations
    else:
        with shadows.in_place(configured) as connection:
            yield connection, None


def _embedded(loaded: LoadedSettings, configured: Database) -> EmbeddedServer:
    """Return the embedded server, also where another one is configured."""
    from mgw.core.database.embedded import EmbeddedServer
    from mgw.core.settings import resolve_path

    if configured.embedded is not None:
        return configured.embedded
    settings = loaded.settings.database
    return EmbeddedServer(
        resolve_path(loaded, loaded.settings.state_dir) / "postgres",
        version=settings.embedded_version,
        bin_dir=resolve_path(loaded, settings.bin_dir) if settings.bin_dir else None,
    )


def show(described: Described, written: Written) -> None:
    """Print what was done, and every query that is at fault."""
    for fault in described.faults:
        show_fault(fault)
    count = len(described.descriptions)
    parts = [f"{count} quer{'y' if count == 1 else 'ies'} described", f"{written.written} written"]
    if written.removed:
        parts.append(f"{written.removed} removed")
    if written.module:
        parts.append("accessors written")
    if described.faults:
        parts.append(f"{len(described.faults)} at fault")
    out.print(", ".join(parts))


def show_fault(fault: QueryFault) -> None:
    """Print what is wrong with a query."""
    out.error(fault)
