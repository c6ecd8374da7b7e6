"""`mgw adapters`: the adapters of single users in the database, and the shared tier that they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.options import Json, User
from mgw.cli.output import counted, out
from mgw.cli.project import current_project, note_change, project_adapters, project_session, project_shared_tiers
from mgw.core.changes import Action

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import ModelStore
    from mgw.core.settings import LoadedSettings
    from mgw.recommend.lora.adapters import Adapters
    from mgw.recommend.lora.store import Adapter

app = typer.Typer(help="Look at, exchange and remove adapters of users.", no_args_is_help=True, rich_markup_mode=None)

_SHOWN = 5


@app.command("list")
def list_adapters(ctx: typer.Context, user: User, json: Json = False) -> None:
    """List a user's adapters, the latest version first."""
    from mgw.core.database import queries

    with project_session(current_project(ctx)) as connection:
        rows = queries.adapters_list(connection, user_id=user)
    if json:
        adapters = [{**row._asdict(), "created_at": row.created_at.isoformat()} for row in rows]
        out.json({"user_id": user, "adapters": adapters})
        return
    if not rows:
        out.note(f"there is no adapter of {user!r}: `mgw train lora` says whom it trains")
        return
    out.table(
        f"Adapters of {user}",
        ["name", ">version", "shared tier", ">numbers", ">bytes", ">titles", "trained (UTC)"],
        [(row.name, row.version, row.base_snapshot, row.rank, row.size_bytes, row.events_used, row.created_at)
         for row in rows],
    )  # fmt: skip


@app.command(short_help="Show what a user's adapter is, and which titles it moves.")
def show(ctx: typer.Context, user: User, json: Json = False) -> None:
    """Show the adapter that a user's recommendations are made with, and which titles it moves most."""
    import numpy as np

    loaded = current_project(ctx)
    snapshot, adapters = project_adapters(loaded)
    with project_session(loaded) as connection:
        adapter = _required(connection, user, adapters)
    boost = adapters.boost(adapter.weights)
    order = np.argsort(-boost, kind="stable")
    ids, names = snapshot.array("content_ids"), snapshot.array("titles")
    moved = [
        {"content_id": ids[column].decode(), "title": names[column].decode(), "lora_boost": float(boost[column])}
        for column in (*order[:_SHOWN].tolist(), *order[-_SHOWN:].tolist())
    ]
    if json:
        out.json(
            {
                "user_id": user, "version": adapter.version, "shared_tier": adapters.name,
                "rank": adapters.settings.rank, "events_used": adapter.events_used,
                "gain": adapter.gain, "error": adapter.error,
                "lifts": moved[:_SHOWN], "lowers": moved[_SHOWN:],
            }
        )  # fmt: skip
        return
    if adapter.is_zero:
        out.note("it is zero: the titles that were held out of this user spoke against one")
    gain = f", gain {adapter.gain:+.4f} ± {adapter.error:.4f}" if adapter.error else ""
    out.print(f"version {adapter.version} of {user}, from {adapter.events_used:,} titles{gain}, of {adapters.name}")
    rows = [(each["content_id"], each["title"], f"{each['lora_boost']:+.3f}") for each in moved]
    out.table("What it lifts and lowers most", ["id", "title", ">boost"], rows)


@app.command(short_help="Write a user's adapter to a file, for mgw or ONNX Runtime.")
def export(
    ctx: typer.Context,
    user: User,
    file: Annotated[Path, typer.Argument(help="The file to write: .json, or .onnx_adapter.", dir_okay=False)],
    json: Json = False,
) -> None:
    """Write a user's adapter: as .json for `mgw adapters import`, as .onnx_adapter for `mgw export onnx`."""
    from mgw.recommend.lora.exchange import write_adapter

    loaded = current_project(ctx)
    _, adapters = project_adapters(loaded)
    with project_session(loaded) as connection:
        adapter = _required(connection, user, adapters)
    write_adapter(file, adapters, adapter)
    if json:
        out.json({"file": str(file), "user_id": user, "version": adapter.version, "shared_tier": adapters.name})
    else:
        out.print(f"{file}: version {adapter.version} of {user}, of {adapters.name}")


@app.command("import", short_help="Take in an adapter from a file, as its user's next.")
def import_adapter(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `mgw adapters export` wrote, as .json.")],
    json: Json = False,
) -> None:
    """Take in an adapter from a file, as the next version of its user's."""
    from mgw.core.errors import UserUnknown
    from mgw.recommend.lora.exchange import read_adapter
    from mgw.recommend.lora.store import prune_adapters, save_adapters

    loaded = current_project(ctx)
    _, adapters = project_adapters(loaded)
    adapter = read_adapter(file, adapters)
    with project_session(loaded) as connection:
        if not save_adapters(connection, adapters.name, [adapter]):
            raise UserUnknown(f"there is no user {adapter.user_id!r}", hint="import the users' events first")
        prune_adapters(connection, [adapter.user_id], keep=adapters.settings.keep)
        stored = _required(connection, adapter.user_id, adapters)
        _record(connection, Action.ADAPTER_IMPORTED, "adapter", adapter.user_id, after=stored.version, file=str(file))
    if json:
        out.json({"file": str(file), "user_id": adapter.user_id, "version": stored.version})
    else:
        out.print(f"version {stored.version} of {adapter.user_id}")


