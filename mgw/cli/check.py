"""`mgw check`: prove that queries, descriptions and accessors fit together, and with --database, that it fits them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mgw import __version__
from mgw.cli.output import counted, out
from mgw.cli.prepare import DatabaseOption, MigrationsOption, ModuleOption, QueriesOption, places

if TYPE_CHECKING:
    from mgw.sql.check import Difference


def check(
    ctx: typer.Context,
    queries: QueriesOption = None,
    migrations: MigrationsOption = None,
    module: ModuleOption = None,
    database: DatabaseOption = None,
    format: Annotated[  # noqa: A002 - the name of the option
        Literal["text", "json", "sarif", "github"], typer.Option("--format", help="For whom the differences are.")
    ] = "text",
    everything: Annotated[
        bool, typer.Option("--all", help="Lint too, and read every configuration, gateway and experiment.")
    ] = False,
) -> None:
    """Check that every query has a current description and every accessor is current; no database is needed.

    With --all it is the one command of a pipeline. With --database, check too that the database still is what the
    queries were described against. All differences are shown. Exit code 1 if there are any, 2 if it could not be
    looked.
    """
    from mgw.sql.check import check_offline

    found = places(queries, migrations, module)
    differences, prepared = check_offline(
        found.queries, migrations=found.migrations, module=found.module, record=found.record
    )
    if database is not None:
        from mgw.cli.prepare import describing_on, schema
        from mgw.sql.check.live import check_live

        with schema(describing_on(ctx, database, shadow=False), found.migrations) as (connection, _):
            differences += check_live(connection, found.queries, prepared, found.migrations)
    if everything:
        from mgw.cli.check_all import check_all

        check_all(ctx, differences, len(prepared), format)
        return
    _show(differences, len(prepared), format)
    if differences:
        raise typer.Exit(1)


def _show(differences: list[Difference], queries: int, form: str) -> None:
    from mgw.sql.check import formats

    if form == "json":
        out.json(formats.json(differences, queries=queries))
    elif form == "sarif":
        out.json(formats.sarif(differences, version=__version__))
    elif form == "github":
        if differences:
            out.print(formats.github(differences))
    elif differences:
        out.print(formats.text(differences))
        out.note(counted(len(differences), "difference"))
    else:
        out.print(f"{counted(queries, 'query', 'queries')}: everything is current")
