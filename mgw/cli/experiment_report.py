"""`mgw experiment report` and `guard`: what is known of an experiment, and whether it does harm."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.options import TIME, ExperimentName, Json, moment_of
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session

if TYPE_CHECKING:
    from mgw.experiments.comparison import Comparison
    from mgw.experiments.definition import Metric
    from mgw.experiments.preference import Preference
    from mgw.experiments.report import MetricReport, Report

_LOOKS = 30
_METHODS = {
    "sequential": "intervals hold at every look",
    "fixed": "intervals hold for one look, at the planned number of users",
    "bayesian": "intervals are what to believe after the data",
}


def report(
    ctx: typer.Context,
    name: ExperimentName,
    at: Annotated[str | None, typer.Option(metavar=TIME, help="As it was then: ISO 8601. Default: now.")] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write one HTML page, with the lift over time.", dir_okay=False),
    ] = None,
    json: Json = False,
) -> None:
    """Report on an experiment: who is in it, each metric of each variant, and what follows.

    It may be looked at as often as one likes, unless the definition chose a fixed horizon.
    """
    import msgspec

    from mgw.experiments.documents import report_document
    from mgw.experiments.measure import Look
    from mgw.experiments.report import make_report
    from mgw.experiments.store import load_experiment

    until = datetime.now(UTC) if at is None else moment_of(at, "--at")
    with project_session(current_project(ctx)) as connection:
        look = Look(connection, load_experiment(connection, name), until)
        made = make_report(look)
        if html is not None:
            from mgw.experiments.page import write_page

            write_page(html, look, made, looks=_LOOKS)
            out.note(f"{html} has the report")
    if json:
        out.json(msgspec.to_builtins(report_document(made)))
    else:
        _show(made)


def guard(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Name of the experiment. Default: every running one.")] = None,
    pause: Annotated[bool, typer.Option("--pause", help="Pause an experiment that does harm.")] = False,
    json: Json = False,
) -> None:
    """Say whether a guardrail is broken, or the variants do not have their shares of users.

    The service does the same of its own accord for experiments with `pause_on_harm`. Exit code 1 if one does harm.
    """
    from mgw.core.audit import Actor
    from mgw.experiments.guard import guard_experiments

    with project_session(current_project(ctx)) as connection:
        found = guard_experiments(
            connection, datetime.now(UTC), Actor.on_this_machine(), only=name, pause=lambda _definition: pause
        )
    if json:
        experiments = [{"name": each.name, "harm": each.harm, "paused": each.paused} for each in found]
        out.json({"experiments": experiments})
    for each in found:
        if each.harm is None:
            if not json:
                out.print(f"{each.name}: no harm found")
        elif not json:
            out.print(f"{each.name}: {each.harm}" + (" It is paused." if each.paused else ""))
    if any(each.harm for each in found):
        raise typer.Exit(1)


def _show(made: Report) -> None:
    definition = made.experiment.definition
    names = [variant.name for variant in definition.variants]
    out.print(f"{made.experiment.name} is {made.experiment.status}; {_METHODS[definition.analysis.method]}")
    if made.preference is not None:
        _show_preference(made.preference, made.advice.sentence)
        return
    total = sum(made.audience.users)
    expected = made.experiment.phases[-1].weights if made.experiment.phases else tuple(definition.weights)
    out.table(
        "Users",
        ["variant", ">users", ">share", ">weight"],
        [(name, f"{users:,}", f"{users / total:.1%}" if total else "", f"{weight:.1%}")
         for name, users, weight in zip(names, made.audience.users, expected, strict=True)],
    )  # fmt: skip
    if made.shares_p_value is not None:
        out.print(f"shares as they should be: p = {made.shares_p_value:.3g}")
    for found in made.metrics:
        _show_metric(found, names)
    for event, (without, before) in made.audience.uncounted.items():
        out.note(f"{event}: not counted are {without:,} without exposure and {before:,} before it")
    if made.audience.mixed:
        out.note(f"left out: {made.audience.mixed:,} users who were met in two variants")
    out.print(made.advice.sentence)


def _show_preference(found: Preference, sentence: str) -> None:
    interval = "" if found.interval is None else f"{found.interval.low:+.3f} to {found.interval.high:+.3f}"
    out.table(
        "Preference: -1 is all for the control, +1 all for the other",
        [">users", ">who watched of it", ">mean credit", "interval", ">p"],
        [(f"{found.users:,}", f"{found.with_credit:,}",
          "" if found.interval is None else f"{found.interval.estimate:+.3f}", interval,
          "" if found.p_value is None else f"{found.p_value:.3g}")],
    )  # fmt: skip
    out.print(sentence)


def _show_metric(found: MetricReport, names: list[str]) -> None:
    rows = [(names[0], _number(found.values[0]), "", "", "", "")]
    rows += [
        (name, _number(value), *_cells(found.metric, each))
        for name, value, each in zip(names[1:], found.values[1:], found.comparisons, strict=True)
    ]
    title = found.metric.name + (" (guardrail)" if found.metric.guardrail else "")
    out.table(title, ["variant", f">{_unit(found.metric)}", ">lift", "interval", ">p", ">chance to win"], rows)
    for name, each in zip(names[1:], found.comparisons, strict=True):
        if each.problem is not None:
            out.note(f"{found.metric.name}, {name}: {each.problem}")


def _cells(metric: Metric, each: Comparison) -> tuple[str, str, str, str]:
    if each.difference is None:
        return "", "", "", ""
    if each.lift is not None:
        lift, interval = f"{each.lift.estimate:+.2%}", f"{each.lift.low:+.2%} to {each.lift.high:+.2%}"
    else:
        lift = ""
        interval = f"{each.difference.low:+.4g} to {each.difference.high:+.4g} (difference)"
    p = each.p_value if metric.guardrail or each.adjusted_p_value is None else each.adjusted_p_value
    chance = "" if each.chance_to_win is None else f"{each.chance_to_win:.1%}"
    return lift, interval, "" if p is None else f"{p:.3g}", chance


def _unit(metric: Metric) -> str:
    if metric.quantile is not None:
        return f"quantile {metric.quantile:g}"
    return {"binary": "rate", "count": "per user", "mean": "per user", "ratio": "ratio"}[metric.kind]


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
