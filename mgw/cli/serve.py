"""`mgw serve`: the recommendation service, and the gateway in front of it."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from mgw.cli.gateway import project_gateway
from mgw.cli.options import GatewayFile
from mgw.cli.output import out
from mgw.cli.project import current_project, project_database, project_models, project_trail
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from mgw.cli.project import RootOptions
    from mgw.core.settings import LoadedSettings
    from mgw.gateway.definition import Gateway


def serve(
    ctx: typer.Context,
    only: Annotated[
        Literal["service", "gateway"] | None, typer.Option("--only", help="What to serve. Default: both.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="With --only: the address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="With --only: the port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="With --only: processes that answer.")] = None,
    gateway_file: GatewayFile = None,
) -> None:
    """Answer recommendations over HTTP, behind a gateway that checks who asks, until SIGTERM or Ctrl-C.

    The gateway takes tokens (`mgw token USER` makes one for development), limits how often somebody may ask, and passes
    requests on. /docs of the service describes its endpoints, /openapi.json describes them to programs. A model that is
    taken into use while it runs answers from then on. Requests that are under way when it is to end are answered first.
    """
    if only is None and (host, port, workers) != (None, None, None):
        raise UsageInvalid(
            "--host, --port and --workers are of one of the two", hint="--only service, or --only gateway"
        )
    if only == "service":
        _serve_service(current_project(ctx, service__host=host, service__port=port, service__workers=workers))
    elif only == "gateway":
        _serve_gateway(current_project(ctx), gateway_file, host, port, workers)
    else:
        _serve_both(ctx, gateway_file)


def _serve_both(ctx: typer.Context, gateway_file: Path | None) -> None:
    from mgw.cli.supervise import Program, supervise

    project_gateway(current_project(ctx), gateway_file)  # what is wrong with it is told before anything runs
    config = cast("RootOptions", ctx.find_root().obj).config
    root = () if config is None else ("--config", str(config))
    own = () if gateway_file is None else ("--gateway-file", str(gateway_file))
    code = supervise(
        [
            Program("the recommendation service", (*root, "serve", "--only", "service")),
            Program("the gateway", (*root, "serve", "--only", "gateway", *own), takes_hangup=True),
        ]
    )
    if code:
        raise typer.Exit(code)


def _serve_service(loaded: LoadedSettings) -> None:
    from mgw.core.errors import DatabaseError, ModelMissing
    from mgw.service.server import serve as run

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


def _serve_gateway(
    loaded: LoadedSettings, file: Path | None, host: str | None, port: int | None, workers: int | None
) -> None:
    from msgspec.structs import replace

    from mgw.core.audit import Flusher
    from mgw.core.settings import resolve_path
    from mgw.gateway.checks import warnings_of
    from mgw.gateway.files import read_gateway, with_own_service
    from mgw.gateway.server import serve as run
    from mgw.gateway.server import with_keys

    state, trail = resolve_path(loaded, loaded.settings.state_dir), project_trail(loaded)
    path, gateway = project_gateway(loaded, file)
    for warning in warnings_of(gateway):
        out.warn(warning)
    service = loaded.settings.service

    def read() -> Gateway:
        gateway = with_own_service(read_gateway(path), f"http://{service.host}:{service.port}")
        return replace(
            with_keys(gateway, state),
            host=host or gateway.host, port=port or gateway.port, workers=workers or gateway.workers,
        )  # fmt: skip

    scheme = "http" if gateway.tls is None else "https"
    where = f"{scheme}://{host or gateway.host}:{port or gateway.port}{gateway.prefix}"
    database = project_database(loaded)
    # The embedded server runs for the service, which brings to it what the gateway notes.
    with nullcontext() if database.embedded is not None else Flusher(trail, database):
        run(
            read, path, state,
            on_listening=lambda: out.note(f"the gateway listens at {where}"), tell=out.note, note=trail.note,
        )  # fmt: skip
    out.note("the gateway has ended")
