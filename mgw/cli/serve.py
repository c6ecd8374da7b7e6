"""`mgw serve`: the recommendation service."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Annotated, Literal

import typer

from mgw.cli.output import out
from mgw.cli.project import current_project, project_database, project_models


def serve(
    ctx: typer.Context,
    only: Annotated[Literal["service"], typer.Option("--only", help="What to serve.")] = "service",
    host: Annotated[str | None, typer.Option(help="The address to listen on. [service.host]")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on. [service.port]")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer. [service.workers]")] = None,
) -> None:
    """Answer recommendations over HTTP, until SIGTERM or Ctrl-C.

    /docs of the service describes its endpoints, /openapi.json describes them to programs. A model that is taken into
    use while it runs answers from then on. Requests that are under way when it is to end are answered first.
    """
    from mgw.core.errors import DatabaseError, ModelMissing
    from mgw.service.server import serve as run

    assert only
    loaded = current_project(ctx, service__host=host, service__port=port, service__workers=workers)
    settings = loaded.settings.service
    with ExitStack() as stack:
        try:
            stack.enter_context(project_database(loaded).session())
        except DatabaseError as error:
            out.warn(f"the service starts without the database: {error.message}")
        try:
            project_models(loaded).current()
        except ModelMissing:
            out.warn("there is no model yet: the service answers with what is popular until `mgw train als`")
        where = f"http://{settings.host}:{settings.port}"
        run(loaded, lambda: out.note(f"the recommendation service listens at {where}, docs at {where}/docs"))
    out.note("the service has ended")
