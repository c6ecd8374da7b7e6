"""`mgw evaluate`: is the model better than something simple, and how sure is that?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mgw.cli.given import GivenEncoding, read_given, refuse_beside_files, require_both
from mgw.cli.imports import Map
from mgw.cli.options import Json
from mgw.cli.output import out, short
from mgw.cli.project import current_project, project_session, title_encoder, title_features
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from psycopg import Connection
    from psycopg.rows import TupleRow
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress
    from mgw.core.settings import LoadedSettings
    from mgw.recommend.evaluate import Estimate, Evaluation
    from mgw.recommend.offline import Scored
    from mgw.recommend.split import Split


def evaluate(
    ctx: typer.Context,
    what: Annotated[
        Literal["als", "lora"], typer.Argument(help="als, beside other models; lora, adapters beside none.")
    ] = "als",
    split: Annotated[
        Literal["auto", "time", "user-time", "random", "cold-users", "cold-items"] | None,
        typer.Option(help="What is held out. [evaluate.split]"),
    ] = None,
    test_share: Annotated[
        float | None, typer.Option(help="How much is held out, 0 to 1. [evaluate.test_share]")
    ] = None,
    leave_out: Annotated[
        int | None, typer.Option(min=1, help="How many of each user's titles instead. [evaluate.leave_out]")
    ] = None,
    known: Annotated[
        int | None,
        typer.Option(min=0, help="How many titles of a new user are told, for --split cold-users. [evaluate.known]"),
    ] = None,
    top_k: Annotated[
        int | None,
        typer.Option("--top-k", "-k", min=1, help="Length of the list; recall has its own. [evaluate.top_k]"),
    ] = None,
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Events to learn from, instead of the database; with --test.")
    ] = None,
    test: Annotated[Path | None, typer.Option(metavar="FILE", help="Events to find; with --train.")] = None,
    columns: Map = None,
    encoding: GivenEncoding = None,
    factors: Annotated[int | None, typer.Option(help="Length of ALS's vectors. [als.factors]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes of ALS over the data. [als.epochs]")] = None,
    pipeline: Annotated[
        bool,
        typer.Option("--pipeline", help="Measure the hybrid pipeline: each source, the blend, and it without each."),
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write one HTML page, with tables and plots.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of a random split and of the intervals. [evaluate.seed]")] = None,
    json: Json = False,
) -> None:
    """Measure ALS beside popularity, item-kNN, RP3β and EASE.

    All are fitted on the same events, rank the whole catalogue without the titles that a user has seen, and are
    measured on what was held out. ALS alone also reads the catalogue, for titles that nobody has watched. The model in
    use is not touched: the one that is measured has not seen the test. A split that was made elsewhere is given as two
    files like those of `mgw import events`.

    `mgw evaluate lora` measures the blend with adapters, by how many titles users like, beside the blend without, with
    other users' adapters, and with what could do the same.
    """
    from mgw.recommend.comparison import compare_with_baselines, write_report

    require_both("--train", train, "--test", test)
    refuse_beside_files(train, columns, encoding, split=split, test_share=test_share, leave_out=leave_out, known=known)
    loaded = current_project(
        ctx,
        evaluate__split=split,
        evaluate__test_share=test_share,
        evaluate__leave_out=leave_out,
        evaluate__known=known,
        evaluate__top_k=top_k,
        evaluate__seed=seed,
        als__factors=factors,
        als__epochs=epochs,
    )
    if what == "lora":
        if pipeline or train is not None or html is not None:
            raise UsageInvalid(
                "`mgw evaluate lora` is for the database, without --pipeline or --html", hint="leave the other out"
            )
        _evaluate_lora(loaded, json=json)
        return
    if pipeline:
        if train is not None or html is not None:
            raise UsageInvalid("--pipeline is for the database, without --html", hint="leave the other out")
        _evaluate_pipeline(loaded, json=json)
        return
    features = None
    if train is not None and test is not None:
        found = read_given(train, test, columns, encoding)
    else:
        found, features = _from_database(loaded)
    with out.progress() as progress:
        evaluation = compare_with_baselines(found, loaded.settings, progress, features)
        if html is not None:
            write_report(html, evaluation, found, loaded.settings, progress)
    if json:
        out.json(evaluation.to_json())
    else:
        show_evaluation(evaluation)


def _evaluate_pipeline(loaded: LoadedSettings, *, json: bool) -> None:
    from mgw.recommend.evaluate import evaluate as measure
    from mgw.recommend.offline import ablations

    settings = loaded.settings
    with project_session(loaded) as connection, out.progress() as progress:
        scored, split = _score(loaded, connection, progress)
        evaluation = measure(ablations(scored, settings), split, settings.evaluate, progress, baseline="blend")
    if json:
        out.json(evaluation.to_json())
        return
    out.print(evaluation.description)
    out.print(f"{len(evaluation.audience.users):,} users evaluated")
    out.print("")
    ndcg, recall, coverage = (f"ndcg@{settings.evaluate.top_k}", f"recall@{settings.evaluate.recall_k}",
                              f"coverage@{settings.evaluate.top_k}")  # fmt: skip
    rows = [
        (
            name, _figure(found.metrics[ndcg], ""), _signed(found.differences, ndcg),
            _figure(found.metrics[recall], ""), _figure(found.metrics[coverage], ""),
        )
        for name, found in evaluation.models.items()
    ]  # fmt: skip
    columns = ["", f">{ndcg}", ">difference to the blend", f">{recall}", f">{coverage}"]
    out.table("Mean over users ± half of the 95 % bootstrap interval; differences paired by user", columns, rows)


def _score(loaded: LoadedSettings, connection: Connection[TupleRow], progress: Progress) -> tuple[Scored, Split]:
    from mgw.recommend.offline import score_database
    from mgw.recommend.split import choose_split

    settings = loaded.settings
    return score_database(
        connection,
        settings,
        lambda events: choose_split(events, settings.evaluate),
        progress,
        encoder=title_encoder(loaded),
    )


def _evaluate_lora(loaded: LoadedSettings, *, json: bool) -> None:
    from mgw.recommend.lora.proof import prove

    settings = loaded.settings
    with project_session(loaded) as connection, out.progress() as progress:
        scored, split = _score(loaded, connection, progress)
        proof = prove(scored, split, settings, progress)
    if json:
        out.json(proof.to_json())
        return
    out.print(proof.description)
    out.print(f"rank {proof.rank}; held-out titles speak for the adapters of {proof.supported:.0%} of the users")
    for metric in proof.metrics:
        rows = [
            (model, *(_figure(group.values[model][metric], "") for group in proof.groups))
            for model in proof.groups[0].values
        ]
        gains = [
            (model, *(_figure(group.gains[model][metric], "+") for group in proof.groups))
            for model in proof.groups[0].gains
        ]
        columns = ["", *(f">{group.name} ({group.users:,})" for group in proof.groups)]
        out.print("")
        out.table(f"{metric} by liked titles (users) ± half of the 95 % bootstrap interval", columns, rows)
        out.table("What the adapter has more than each, paired by user", columns, gains)


def _signed(differences: Mapping[str, Estimate] | None, metric: str) -> str:
    return "" if differences is None else _figure(differences[metric], "+")


def _from_database(loaded: LoadedSettings) -> tuple[Split, csr_array[np.float32] | None]:
    from mgw.recommend.source import read_training_data
    from mgw.recommend.split import choose_split

    with project_session(loaded) as connection:
        data = read_training_data(connection)
        features = title_features(connection, data, loaded.settings.als)
    return choose_split(data.events, loaded.settings.evaluate), features


def show_evaluation(evaluation: Evaluation) -> None:
    """Print the models side by side."""
    out.print(evaluation.description)
    left_out = ", ".join(
        f"{count:,} {why.replace('_', ' ')}" for why, count in evaluation.audience.left_out.items() if count
    )
    out.print(f"{len(evaluation.audience.users):,} users evaluated" + (f"; left out: {left_out}" if left_out else ""))
    out.print("")
    metrics = {model: found.metrics for model, found in evaluation.models.items()}
    _table("Mean over users ± half of the 95 % bootstrap interval", metrics)
    if "item-kNN" in evaluation.models and "EASE" not in evaluation.models:
        out.note("EASE is left out: it needs a matrix of titles by titles, which is too large here")
    differences = {model: found.differences for model, found in evaluation.models.items() if found.differences}
    if differences:
        out.print("")
        _table(f"Difference to {evaluation.baseline}, paired by user", differences, sign="+")


def _table(title: str, models: Mapping[str, Mapping[str, Estimate]], sign: str = "") -> None:
    """Print a row for each metric and a column for each model."""
    from mgw.recommend.report import heading

    metrics = next(iter(models.values()))
    rows = [(heading(metric), *(_figure(found[metric], sign) for found in models.values())) for metric in metrics]
    out.table(title, ["", *(f">{model}" for model in models)], rows)


def _figure(estimate: Estimate, sign: str) -> str:
    """Write a figure and half of its interval, without zeros before the points, so that five fit beside each other."""
    value = short(estimate.value, sign)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ±{short((estimate.high - estimate.low) / 2)}"
