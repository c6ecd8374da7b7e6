"""`mgw gateway` and `mgw token`: look a gateway's file over, look after one that runs, and make tokens."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mgw.cli.options import GatewayFile, Json, OutFile, TokenUser
from mgw.cli.output import counted, out
from mgw.cli.project import current_project, note_change
from mgw.core.changes import Action
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from mgw.core.settings import LoadedSettings
    from mgw.gateway.admin_client import AdminClient
    from mgw.gateway.definition import Gateway

app = typer.Typer(
    help="Look over the gateway's file, and after one that runs.", no_args_is_help=True, rich_markup_mode=None
)
export = typer.Typer(help="Write the gateway's file for another gateway.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(export, name="export")

_HOUR_S = 3_600


@app.command(short_help="Say what is wrong with the gateway's file, all at once.")
def check(ctx: typer.Context, gateway_file: GatewayFile = None, json: Json = False) -> None:
    """Say what is wrong with the gateway's file, all of it at once, and what is most likely not meant.

    What it names is looked at, too: keys, certificates, environment variables. Nothing is asked over the network.
    """
    from mgw.core.settings import resolve_path
    from mgw.gateway.checks import warnings_of
    from mgw.gateway.server import check_names, with_keys

    loaded = current_project(ctx)
    path, gateway = project_gateway(loaded, gateway_file)
    check_names(with_keys(gateway, resolve_path(loaded, loaded.settings.state_dir)), path.parent)
    warnings = list(warnings_of(gateway))
    if json:
        out.json({"file": str(path), "routes": len(gateway.routes), "warnings": warnings})
        return
    for warning in warnings:
        out.warn(warning)
    upstreams = counted(len(gateway.upstreams), "upstream")
    out.print(f"{path}: {counted(len(gateway.routes), 'route')} to {upstreams}, no fault")


@app.command()
def routes(ctx: typer.Context, gateway_file: GatewayFile = None, json: Json = False) -> None:
    """Print the table of routes."""
    _, gateway = project_gateway(current_project(ctx), gateway_file)
    rows: list[dict[str, Any]] = [
        {
            "path": f"{gateway.prefix}{route.path}", "methods": list(route.methods), "upstream": route.upstream,
            "auth": route.auth, "scopes": list(route.scopes), "cached": route.cache is not None,
        }
        for route in gateway.routes
    ]  # fmt: skip
    if json:
        out.json({"routes": rows})
        return
    out.table(
        "Routes",
        ["path", "methods", "upstream", "auth", "scopes", "cached"],
        [(row["path"], " ".join(row["methods"]), row["upstream"], row["auth"], " ".join(row["scopes"]),
          "yes" if row["cached"] else "") for row in rows],
    )  # fmt: skip


@app.command(short_help="Say how each worker and each upstream stands.")
def state(ctx: typer.Context, gateway_file: GatewayFile = None, json: Json = False) -> None:
    """Say how each worker and each upstream of a gateway that runs stands."""
    found = _admin(ctx, gateway_file).ask("GET", "/state")
    if json:
        out.json(found)
        return
    out.table(
        "Workers",
        ["worker", ">up (s)", ">under way", ">answers kept", ">MB"],
        [(worker["pid"], f"{worker['uptime_s']:,.0f}", worker["under_way"], worker["cache"]["entries"],
          f"{worker['cache']['bytes'] / 1e6:.1f}") for worker in found["workers"]],
    )  # fmt: skip
    out.table(
        "Upstreams",
        ["upstream", "worker", "breaker", "instance", ">under way", "asked"],
        [(name, worker["pid"], upstream["breaker"], one["url"], one["under_way"],
          "left out" if one["left_out"] else "yes")
         for worker in found["workers"] for name, upstream in worker["upstreams"].items()
         for one in upstream["instances"]],
    )  # fmt: skip


@app.command(short_help="Have kept answers forgotten: by url, prefix, tag, or all.")
def purge(
    ctx: typer.Context,
    by: Annotated[Literal["url", "prefix", "tag", "everything"], typer.Argument(help="What is named.")],
    value: Annotated[str, typer.Argument(help="Path and query, the beginning of a path, or a tag.")] = "",
    gateway_file: GatewayFile = None,
    json: Json = False,
) -> None:
    """Have a gateway that runs forget answers: by url, by prefix, by tag, or everything.

    A url is path and query as clients ask for them; a tag is one that an upstream gave in `Cache-Tag`.
    """
    if (by == "everything") == bool(value):
        raise UsageInvalid(f"purge {by} takes {'no value' if by == 'everything' else 'a value'}")
    found = _admin(ctx, gateway_file).ask("POST", "/purge", {"by": by, "value": value})
    if json:
        out.json(found)
        return
    out.print(f"{found['purged']:,} answers forgotten")


@app.command(short_help="Have the file read anew now.")
def reload(ctx: typer.Context, gateway_file: GatewayFile = None, json: Json = False) -> None:
    """Have a gateway that runs read its file anew now; one that cannot be used is refused, and nothing changes."""
    found = _admin(ctx, gateway_file).ask("POST", "/reload")
    if json:
        out.json(found)
        return
    out.print("read anew" if found["changed"] else "read anew: it says what it said")


@app.command(short_help="Have an upstream left alone, asked in any case, or neither.")
def breaker(
    ctx: typer.Context,
    upstream: Annotated[str, typer.Argument(help="Name of the upstream.")],
    to: Annotated[Literal["open", "closed", "auto"], typer.Argument(help="What it is to be.")],
    gateway_file: GatewayFile = None,
    json: Json = False,
) -> None:
    """Have a gateway that runs leave an upstream alone (open), ask it in any case (closed), or decide again (auto)."""
    found = _admin(ctx, gateway_file).ask("POST", f"/breakers/{upstream}", {"to": to})
    if json:
        out.json(found)
        return
    out.print(f"{upstream}: {', '.join(found['workers'])}")


@export.command(short_help="Write an Envoy configuration that does the same.")
def envoy(ctx: typer.Context, gateway_file: GatewayFile = None, to: OutFile = None) -> None:
    """Write an Envoy configuration of the same routes, auth, limits, timeouts and breakers.

    What Envoy has no equal of is listed as warnings, and in the file's head. The keys of tokens go into a file of their
    own beside it.
    """
    from mgw.core.files import write_atomic
    from mgw.core.settings import resolve_path
    from mgw.gateway.envoy import envoy_configuration, keys_for_envoy
    from mgw.gateway.files import with_own_service
    from mgw.gateway.server import with_keys

    loaded = current_project(ctx)
    path, gateway = project_gateway(loaded, gateway_file)
    service = loaded.settings.service
    gateway = with_own_service(gateway, f"http://{service.host}:{service.port}")
    gateway = with_keys(gateway, resolve_path(loaded, loaded.settings.state_dir))
    keys = keys_for_envoy(gateway, path.parent)
    keys_file = (to or Path("envoy.yaml")).with_suffix(".keys.json").absolute()
    text, missing = envoy_configuration(gateway, path.parent, str(keys_file))
    for each in missing:
        out.warn(each)
    if to is None:
        out.print(text.rstrip())
        if keys is not None:
            out.warn(f"the keys of tokens are not written: with --out they are, to {keys_file.name} beside it")
        return
    write_atomic(to, text.encode())
    out.print(f"{to} written")
    if keys is not None:
        write_atomic(keys_file, keys, mode=0o600)
        out.print(f"{keys_file} written, readable for you alone")


@app.command(short_help="Write one OpenAPI document of all upstreams.")
def openapi(ctx: typer.Context, gateway_file: GatewayFile = None, to: OutFile = None) -> None:
    """Ask each upstream for its OpenAPI document, and write one for the gateway: what its routes let through."""
    import json as library

    from mgw.core.files import write_atomic
    from mgw.gateway.files import with_own_service
    from mgw.gateway.openapi import merged_document

    loaded = current_project(ctx)
    _, gateway = project_gateway(loaded, gateway_file)
    service = loaded.settings.service
    document, missing = merged_document(with_own_service(gateway, f"http://{service.host}:{service.port}"))
    for each in missing:
        out.warn(each)
    if to is None:
        out.json(document)
        return
    write_atomic(to, library.dumps(document, indent=2).encode() + b"\n")
    out.print(f"{to} written: {len(document['paths'])} paths")


def token(
    ctx: typer.Context,
    user: TokenUser,
    tier: Annotated[str, typer.Option(help="Tier of the limits.")] = "free",
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="What it is good for; may be repeated.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 365, help="Hours that it is valid.")] = 1.0,
    gateway_file: GatewayFile = None,
) -> None:
    """Make a token for development, signed with the gateway's own secret."""
    from joserfc import jwt

    from mgw.core.settings import resolve_path
    from mgw.gateway.server import with_keys
    from mgw.gateway.tokens import read_key

    loaded = current_project(ctx)
    path, gateway = project_gateway(loaded, gateway_file)
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
    made = jwt.encode({"alg": "HS256"}, claims, read_key(tokens, path.parent))
    note_change(loaded, Action.TOKEN_MINTED, "token", user, tier=tier, scopes=scopes or [], expires=claims["exp"])
    out.print(made)


def project_gateway(loaded: LoadedSettings, file: Path | None) -> tuple[Path, Gateway]:
    """Find and read the gateway's file: the one that is named, the project's, or the one that comes with mgw."""
    from mgw.core.resources import resource
    from mgw.gateway.files import read_gateway

    own = [loaded.project / "configs" / "gateway.yaml", loaded.project / "gateway.yaml"]
    path = file or next((each for each in own if each.is_file()), resource("configs") / "gateway.yaml")
    return path, read_gateway(path)


def _admin(ctx: typer.Context, file: Path | None) -> AdminClient:
    """Return the way to a gateway that runs."""
    from mgw.core.settings import resolve_path
    from mgw.gateway.admin_client import AdminClient
    from mgw.gateway.server import admin_token

    loaded = current_project(ctx)
    path, gateway = project_gateway(loaded, file)
    if gateway.admin is None:
        raise UsageInvalid(f"{path} has no admin port", hint="`admin: {port: 8090}` opens one on 127.0.0.1")
    state = resolve_path(loaded, loaded.settings.state_dir)
    return AdminClient(gateway.admin.port, admin_token(gateway.admin, path.parent, state))
