"""What every command knows: the project it runs in, loaded when a command asks for it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mgw.cli.output import out
from mgw.core.errors import AuditUnwritten, ParametersInvalid
from mgw.core.settings import load_settings, resolve_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import typer
    from psycopg import Connection
    from psycopg.rows import TupleRow
    from scipy.sparse import csr_array

    from mgw.core.artifacts import ModelStore, Snapshot
    from mgw.core.audit import Trail
    from mgw.core.changes import Action
    from mgw.core.database import Database
    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings, LoadedSettings
    from mgw.recommend.content import Encoder
    from mgw.recommend.hybrid import Hybrid
    from mgw.recommend.lora.adapters import Adapters
    from mgw.recommend.source import TrainingData
    from mgw.recommend.training import Shelf


@dataclass(frozen=True, slots=True)
class RootOptions:
    """The options that stand before the command."""

    config: Path | None


def current_project(ctx: typer.Context, **flags: object) -> LoadedSettings:
    """Load the settings of the project that the command runs in.

    Args:
        ctx: the command's context, which carries the root options.
        flags: the command's own, by dotted key with `__` for the dot; None means that the flag was not given.
    """
    options = cast("RootOptions", ctx.find_root().obj)
    overrides = {key.replace("__", "."): value for key, value in flags.items() if value is not None}
    loaded = load_settings(config=options.config, overrides=overrides)
    for warning in loaded.warnings:
        out.warn(warning)
    return loaded


def project_database(loaded: LoadedSettings) -> Database:
    """Find the project's database."""
    from mgw.core.database import Database

    return Database.of(loaded)


@contextmanager
def project_session(loaded: LoadedSettings) -> Iterator[Connection[TupleRow]]:
    """Yield a connection to the project's database, which has the whole schema, and bring to it what was noted."""
    database = project_database(loaded)
    with database.session() as connection:
        trail = project_trail(loaded)
        if trail.backlog:
            trail.flush(database.run)
        yield connection


def project_trail(loaded: LoadedSettings) -> Trail:
    """Find where changes are noted that are not made in the database."""
    from mgw.core.audit import Trail

    return Trail(resolve_path(loaded, loaded.settings.state_dir))


def note_change(
    loaded: LoadedSettings, action: Action, resource_type: str, resource_id: str, **details: object
) -> None:
    """Note for the audit trail what the account of this machine changed.

    Raises:
        AuditUnwritten: neither the disk nor the database takes it.
    """
    from mgw.core.changes import Actor, Change

    trail = project_trail(loaded)
    trail.note(Actor.on_this_machine(), Change(action, resource_type, resource_id, details))
    if trail.is_kept:
        return
    trail.flush(project_database(loaded).run)
    if not trail.is_kept:
        raise AuditUnwritten(
            f"{action} of {resource_type} {resource_id} was done, and cannot be written to the audit trail",
            hint="the disk of the project's folder takes nothing, and the database is away: `mgw status`",
        )


def title_features(
    connection: Connection[TupleRow], data: TrainingData, settings: AlsSettings
) -> csr_array[np.float32] | None:
    """Read what the catalogue says of the titles, where the settings want it."""
    from mgw.recommend.title_features import read_title_features

    return read_title_features(connection, data.events) if settings.content_features else None


def title_encoder(loaded: LoadedSettings) -> Encoder | None:
    """Load the encoder of the titles' texts, where the settings name one.

    Raises:
        ParametersInvalid: they name a model without a tokenizer, or a tokenizer without a model.
        ExtraMissing: the `tokenizers` library is not installed.
        EncoderInvalid: the model or the tokenizer cannot be used.
    """
    from mgw.recommend.content import Encoder

    settings = loaded.settings.recommend.encoder
    if settings.model is None and settings.tokenizer is None:
        return None
    if settings.model is None or settings.tokenizer is None:
        there, missing = ("tokenizer", "model") if settings.model is None else ("model", "tokenizer")
        raise ParametersInvalid(
            f"recommend.encoder has a {there} and no {missing}", hint=f"set recommend.encoder.{missing}"
        )
    paths = resolve_path(loaded, settings.model), resolve_path(loaded, settings.tokenizer)
    return Encoder.load(*paths, settings, threads=loaded.settings.threads)


def title_shelf(
    connection: Connection[TupleRow], data: TrainingData, loaded: LoadedSettings, progress: Progress
) -> Shelf:
    """Read, embed and fit what a snapshot keeps of its titles besides their factors."""
    from mgw.recommend.collaborative import ItemWeights
    from mgw.recommend.content import read_catalogue
    from mgw.recommend.context import Trends, read_device_views
    from mgw.recommend.interactions import strength_matrix
    from mgw.recommend.training import Shelf

    settings, encoder = loaded.settings, title_encoder(loaded)
    catalogue = read_catalogue(connection, data.events, settings.content, encoder=encoder, progress=progress)
    genres, _ = catalogue.field("genre")
    trends = Trends.of(data.events, genres, settings.context, read_device_views(connection))
    weights = ItemWeights.fit(strength_matrix(data.events), settings.ease)
    return Shelf(catalogue, trends, weights, None if encoder is None else encoder.name)


def project_hybrid(loaded: LoadedSettings, model: str | None = None) -> Hybrid:
    """Make what answers: a model, the one in use where it is not named, and its adapters.

    Raises:
        ModelError: there is no model, or it cannot be used.
    """
    from mgw.recommend.hybrid import Hybrid
    from mgw.recommend.lora.adapters import Adapters

    models = project_models(loaded)
    snapshot = models.current() if model is None else models.open(model)
    adapters = Adapters.in_use(project_shared_tiers(loaded), snapshot, loaded.settings.lora)
    return Hybrid(snapshot, loaded.settings, adapters)


def project_adapters(loaded: LoadedSettings) -> tuple[Snapshot, Adapters]:
    """Read the model in use and the shared tier of its adapters.

    Raises:
        ModelError: there is no model, or no shared tier for it.
    """
    from mgw.core.errors import AdaptersMissing
    from mgw.recommend.lora.adapters import Adapters

    snapshot, store = project_models(loaded).current(), project_shared_tiers(loaded)
    if store.current_name() is None:
        raise AdaptersMissing("no adapters have been trained yet", hint="run `mgw train lora`")
    return snapshot, Adapters.of(store.current(), snapshot, loaded.settings.lora)


def project_shared_tiers(loaded: LoadedSettings) -> ModelStore:
    """Find the project's shared tiers of adapters."""
    from mgw.core.artifacts import ModelStore

    return ModelStore(resolve_path(loaded, loaded.settings.state_dir) / "adapters")


def project_models(loaded: LoadedSettings) -> ModelStore:
    """Find the project's model snapshots."""
    from mgw.core.artifacts import ModelStore

    return ModelStore(resolve_path(loaded, loaded.settings.state_dir) / "models")
