"""`mgw adapters`: the adapters of single users in the database."""

from __future__ import annotations

from typing import Annotated

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session

app = typer.Typer(help="List, prune and delete adapters of users.", no_args_is_help=True, rich_markup_mode=None)

User = Annotated[str, typer.Argument(help="Id of the user, as it was imported.")]


@app.command("list")
def list_adapters(ctx: typer.Context, user: User, json: Json = False) -> None:
    """List a user's adapters, the latest version first."""
    from mgw.core.database import queries

    with project_session(current_project(ctx)) as connection:
        rows = queries.adapters_list(connection, user_id=user)
    if json:
        out.json([{**row._asdict(), "created_at": row.created_at.isoformat()} for row in rows])
        return
    if not rows:
        out.note(f"there is no adapter of {user!r}: `mgw train lora` says whom it trains")
        return
    out.table(
        f"Adapters of {user}",
        ["name", ">version", "shared tier", ">rank", ">bytes", ">titles", "trained"],
        [(row.name, row.version, row.base_snapshot, row.rank, row.size_bytes, row.events_used, row.created_at)
         for row in rows],
    )  # fmt: skip


@app.command()
def prune(
    ctx: typer.Context,
    keep: Annotated[int | None, typer.Option(min=1, help="Versions to keep of each adapter. [lora.keep]")] = None,
) -> None:
    """Delete all but the latest versions of each user's adapter."""
    from mgw.core.database import queries

    loaded = current_project(ctx, lora__keep=keep)
    with project_session(loaded) as connection:
        count = queries.adapters_prune(connection, keep=loaded.settings.lora.keep)
    out.print(f"{count:,} versions deleted")


@app.command()
def delete(ctx: typer.Context, user: User) -> None:
    """Delete every adapter of a user: nothing that was learnt of them alone is left."""
    from mgw.core.database import queries

    with project_session(current_project(ctx)) as connection:
        count = queries.adapters_delete(connection, user_id=user)
    out.print(f"{count:,} versions deleted")
