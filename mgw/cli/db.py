"""`mgw db`: the database of the project, embedded or not."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_database
from mgw.core.errors import DatabaseUnreachable, EmbeddedUnavailable
from mgw.core.settings import redact_url
from mgw.core.settings.redaction import MASK

if TYPE_CHECKING:
    from mgw.core.database import Database
    from mgw.core.database.embedded import EmbeddedServer
    from mgw.core.database.migrations import MigrationState

app = typer.Typer(help="Start, stop, migrate and look at the database.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def start(ctx: typer.Context, json: Json = False) -> None:
    """Start the embedded server and keep it running until `mgw db stop`.

    Other commands start it by themselves and stop it when they end; this saves them the start.
    """
    server = _embedded(project_database(current_project(ctx)), "start")
    status = server.start()
    if json:
        out.json({**dataclasses.asdict(status), "data_dir": str(status.data_dir)})
    else:
        out.print(f"PostgreSQL {status.version} runs in {status.data_dir}, process {status.pid}")


@app.command()
def stop(ctx: typer.Context, json: Json = False) -> None:
    """Stop the embedded server, also where other commands use it."""
    server = _embedded(project_database(current_project(ctx)), "stop")
    stopped = server.stop()
    if json:
        out.json({"stopped": stopped})
    else:
        out.print("stopped" if stopped else "was not running")


@app.command()
def status(ctx: typer.Context, json: Json = False) -> None:
    """Show the server and the migrations that it has.

    To ask does not start the embedded server. Exit code 1 if a migration is waiting or the server is away.
    """
    database = project_database(current_project(ctx))
    document, states = _examine(database)
    document["migrations"] = [_described(state) for state in states] if states is not None else None
    if json:
        out.json(document)
    else:
        out.table("Database", ["", ""], [(key, value) for key, value in document.items() if key != "migrations"])
        for state in states or ():
            at = f"{state.applied_at:%Y-%m-%d %H:%M} UTC" if state.applied_at else "waiting"
            out.print(f"migration {state.migration.number:04}_{state.migration.name}: {at}")
    if states is None or any(state.applied_at is None for state in states):
        raise typer.Exit(1)


def _examine(database: Database) -> tuple[dict[str, object], list[MigrationState] | None]:
    """Return what there is to say of the server, and its migrations unless it is away."""
    from mgw.core.database.migrations import migration_states, read_migrations

    if database.embedded is not None:
        found = database.embedded.status()
        document = {"kind": "embedded", **dataclasses.asdict(found), "data_dir": str(found.data_dir)}
        if not found.running:
            return document, None
    else:
        document = {"kind": "external", "running": False, "url": redact_url(database.url or "")}
    try:
        with database.connect() as connection:
            version = connection.info.server_version
            document |= {"running": True, "version": f"{version // 10_000}.{version % 10_000}"}
            return document, migration_states(connection, read_migrations())
    except DatabaseUnreachable as error:
        return {**document, "running": False, "problem": error.message}, None


def _described(state: MigrationState) -> dict[str, object]:
    return {
        "number": state.migration.number,
        "name": state.migration.name,
        "applied_at": state.applied_at and state.applied_at.isoformat(),
    }


@app.command()
def migrate(ctx: typer.Context, json: Json = False) -> None:
    """Bring the schema up to date; each migration is one transaction."""
    from mgw.core.database import migrations

    with project_database(current_project(ctx)).connect() as connection:
        applied = migrations.migrate(connection, migrations.read_migrations())
    if json:
        out.json({"applied": [{"number": each.number, "name": each.name} for each in applied]})
        return
    for migration in applied:
        out.print(f"applied {migration.number:04}_{migration.name}")
    if not applied:
        out.print("nothing to do: the schema is up to date")


@app.command(short_help="Print the URL of the database, for other programs.")
def url(ctx: typer.Context) -> None:
    """Print the URL of the database, for other programs; passwords are left out.

    The embedded server answers at this URL only while it runs: see `mgw db start`.
    """
    database = project_database(current_project(ctx))
    if database.url is not None:
        out.print(_without_passwords(database.url))
        return
    running = _embedded(database, "url").status()
    if not running.running or running.url is None:
        raise DatabaseUnreachable("the embedded server is not running", hint="`mgw db start` starts it")
    out.print(running.url)


@app.command(context_settings={"ignore_unknown_options": True})
def shell(
    ctx: typer.Context,
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to psql, for example -c 'SELECT 1'.")] = None,
) -> None:
    """Open psql on the database; the embedded server runs for as long."""
    database = project_database(current_project(ctx))
    with database.address() as address:
        # Neither URL nor password may be seen in the list of processes, so both travel in the environment.
        environment = {**os.environ, **database.libpq_environment(address)}
        # Ctrl-C is for psql, which drops the line or the statement and goes on. (A handler that does nothing, and not
        # SIG_IGN, which psql's own children would inherit.)
        former = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            finished = subprocess.run([_psql(database), *(arguments or [])], env=environment, check=False)
        finally:
            signal.signal(signal.SIGINT, former)
    raise typer.Exit(finished.returncode if finished.returncode >= 0 else 128 - finished.returncode)


def _without_passwords(url: str) -> str:
    """Leave every password out: `***` in its place would be sent to the server by whoever uses the URL."""
    shown = redact_url(url).replace(f":{MASK}@", "@")
    shown = re.sub(rf"[^?&\s=]+={re.escape(MASK)}(?:&|\s|$)", "", shown)
    return shown.rstrip("?& ")


def _psql(database: Database) -> str:
    """Find psql: the system's, which can edit lines, before the one that comes with the embedded server."""
    from mgw.core.database.embedded.binaries import find

    found = shutil.which("psql")
    if found is None and database.embedded is not None:
        binaries = find(database.embedded.version, database.embedded.bin_dir, data_major=None)
        found = shutil.which("psql", path=str(binaries.folder))
    if found is None:
        raise EmbeddedUnavailable("there is no psql", hint="install PostgreSQL's client, on Debian postgresql-client")
    return found


def _embedded(database: Database, command: str) -> EmbeddedServer:
    if database.embedded is None:
        raise EmbeddedUnavailable(
            f"`mgw db {command}` is for the embedded server, and database.url names another one",
            hint="unset MGW_DATABASE_URL or database.url to use the embedded server",
        )
    return database.embedded
