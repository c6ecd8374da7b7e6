"""`mgw train`: models from viewing events."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mgw.cli.options import Json, Threads
from mgw.cli.output import out
from mgw.cli.project import (
    current_project,
    note_change,
    project_models,
    project_session,
    project_shared_tiers,
    title_shelf,
)
from mgw.cli.train_lora import lora
from mgw.core.changes import Action
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


app.command(short_help="Train adapters of users on top of the model in use.")(lora)


@app.command(short_help="Train ALS on all viewing events; take the model into use.")
def als(
    ctx: typer.Context,
    factors: Annotated[int | None, typer.Option(help="Length of each user's and title's vector. [als.factors]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the data. [als.epochs]")] = None,
    regularization: Annotated[
        float | None, typer.Option(help="Weight λ of the regularization. [als.regularization]")
    ] = None,
    unobserved_weight: Annotated[
        float | None, typer.Option(help="Weight α0 of what was not watched. [als.unobserved_weight]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="One seed gives one model. [als.seed]")] = None,
    threads: Threads = None,
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
    from mgw.core.settings import resolve_path
    from mgw.recommend.source import read_training_data
    from mgw.recommend.training_counts import counted

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
    with counted(resolve_path(loaded, loaded.settings.state_dir), "als"):
        with project_session(loaded) as connection, out.progress() as progress:
            data = read_training_data(connection)
            shelf = title_shelf(connection, data, loaded, progress)
            features = shelf.catalogue.features if loaded.settings.als.content_features else None
        before = project_models(loaded).current_name()
        with out.progress() as progress:
            if engine == "spark":
                snapshot = _train_on_spark(loaded, data, features, shelf, progress, evaluate=evaluate)
            else:
                snapshot = _train_here(loaded, data, features, shelf, progress, evaluate=evaluate, resume=resume)
    name = snapshot.manifest.name
    fingerprint = snapshot.manifest.data.get("fingerprint")
    note_change(loaded, Action.MODEL_TRAINED, "model", name, before=before, after=name, data=fingerprint)
    show_training(snapshot, time.perf_counter() - began, json=json)
    if project_shared_tiers(loaded).current_name() is not None and loaded.settings.lora.strength > 0:
        out.note("the adapters are of the model before, and none are used: `mgw train lora` trains new ones")


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
        found = {"model": manifest.name, "data": manifest.data, "parameters": manifest.parameters}
        out.json({**found, "duration_s": seconds})
        return
    data = manifest.data
    out.print(
        f"model {manifest.name}: {manifest.parameters['factors']} factors from {data['events']:,} events by"
        f" {data['users']:,} users on {data['content']:,} titles, in {seconds:.1f} s"
    )
