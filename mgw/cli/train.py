"""`mgw train`: models from viewing events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_models, project_session, project_shared_tiers, title_shelf
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_array

    from mgw.core.artifacts import Snapshot
    from mgw.core.progress import Progress
    from mgw.core.settings import LoadedSettings
    from mgw.recommend.source import TrainingData
    from mgw.recommend.training import Shelf

app = typer.Typer(help="Train models.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def train() -> None:
    """Train models."""


@app.command()
def als(
    ctx: typer.Context,
    factors: Annotated[int | None, typer.Option(help="Length of each user's and title's vector. [als.factors]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data. [als.epochs]")] = None,
    regularization: Annotated[float | None, typer.Option(help="λ. [als.regularization]")] = None,
    unobserved_weight: Annotated[float | None, typer.Option(help="α0. [als.unobserved_weight]")] = None,
    seed: Annotated[int | None, typer.Option(help="One seed gives one model. [als.seed]")] = None,
    threads: Annotated[int | None, typer.Option(help="0 is one for each CPU. [threads]")] = None,
    engine: Annotated[
        Literal["local", "spark"], typer.Option(help="Train here, or on Apache Spark (`pip install 'mgw[spark]'`).")
    ] = "local",
    spark_master: Annotated[
        str | None, typer.Option(help="With --engine spark: the cluster, or local[*]. [spark.master]")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from where this training, of the same data, was cut short.")
    ] = False,
    evaluate: Annotated[
        bool, typer.Option("--evaluate", help="Measure these parameters first, and keep the figures with the model.")
    ] = False,
    json: Json = False,
) -> None:
    """Train implicit-feedback ALS on all viewing events and take the model into use.

    The model is published as a snapshot in one step: a training that is interrupted leaves the model before it. How far
    it came is kept every few seconds; --resume goes on from there, and ends with the same bits.
    """
    from mgw.recommend.source import read_training_data

    if engine == "spark" and resume:
        raise UsageInvalid(
            "--resume is not for --engine spark: Spark's ALS cannot begin from factors",
            hint="without --resume it begins anew",
        )
    if engine == "local" and spark_master is not None:
        raise UsageInvalid("--spark-master is for --engine spark", hint="add --engine spark")
    loaded = current_project(
        ctx,
        als__factors=factors,
        als__epochs=epochs,
        als__regularization=regularization,
        als__unobserved_weight=unobserved_weight,
        als__seed=seed,
        threads=threads,
        spark__master=spark_master,
    )
    began = time.perf_counter()
    with project_session(loaded) as connection, out.progress() as progress:
        data = read_training_data(connection)
        shelf = title_shelf(connection, data, loaded, progress)
        features = shelf.catalogue.features if loaded.settings.als.content_features else None
    with out.progress() as progress:
        if engine == "spark":
            snapshot = _train_on_spark(loaded, data, features, shelf, progress, evaluate=evaluate)
        else:
            snapshot = _train_here(loaded, data, features, shelf, progress, evaluate=evaluate, resume=resume)
    show_training(snapshot, time.perf_counter() - began, json=json)


def _train_here(
    loaded: LoadedSettings,
    data: TrainingData,
    features: csr_array[np.float32] | None,
    shelf: Shelf,
    progress: Progress,
    *,
    evaluate: bool,
    resume: bool,
) -> Snapshot:
    from mgw.core.settings import resolve_path
    from mgw.recommend.comparison import measured_als
    from mgw.recommend.training import train_als

    settings = loaded.settings
    return train_als(
        data,
        project_models(loaded),
        settings.als,
        threads=settings.threads,
        progress=progress,
        features=features,
        shelf=shelf,
        measured=measured_als(data.events, settings, progress, features) if evaluate else None,
        checkpoints=resolve_path(loaded, settings.state_dir) / "checkpoints" / "als",
        on_resumed=_tell_resumed if resume else None,
    )


def _train_on_spark(
    loaded: LoadedSettings,
    data: TrainingData,
    features: csr_array[np.float32] | None,
    shelf: Shelf,
    progress: Progress,
    *,
    evaluate: bool,
) -> Snapshot:
    from mgw.recommend.comparison import measured_als
    from mgw.recommend.spark import fit_on_spark
    from mgw.recommend.training import train_on_spark

    settings = loaded.settings
    measured = None
    if evaluate:
        measured = measured_als(
            data.events,
            settings,
            progress,
            features,
            lambda matrix: fit_on_spark(
                matrix, settings.als, settings.spark, threads=settings.threads, progress=progress
            ),
        )
    return train_on_spark(
        data,
        project_models(loaded),
        settings.als,
        settings.spark,
        threads=settings.threads,
        progress=progress,
        features=features,
        shelf=shelf,
        measured=measured,
    )


def _tell_resumed(epoch: int) -> None:
    out.note(f"going on after epoch {epoch}" if epoch else "nothing was kept of such a training: it begins anew")


def show_training(snapshot: Snapshot, seconds: float, *, json: bool) -> None:
    """Print what was trained."""
    manifest = snapshot.manifest
    if json:
        out.json({"model": manifest.name, "data": manifest.data, "parameters": manifest.parameters, "seconds": seconds})
        return
    data = manifest.data
    out.print(
        f"model {manifest.name}: {manifest.parameters['factors']} factors from {data['events']:,} events by"
        f" {data['users']:,} users on {data['content']:,} titles, in {seconds:.1f} s"
    )


@app.command()
def lora(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Option(help="Train this user alone, by the shared tier that there is.")] = None,
    rank: Annotated[int | None, typer.Option(help="Directions that all users share. [lora.rank]")] = None,
    threads: Annotated[int | None, typer.Option(help="0 is one for each CPU. [threads]")] = None,
    json: Json = False,
) -> None:
    """Train adapters on top of the model in use: what each user's latest titles change.

    What all users share is learnt first, and adapters are stored of those users whom held-out titles speak for.
    `mgw evaluate lora` measures what they are worth. Recommendations do not use them yet.
    """
    loaded = current_project(ctx, lora__rank=rank, threads=threads)
    began = time.perf_counter()
    if user is not None:
        if rank is not None:
            raise UsageInvalid("--rank is of the shared tier, which --user takes as it is", hint="leave it out")
        _train_user(loaded, user, began, json=json)
        return
    from mgw.recommend.lora.training import train_lora
    from mgw.recommend.source import read_training_data

    snapshot = project_models(loaded).current()
    with project_session(loaded) as connection, out.progress() as progress:
        data = read_training_data(connection)
        connection.commit()
        store = project_shared_tiers(loaded)
        trained = train_lora(connection, data, snapshot, store, settings=loaded.settings, progress=progress)
    seconds = time.perf_counter() - began
    if json:
        out.json(
            {
                "shared_tier": trained.shared, "model": trained.base, "adapters": trained.stored,
                "skipped": trained.skipped, "groups": trained.groups, "seconds": seconds,
            }
        )  # fmt: skip
        return
    out.print(f"{trained.stored:,} adapters for the model {trained.base}, in {seconds:.1f} s")
    for why, count in trained.skipped.items():
        out.print(f"{count:,} users have none: {why}")
    rows = [
        (name, found["users"], f"{found['gain']:+.4f}", found["adapters"]) for name, found in trained.groups.items()
    ]
    out.print("")
    out.table(
        "Gain: share of titles that rank below a held-out one, with adapters less without",
        ["liked titles", ">users", ">mean gain", ">adapters"],
        rows,
    )


def _train_user(loaded: LoadedSettings, user: str, began: float, *, json: bool) -> None:
    from mgw.core.errors import NoEvents, UserUnknown
    from mgw.recommend.history import read_history
    from mgw.recommend.lora.store import Adapter, load_adapter, save_adapters
    from mgw.recommend.lora.training import fit_history, is_supported, shared_tier

    snapshot, published = project_models(loaded).current(), project_shared_tiers(loaded).current()
    shared = shared_tier(published, snapshot)
    columns = {name.decode(): column for column, name in enumerate(snapshot.array("content_ids").tolist())}
    settings, name = loaded.settings.lora, published.manifest.name
    with project_session(loaded) as connection:
        history = read_history(connection, user)
        if not history.user_exists:
            raise UserUnknown(f"there is no user {user!r}", hint="the id is the one that was imported")
        weights, events = fit_history(shared, history, columns, settings)
        if not is_supported(published, events):
            raise NoEvents(
                f"adapters of users with {events} titles are not used: held-out titles do not speak for them",
                hint="`mgw train lora` measures that anew",
            )
        connection.commit()
        save_adapters(connection, name, [Adapter(user, weights, events)], keep=settings.keep)
        stored = load_adapter(connection, user, name, rank=weights.shape[1])
    version = stored.version if stored is not None else 0
    seconds = time.perf_counter() - began
    if json:
        out.json({"user_id": user, "version": version, "events_used": events, "seconds": seconds})
        return
    out.print(f"user {user}: version {version} from {events:,} titles, in {seconds:.1f} s")
