"""`mgw models`: the snapshots on the disk, and which of them is in use."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgw.cli.options import Json
from mgw.cli.output import counted, out, short
from mgw.cli.project import current_project, note_change, project_database, project_models, project_session
from mgw.core.changes import Action
from mgw.core.errors import (
    DatabaseError,
    FileUnreadable,
    ModelDamaged,
    ModelForeign,
    ModelInUse,
    ModelNotFound,
    StorageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.artifacts import ModelStore
    from mgw.core.settings import LoadedSettings

app = typer.Typer(help="List, show, choose and delete models.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="Name of the model, as `mgw models list` shows it.")]


@app.command("list")
def list_models(ctx: typer.Context, json: Json = False) -> None:
    """List the models, oldest first."""
    store = project_models(current_project(ctx))
    entries = [_entry(store, name) for name in store.names()]
    if json:
        out.json({"models": entries})
        return
    if not entries:
        out.note("no model has been trained yet: run `mgw train als`")
        return
    rows = [
        ("*" if entry["in_use"] else "", entry["name"], _moment(entry), entry.get("factors"), entry.get("events"),
         _megabytes(entry.get("size_bytes")), entry.get("problem", ""))
        for entry in entries
    ]  # fmt: skip
    out.table("Models (* in use)", ["", "name", "trained (UTC)", ">factors", ">events", ">size", "problem"], rows)


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Name of the model. Default: the one in use.")] = None,
    json: Json = False,
) -> None:
    """Show what a model was made of; its files are checked."""
    import msgspec

    store = project_models(current_project(ctx))
    snapshot = store.open(name) if name else store.current()
    snapshot.verify()
    manifest = msgspec.to_builtins(snapshot.manifest)
    if json:
        out.json(manifest)
        return
    rows: list[tuple[str, object, object]] = [(key, manifest[key], "") for key in ("name", "kind", "created_at")]
    for section in ("parameters", "data", "metrics", "versions"):
        rows += [(section, key, shown) for key, shown in _shown(manifest[section])]
    rows += [("arrays", key, f"{entry['dtype']} {entry['shape']}") for key, entry in manifest["arrays"].items()]
    out.table(f"Model {snapshot.manifest.name}", ["", "", ""], rows)


@app.command()
def use(ctx: typer.Context, name: Name, json: Json = False) -> None:
    """Take a model into use; its files are checked before."""
    loaded = current_project(ctx)
    store = project_models(loaded)
    before = store.current_name()
    store.use(name)
    note_change(loaded, Action.MODEL_PROMOTED, "model", name, before=before, after=name)
    if json:
        out.json({"model": name, "former_model": before})
    else:
        out.print(f"{name} is in use")


@app.command()
def delete(ctx: typer.Context, name: Name, json: Json = False) -> None:
    """Delete a model that is not in use.

    A variant's model is in use, too, until its experiment is over.
    """
    loaded = current_project(ctx)
    if user := _variants_by_model(loaded).get(name):
        raise ModelInUse(f"model {name} is of {user}", hint="`mgw experiment stop` or `archive` ends an experiment")
    project_models(loaded).delete(name)
    note_change(loaded, Action.MODEL_DELETED, "model", name)
    if json:
        out.json({"model": name})
    else:
        out.print(f"{name} is deleted")


@app.command()
def prune(
    ctx: typer.Context,
    keep: Annotated[int, typer.Option(min=1, help="Models to keep, the latest; the one in use beside them.")] = 3,
    json: Json = False,
) -> None:
    """Delete all but the latest models, and never one in use.

    A variant's model is in use, too, until its experiment is over.
    """
    loaded = current_project(ctx)
    store = project_models(loaded)
    old, deleted = store.published_names()[:-keep], []
    users = _variants_by_model(loaded) if old else {}
    for name in old:
        if name in users:
            out.note(f"{name} stays: it is of {users[name]}")
            continue
        with suppress(ModelInUse, ModelNotFound):  # not found: somebody else was faster
            store.delete(name)
            note_change(loaded, Action.MODEL_DELETED, "model", name)
            deleted.append(name)
    if json:
        out.json({"models": deleted})
        return
    for name in deleted:
        out.print(f"{name} is deleted")
    out.print(f"{counted(len(deleted), 'model')} deleted")


def _variants_by_model(loaded: LoadedSettings) -> dict[str, str]:
    """Return which variant names a model, in words, for each that experiments may still answer with.

    Where the database is away that is not known, and a warning says so: room on a disk may be what it lacks.
    """
    from mgw.core.database import queries

    database = project_database(loaded)
    if database.embedded is not None and database.embedded.status().version is None:
        return {}  # nothing was ever kept, and a server is not made to hear of it
    try:
        with project_session(loaded) as connection:
            rows = queries.experiments_models(connection)
    except (DatabaseError, StorageError) as error:
        out.warn(f"whether an experiment needs a model is not known: {error.message}")
        return {}
    return {row.model: f"variant {row.variant} of experiment {row.experiment}, which is {row.status}" for row in rows}


def _shown(section: dict[str, Any], above: str = "") -> Iterator[tuple[str, object]]:
    """Yield the keys of a section, those within others behind a dot, and each value as one reads it."""
    for key, value in section.items():
        if not isinstance(value, dict):
            yield above + key, value
        elif value.keys() == {"value", "low", "high"}:
            yield above + key, _figure(**value)
        else:
            yield from _shown(value, f"{above}{key}.")


def _figure(value: float, low: float | None, high: float | None) -> str:
    return short(value) if low is None or high is None else f"{short(value)} ({short(low)} to {short(high)})"


def _moment(entry: dict[str, object]) -> datetime | None:
    return datetime.fromisoformat(str(entry["created_at"])) if "created_at" in entry else None


def _megabytes(size_bytes: object) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if isinstance(size_bytes, int) else ""


def _entry(store: ModelStore, name: str) -> dict[str, object]:
    entry: dict[str, object] = {"name": name, "in_use": name == store.current_name()}
    try:
        snapshot = store.open(name)
        size_bytes = snapshot.size_bytes
    except (ModelDamaged, ModelForeign, ModelNotFound, FileUnreadable) as error:  # not found: deleted meanwhile
        return {**entry, "problem": error.message}
    manifest = snapshot.manifest
    return {
        **entry,
        "kind": manifest.kind,
        "created_at": manifest.created_at.isoformat(),
        "factors": manifest.parameters.get("factors"),
        "events": manifest.data.get("events"),
        "size_bytes": size_bytes,
    }
