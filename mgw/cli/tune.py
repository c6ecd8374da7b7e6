"""`mgw tune`: good parameters, by trying."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.given import GivenEncoding, read_given, refuse_beside_files, require_both
from mgw.cli.imports import Map
from mgw.cli.options import Json, Threads
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session, title_encoder

if TYPE_CHECKING:
    from mgw.core.settings import AlsSettings, LoadedSettings
    from mgw.recommend.tuning import Pairs, Tuned

app = typer.Typer(help="Find good parameters.", no_args_is_help=True, rich_markup_mode=None)
TUNED = "regularization", "regularization_exponent", "unobserved_weight", "activity_exponent", "factors", "epochs"


@app.callback()
def tune() -> None:
    """Find good parameters."""


@app.command()
def als(
    ctx: typer.Context,
    trials: Annotated[int, typer.Option(min=1, help="How many trials, those of an earlier run counted.")] = 30,
    factors: Annotated[
        list[int] | None, typer.Option(min=1, help="Lengths of vectors to choose from; may be repeated. [als.factors]")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="The most that a trial has. [als.epochs]")] = None,
    train: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Events to learn from, instead of the database; with --validation."),
    ] = None,
    validation: Annotated[Path | None, typer.Option(metavar="FILE", help="Events to find; with --train.")] = None,
    columns: Map = None,
    encoding: GivenEncoding = None,
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write the best configuration to.")] = Path(
        "als-tuned.yaml"
    ),
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Try parameters of ALS and write the best to a file.

    What `mgw evaluate` would hold out as its test is left aside; of the rest, a part is held out the same way, and
    trials are measured by NDCG on that. A poor trial is given up early. Trials are kept: run it again, with more of
    them perhaps, and it goes on.
    """
    from mgw.core.files import write_atomic
    from mgw.core.settings import resolve_path
    from mgw.recommend.tuning import pairs_of, tune_als

    require_both("--train", train, "--validation", validation)
    refuse_beside_files(train, columns, encoding)
    loaded = current_project(ctx, als__epochs=epochs, threads=threads)
    settings = loaded.settings
    if train is not None and validation is not None:
        given = read_given(train, validation, columns, encoding)
        pairs, description = pairs_of(given), given.description
    else:
        pairs, description = _from_database(loaded)
    if not json:
        out.print(description)

    def tell(number: int, ndcg: float, tried: AlsSettings) -> None:
        out.note(f"trial {number + 1}: NDCG@{settings.evaluate.top_k} {ndcg:.4f} with {_parameters(tried)}")

    with out.progress() as progress:
        tuned = tune_als(
            pairs,
            settings.als,
            trials=trials,
            factors=tuple(factors or [settings.als.factors]),
            top_k=settings.evaluate.top_k,
            journal=resolve_path(loaded, settings.state_dir) / "tuning" / "als.jsonl",
            threads=settings.threads,
            progress=progress,
            on_trial=tell,
        )
    write_atomic(to, _yaml(tuned, settings.evaluate.top_k).encode())
    if json:
        best = {key: getattr(tuned.settings, key) for key in TUNED}
        out.json({"file": str(to), "ndcg": tuned.ndcg, "trials": tuned.trials, "parameters": best})
    else:
        out.print(
            f"the best of {tuned.trials} trials, {tuned.given_up} of them given up early:"
            f" NDCG@{settings.evaluate.top_k} {tuned.ndcg:.4f} with {_parameters(tuned.settings)}"
        )
        out.print(f"written to {to}: put it into your configuration, then `mgw evaluate` and `mgw train als`")


@app.command()
def blend(
    ctx: typer.Context,
    trials: Annotated[int, typer.Option(min=1, help="How many weightings to try.")] = 100,
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write the best configuration to.")] = Path(
        "blend-tuned.yaml"
    ),
    json: Json = False,
) -> None:
    """Find weights of the four sources and write the best to a file.

    As for `tune als`: the test is left aside, a part of the rest is held out, and weightings are measured by NDCG on
    that. All sources are asked once; then a weighting takes a moment.
    """
    from mgw.core.files import write_atomic
    from mgw.recommend.blend_tuning import tune_blend
    from mgw.recommend.offline import score_database
    from mgw.recommend.tuning import validation_split

    loaded = current_project(ctx)
    settings = loaded.settings
    with project_session(loaded) as connection, out.progress() as progress:
        scored, split = score_database(
            connection,
            settings,
            lambda events: validation_split(events, settings.evaluate),
            progress,
            encoder=title_encoder(loaded),
        )
        found = tune_blend(
            scored, split, trials=trials, top_k=settings.evaluate.top_k, seed=settings.evaluate.seed, progress=progress
        )
    if not json:
        out.print(f"The test is left aside. Of the rest: {split.description}")
    lines = [f"  {source}: {weight:.4g}" for source, weight in found.weights.items()]
    metric = f"NDCG@{settings.evaluate.top_k}"
    head = f"# The best of {trials} weightings of `mgw tune blend`: {metric} {found.ndcg:.4f} on validation pairs."
    write_atomic(to, "\n".join([head, "blend:", *lines, ""]).encode())
    if json:
        out.json(
            {"file": str(to), "ndcg": found.ndcg, "alone": found.alone, "trials": trials, "weights": found.weights}
        )
        return
    rows = [(source, f"{found.weights[source]:.3f}", f"{found.alone[source]:.4f}") for source in found.weights]
    out.table(f"The blend has {metric} {found.ndcg:.4f}", ["source", ">weight", ">alone"], rows)
    out.print(f"written to {to}: put it into your configuration, then `mgw evaluate --pipeline`")


def _from_database(loaded: LoadedSettings) -> tuple[Pairs, str]:
    from mgw.recommend.source import read_training_data
    from mgw.recommend.tuning import split_for_tuning

    with project_session(loaded) as connection:
        data = read_training_data(connection)
    return split_for_tuning(data.events, loaded.settings.evaluate)


def _parameters(settings: AlsSettings) -> str:
    return ", ".join(f"{key} {getattr(settings, key):.4g}" for key in TUNED)


def _yaml(tuned: Tuned, top_k: int) -> str:
    lines = [f"  {key}: {getattr(tuned.settings, key):.4g}" for key in TUNED]
    head = f"# The best of {tuned.trials} trials of `mgw tune als`: NDCG@{top_k} {tuned.ndcg:.4f} on validation pairs."
    return "\n".join([head, "als:", *lines, ""])
