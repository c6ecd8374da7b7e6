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
    from mgw.sql.memory import Memory
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
    from mgw.core.resources import own_accessors, resource
    from mgw.sql.record import read_record, resolved

    if queries is None and not Path("queries").is_dir():
        folder = resource("queries")  # in a wheel they are elsewhere than where they were prepared
        return Places(folder, migrations or resource("migrations"), module or own_accessors(), read_record(folder))
    folder = queries or Path("queries")
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
    again: Annotated[
        bool, typer.Option("--all", help="Describe every query anew, also where nothing has changed since.")
    ] = False,
) -> None:
    """Describe every query against the database, and keep the descriptions.

    Nothing is executed, and nothing stays in the database. With the embedded server, or with --shadow, a database is
    made from the migrations and dropped afterwards, and what was described so before and has not changed is not
    described again; otherwise the configured one is looked at. Exit code 1 if a query is at fault: the others are
    described all the same.
    """
    found = places(queries, migrations, module)
    target = describing_on(ctx, database, shadow=shadow)
    memory = None if again else target.memory(found)
    if memory and not watch and memory.is_current(found.queries, migrations=found.migrations, module=found.module):
        out.print("nothing has changed since the queries were described")
        return
    from mgw.sql.preparing import described_before

    known = described_before(found.queries, memory) if memory else None
    if watch:
        from mgw.cli.watch import keep_up

        keep_up(target, found, known)
    with schema(target, found.migrations) as (connection, made_from):
        described = describe(connection, target, found, made_from, known)
    if described.faults:
        raise typer.Exit(1)


def describe(
    connection: Connection[Any], target: Target, found: Places, made_from: Path | None, before: Described | None
) -> Described:
    """Describe what is not known, keep and show it."""
    from mgw.sql.preparing import describe_folder, keep

    described = describe_folder(connection, found.queries, plan=made_from is not None, before=before)
    written = keep(described, found.queries, migrations=made_from, module=found.module)
    if (memory := target.memory(found)) is not None:
        memory.note(described.descriptions.values())
    show(described, written)
    return described


@dataclass(frozen=True, slots=True)
class Target:
    """What queries are described on.

    Attributes:
        database: the one that is looked at, or the server on which a shadow is made.
        in_place: whether it is looked at as it is; otherwise a shadow is made.
        state: the folder in which the project keeps what can be made again.
    """

    database: Database
    in_place: bool
    state: Path

    def memory(self, found: Places) -> Memory | None:
        """Return what was described here before; None for a database as it is, which anybody may have changed."""
        from mgw.sql.memory import Memory

        return None if self.in_place else Memory(self.state, found.queries, found.migrations)


def describing_on(ctx: typer.Context, url: str | None, *, shadow: bool) -> Target:
    """Find what the options mean: a database as it is, or a shadow, which is the default with the embedded server."""
    from mgw.core.database import Database
    from mgw.core.settings import resolve_path

    if url is not None and shadow:
        raise UsageInvalid("--shadow and --database exclude each other", hint="leave one of them out")
    loaded = current_project(ctx, database__url=None if url in {None, CONFIGURED} else url)
    configured = project_database(loaded)
    state = resolve_path(loaded, loaded.settings.state_dir)
    if url is None and (shadow or configured.embedded is not None):
        server = Database(_embedded(loaded, configured), None, None, configured.connect_timeout_s)
        return Target(server, in_place=False, state=state)
    return Target(configured, in_place=True, state=state)


@contextmanager
def schema(target: Target, migrations: Path) -> Iterator[tuple[Connection[Any], Path | None]]:
    """Yield a connection to describe on, and the migrations that its schema was made from, if it was."""
    from mgw.sql import shadow as shadows

    if target.in_place:
        with shadows.in_place(target.database) as connection:
            yield connection, None
    else:
        with shadows.shadow(target.database, migrations) as connection:
            yield connection, migrations


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
