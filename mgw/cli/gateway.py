"""`mgw gateway` and `mgw token`: look a gateway's file over, and make tokens for development."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from mgw.core.settings import LoadedSettings
    from mgw.gateway.definition import Gateway

app = typer.Typer(help="Look over the gateway's file.", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[
    Path | None, typer.Option("--file", help="The gateway's file. Default: configs/gateway.yaml here, else mgw's own.")
]
_HOUR_S = 3_600


@app.command()
def check(ctx: typer.Context, file: File = None, json: Json = False) -> None:
    """Say what is wrong with the gateway's file, all of it at once, and what is most likely not meant."""
    from mgw.gateway.files import warnings_of

    path, gateway = project_gateway(current_project(ctx), file)
    warnings = list(warnings_of(gateway))
    if json:
        out.json({"file": str(path), "routes": len(gateway.routes), "warnings": warnings})
        return
    for warning in warnings:
        out.warn(warning)
    out.print(f"{path}: {len(gateway.routes)} routes to {len(gateway.upstreams)} upstreams, no fault")


@app.command()
def routes(ctx: typer.Context, file: File = None, json: Json = False) -> None:
    """Print the table of routes."""
    _, gateway = project_gateway(current_project(ctx), file)
    rows: list[dict[str, Any]] = [
        {
            "path": f"{gateway.prefix}{route.path}", "methods": list(route.methods), "upstream": route.upstream,
            "auth": route.auth, "scopes": list(route.scopes),
        }
        for route in gateway.routes
    ]  # fmt: skip
    if json:
        out.json(rows)
        return
    out.table(
        "Routes",
        ["path", "methods", "upstream", "auth", "scopes"],
        [(row["path"], " ".join(row["methods"]), row["upstream"], row["auth"], " ".join(row["scopes"]))
         for row in rows],
    )  # fmt: skip


def token(
    ctx: typer.Context,
    user: Annotated[str, typer.Argument(help="Whom the token says to be.")],
    tier: Annotated[str, typer.Option(help="Of the limits.")] = "free",
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="What it is good for; may be repeated.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="How long it is valid.")] = 1.0,
    file: File = None,
) -> None:
    """Make a token for development, signed with the gateway's own secret."""
    from joserfc import jwt

    from mgw.core.settings import resolve_path
    from mgw.gateway.server import with_keys
    from mgw.gateway.tokens import read_key

    loaded = current_project(ctx)
    path, gateway = project_gateway(loaded, file)
    tokens = with_keys(gateway, resolve_path(loaded, loaded.settings.state_dir)).tokens
    if tokens.algorithms != ("HS256",):
        raise UsageInvalid("tokens are made with HS256 alone: a public key cannot sign")
    if tier not in gateway.limits:
        raise UsageInvalid(f"there is no tier {tier!r}", hint=f"one of {', '.join(gateway.limits)}")
    now = int(time.time())
    claims: dict[str, Any] = {"sub": user, "iat": now, "exp": now + int(_HOUR_S * hours), tokens.tier_claim: tier}
    if scopes:
        claims["scope"] = " ".join(scopes)
    if tokens.issuer:
        claims["iss"] = tokens.issuer
    if tokens.audience:
        claims["aud"] = tokens.audience
    out.print(jwt.encode({"alg": "HS256"}, claims, read_key(tokens, path.parent)))


def project_gateway(loaded: LoadedSettings, file: Path | None) -> tuple[Path, Gateway]:
    """Find and read the gateway's file: the one that is named, the project's, or the one that comes with mgw."""
    from mgw.core.resources import resource
    from mgw.gateway.files import read_gateway

    own = [loaded.project / "configs" / "gateway.yaml", loaded.project / "gateway.yaml"]
    path = file or next((each for each in own if each.is_file()), resource("configs") / "gateway.yaml")
    return path, read_gateway(path)