@app.command(short_help="Go back to the shared tier, or a user's version, before.")
def rollback(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Option(help="Only this user's: the latest version is deleted.")] = None,
    json: Json = False,
) -> None:
    """Go back to the shared tier before, with everybody's adapters of it; or to one user's version before."""
    loaded = current_project(ctx)
    snapshot, adapters = project_adapters(loaded)
    if user is None:
        _roll_back_everybody(loaded, adapters.name, snapshot.manifest.name, json=json)
    else:
        _roll_back_user(loaded, adapters, user, json=json)


def _roll_back_everybody(loaded: LoadedSettings, name: str, model: str, *, json: bool) -> None:
    from mgw.core.database import queries
    from mgw.core.errors import AdaptersMissing
    from mgw.recommend.lora.store import NAME

    store = project_shared_tiers(loaded)
    before = _tier_before(store, name, model)
    with project_session(loaded) as connection:
        left = queries.adapters_count_of_base(connection, base_snapshot=before, name=NAME)
    if not left:
        raise AdaptersMissing(f"no adapter of {before} is kept any more", hint="lora.keep says how many are")
    store.use(before)
    note_change(loaded, Action.TIER_PROMOTED, "shared_tier", before, before=name, after=before)
    if json:
        out.json({"shared_tier": before, "former_shared_tier": name, "users": left})
    else:
        out.print(f"{before} is in use, in place of {name}, with the adapters of {counted(left, 'user')}")


def _roll_back_user(loaded: LoadedSettings, adapters: Adapters, user: str, *, json: bool) -> None:
    from mgw.core.database import queries
    from mgw.recommend.lora.store import NAME

    with project_session(loaded) as connection:
        latest = _required(connection, user, adapters)
        queries.adapters_undo(connection, user_id=user, name=NAME, base_snapshot=adapters.name)
        earlier = adapters.load(connection, user)
        now = None if earlier is None else earlier.version
        _record(connection, Action.ADAPTER_ROLLED_BACK, "adapter", user, before=latest.version, after=now)
    if json:
        out.json({"user_id": user, "version": now, "former_version": latest.version})
    else:
        after = "none is left" if now is None else f"version {now} is in use"
        out.print(f"version {latest.version} of {user} is deleted, {after}")


@app.command(short_help="Delete all but the latest adapters and shared tiers.")
def prune(
    ctx: typer.Context,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Versions to keep of each adapter, and shared tiers. [lora.keep]")
    ] = None,
    json: Json = False,
) -> None:
    """Delete all but the latest versions of each user's adapter, and all but the latest shared tiers with theirs.

    What is in use stays, also after a rollback.
    """
    from mgw.core.database import queries

    loaded = current_project(ctx, lora__keep=keep)
    store, kept = project_shared_tiers(loaded), loaded.settings.lora.keep
    in_use = store.current_name()
    tiers = [name for name in store.names()[:-kept] if name != in_use]
    with project_session(loaded) as connection:
        count = queries.adapters_prune(connection, keep=kept, base_in_use=in_use or "")
        count += queries.adapters_prune_bases(connection, base_snapshots=tiers)
        _record(connection, Action.ADAPTERS_PRUNED, "adapter", "", versions=count, keep=kept)
    for name in tiers:
        store.delete(name)
        note_change(loaded, Action.TIER_DELETED, "shared_tier", name)
    if json:
        out.json({"versions": count, "shared_tiers": tiers})
    else:
        out.print(f"{counted(count, 'version')} and {counted(len(tiers), 'shared tier')} deleted")


@app.command()
def delete(ctx: typer.Context, user: User, json: Json = False) -> None:
    """Delete every adapter of a user. Models keep the factors of those they were trained on until they are deleted."""
    from mgw.core.database import queries

    with project_session(current_project(ctx)) as connection:
        count = queries.adapters_delete(connection, user_id=user)
        _record(connection, Action.ADAPTER_DELETED, "adapter", user, versions=count)
    if json:
        out.json({"user_id": user, "versions": count})
    else:
        out.print(f"{counted(count, 'version')} deleted")


def _record(connection: Connection[TupleRow], action: Action, kind: str, name: str, **details: object) -> None:
    """Say in the audit trail, in the transaction of the change, what the account of this machine changed."""
    from mgw.core.audit import record
    from mgw.core.changes import Actor, Change

    record(connection, Actor.on_this_machine(), Change(action, kind, name, details))


def _required(connection: Connection[TupleRow], user: str, adapters: Adapters) -> Adapter:
    from mgw.core.errors import AdaptersMissing

    adapter = adapters.load(connection, user)
    if adapter is None:
        raise AdaptersMissing(
            f"there is no adapter of {user!r} that belongs to {adapters.name}",
            hint=f"`mgw train lora --user {user}` trains one, or says why not",
        )
    return adapter


def _tier_before(store: ModelStore, name: str, model: str) -> str:
    from mgw.core.errors import AdaptersMissing, ModelError

    names = store.names()
    for before in reversed(names[: names.index(name)]):
        try:
            if store.open(before).manifest.parameters.get("base") == model:
                return before
        except ModelError:  # a damaged one is none to go back to
            continue
    raise AdaptersMissing(
        f"there is no shared tier of {model} before {name}", hint="`mgw recommend --no-adapter`, or lora.strength: 0"
    )
