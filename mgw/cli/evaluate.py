"""`mgw evaluate`: is the model better than something simple, and how sure is that?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mgw.cli.imports import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session

if TYPE_CHECKING:
    from mgw.recommend.evaluate import Estimate, Evaluation


def evaluate(
    ctx: typer.Context,
    split: Annotated[
        Literal["auto", "time", "user-time", "random"] | None,
        typer.Option(help="What is held out. [evaluate.split]"),
    ] = None,
    test_share: Annotated[
        float | None, typer.Option(help="How much is held out, 0 to 1. [evaluate.test_share]")
    ] = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", "-k", help="Length of the list; recall has its own. [evaluate.top_k]")
    ] = None,
    factors: Annotated[int | None, typer.Option(help="Of ALS. [als.factors]")] = None,
    epochs: Annotated[int | None, typer.Option(help="Of ALS. [als.epochs]")] = None,
    seed: Annotated[int | None, typer.Option(help="Of a random split and of the intervals. [evaluate.seed]")] = None,
    json: Json = False,
) -> None:
    """Measure ALS beside popularity and item-kNN.

    All three are fitted on the same events, rank the whole catalogue without the titles that a user has seen, and are
    measured on what was held out. The model in use is not touched: the one that is measured has not seen the test.
    """
    from mgw.recommend.comparison import compare_with_baselines
    from mgw.recommend.source import read_training_data

    loaded = current_project(
        ctx,
        evaluate__split=split,
        evaluate__test_share=test_share,
        evaluate__top_k=top_k,
        evaluate__seed=seed,
        als__factors=factors,
        als__epochs=epochs,
    )
    with project_session(loaded) as connection:
        data = read_training_data(connection)
    with out.progress() as progress:
        evaluation = compare_with_baselines(data.events, loaded.settings, progress)
    if json:
        out.json(evaluation.to_json())
    else:
        show_evaluation(evaluation)


def show_evaluation(evaluation: Evaluation) -> None:
    """Print the models side by side."""
    out.print(evaluation.description)
    left_out = ", ".join(
        f"{count:,} {why.replace('_', ' ')}" for why, count in evaluation.audience.left_out.items() if count
    )
    out.print(f"{len(evaluation.audience.users):,} users evaluated" + (f"; left out: {left_out}" if left_out else ""))
    out.print("")
    names = list(next(iter(evaluation.models.values())).metrics)
    out.table(
        "Mean over users, with 95 % bootstrap intervals",
        ["model", *(f">{_heading(name)}" for name in names)],
        [(model, *(_figure(found.metrics[name]) for name in names)) for model, found in evaluation.models.items()],
    )
    compared = {model: found.differences for model, found in evaluation.models.items() if found.differences}
    shared = list(next(iter(compared.values()))) if compared else []
    out.print("")
    out.table(
        f"Difference to {evaluation.baseline}, paired by user",
        ["model", *(f">{_heading(name)}" for name in shared)],
        [(model, *(_figure(found[name], sign="+") for name in shared)) for model, found in compared.items()],
    )


def _heading(metric: str) -> str:
    """Write a metric as people do: `ndcg@10` is NDCG@10, `recall@20` is Recall@20."""
    return metric.upper() if metric.startswith("ndcg") else metric.capitalize()


def _figure(estimate: Estimate, sign: str = "") -> str:
    value = f"{estimate.value:{sign}.4f}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{estimate.low:{sign}.4f}, {estimate.high:{sign}.4f}]"
