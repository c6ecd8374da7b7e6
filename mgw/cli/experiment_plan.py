"""`mgw experiment plan` and `simulate`: how long it takes, and what the settings do on the users of the past."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgw.cli.options import TIME, Json, moment_of
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session
from mgw.core.errors import ExperimentUnknown, UsageInvalid

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.experiments.definition import Definition, Metric
    from mgw.experiments.duration import Baseline
    from mgw.experiments.history import History
    from mgw.experiments.simulation import Simulated

Which = Annotated[str, typer.Argument(help="Name of an experiment, or its YAML file.")]
MetricName = Annotated[str | None, typer.Option("--metric", help="Which metric. Default: the first.")]
Days = Annotated[float, typer.Option(min=0.01, help="How many days of the past to look at.")]
Until = Annotated[
    str | None, typer.Option(metavar=TIME, help="Their end: ISO 8601, or how long ago. Default: what was watched last.")
]
_WEEKS = (1, 2, 3, 4, 6, 8)


def plan(
    ctx: typer.Context,
    which: Which,
    metric: MetricName = None,
    lift: Annotated[
        float | None, typer.Option(help="The lift that is worth finding, 0.02 for 2 %. [analysis.minimum_effect]")
    ] = None,
    days: Days = 28.0,
    until: Until = None,
    mean: Annotated[float | None, typer.Option(help="Mean of the metric, in place of the past; with --sd.")] = None,
    sd: Annotated[float | None, typer.Option(help="Standard deviation over users, in place of the past.")] = None,
    users_per_day: Annotated[
        float | None, typer.Option(help="Users a day who come for the first time, in place of the past.")
    ] = None,
    json: Json = False,
) -> None:
    """Say how many users and days an experiment takes, and what it can find by when."""
    from mgw.experiments.comparison import Method
    from mgw.experiments.duration import Baseline, detectable_lift, users_for

    if (mean is None) != (sd is None):
        raise UsageInvalid("--mean and --sd belong together")
    loaded = current_project(ctx)
    with project_session(loaded) as connection:
        definition = _definition(connection, which)
        chosen = _metric(definition, metric)
        if mean is not None and sd is not None:
            if users_per_day is None:
                raise UsageInvalid("--mean and --sd take --users-per-day")
            baseline = Baseline(mean, sd * sd, users_per_day)
        else:
            history = _history(connection, chosen, days, until)
            baseline = _baseline(history, chosen, users_per_day)
    method, power = Method.of(definition), definition.analysis.power
    daily = baseline.users_per_day * _share(definition) / len(definition.variants)
    wanted = lift or definition.analysis.minimum_effect
    found: dict[str, Any] = {
        "metric": chosen.name,
        "mean": baseline.mean,
        "sd": baseline.variance**0.5,
        "users_per_day": baseline.users_per_day,
        "users_per_variant_and_day": daily,
        "method": method.kind,
        "alpha": method.alpha,
        "power": power,
    }
    if wanted is not None:
        needed = users_for(baseline, wanted, method, power)
        found["lift"], found["users_per_variant"], found["days"] = wanted, needed, needed / daily if daily else None
    found["detectable"] = [
        {"weeks": weeks, "users_per_variant": n, "lift": detectable_lift(baseline, n, method, power)}
        for weeks in _WEEKS
        if (n := int(7 * weeks * daily)) >= 2
    ]
    if json:
        out.json(found)
    else:
        _show_plan(found)


def simulate(
    ctx: typer.Context,
    which: Which,
    metric: MetricName = None,
    lift: Annotated[
        float | None, typer.Option(help="What the treatment does, 0.02 for 2 %. [analysis.minimum_effect, else 0.05]")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="How many experiments without an effect, and as many with.")] = 1_000,
    looks: Annotated[int, typer.Option(min=1, help="How often each is looked at.")] = 30,
    users: Annotated[
        int | None, typer.Option(min=4, help="Users of each, drawn with replacement. Default: all of the past once.")
    ] = None,
    days: Days = 28.0,
    until: Until = None,
    seed: Annotated[int, typer.Option(min=0, help="One seed gives one result.")] = 0,
    json: Json = False,
) -> None:
    """Run experiments on the users of the past: how often something false is found, and how often the truth.

    Users are put into two variants at random, again and again; with the second an effect is added to what they did.
    """
    from mgw.experiments.comparison import Method
    from mgw.experiments.simulation import Plan
    from mgw.experiments.simulation import simulate as simulate_experiments

    loaded = current_project(ctx)
    with project_session(loaded) as connection:
        definition = _definition(connection, which)
        chosen = _metric(definition, metric)
        history = _history(connection, chosen, days, until)
    effect = lift or definition.analysis.minimum_effect or 0.05
    asked = Plan(runs=runs, looks=looks, users=users, seed=seed)
    method = Method.of(definition)
    with out.progress() as progress:
        same = simulate_experiments(history, chosen, method, asked, progress=progress)
        other = simulate_experiments(history, chosen, method, replace(asked, lift=effect), progress=progress)
    if json:
        out.json(
            {
                "metric": chosen.name, "method": method.kind, "alpha": method.alpha, "runs": runs, "looks": looks,
                "lift": effect, "without_effect": asdict(same), "with_effect": asdict(other),
            }
        )  # fmt: skip
        return
    _show_simulation(same, other, f"{chosen.name}, {runs:,} experiments of {same.users:,} users", effect, method.kind)


def _show_plan(found: dict[str, Any]) -> None:
    out.print(
        f"{found['metric']}: mean {found['mean']:.4g}, standard deviation {found['sd']:.4g},"
        f" {found['users_per_day']:,.1f} new users a day"
    )
    if "users_per_variant" in found:
        time = "" if found["days"] is None else f", {found['days']:,.1f} days"
        out.print(
            f"a lift of {found['lift']:.1%} is found with a chance of {found['power']:.0%} by"
            f" {found['users_per_variant']:,} users of each variant{time} ({found['method']}, alpha {found['alpha']:g})"
        )
    if found["detectable"]:
        out.table(
            "What can be found by when",
            [">weeks", ">users per variant", ">lift"],
            [(row["weeks"], row["users_per_variant"], f"{row['lift']:.2%}") for row in found["detectable"]],
        )


def _show_simulation(same: Simulated, other: Simulated, what: str, effect: float, kind: str) -> None:
    def row(name: str, field: str) -> tuple[str, str, str]:
        return name, f"{getattr(same, field):.1%}", f"{getattr(other, field):.1%}"

    out.table(
        what,
        ["found a difference", ">no effect", f">lift {effect:+.1%}"],
        [
            row(f"{kind}, at any look", "found"),
            row(f"{kind}, at the last look", "found_at_end"),
            row(f"{kind}, and it points the wrong way", "wrong_way"),
            row("one-look intervals, at any look", "fixed_found"),
            row("one-look intervals, at the last look", "fixed_found_at_end"),
        ],
    )
    out.print(f"all intervals hold the true difference in {same.covered:.1%} and {other.covered:.1%} of experiments")
    if other.median_users is not None:
        out.print(f"of those that find the lift, half have by {other.median_users:,.0f} users")


def _definition(connection: Connection[TupleRow], which: str) -> Definition:
    from mgw.experiments.files import read_definition
    from mgw.experiments.store import load_experiment

    path = Path(which)
    if path.suffix in {".yaml", ".yml", ".json"}:
        return read_definition(path)
    return load_experiment(connection, which).definition


def _metric(definition: Definition, name: str | None) -> Metric:
    if name is None:
        return definition.metrics[0]
    found = next((metric for metric in definition.metrics if metric.name == name), None)
    if found is None:
        names = ", ".join(metric.name for metric in definition.metrics)
        raise ExperimentUnknown(f"{definition.name} has no metric {name!r}", hint=f"one of {names}")
    return found


def _history(connection: Connection[TupleRow], metric: Metric, days: float, until: str | None) -> History:
    from mgw.experiments.history import read_history

    return read_history(connection, metric, days, None if until is None else moment_of(until, "--until"))


def _baseline(history: History, metric: Metric, users_per_day: float | None) -> Baseline:
    from mgw.experiments.duration import Baseline
    from mgw.experiments.measure import moments_of

    (moments,) = moments_of(metric, [history.joint()])
    return Baseline.of(moments, users_per_day or history.users_per_day)


def _share(definition: Definition) -> float:
    """Return the share of users who take part at the end of a ramp; who is targeted is not known beforehand."""
    share = definition.ramp[-1].traffic if definition.ramp else definition.traffic
    if definition.namespace is not None:
        share *= definition.namespace.end - definition.namespace.start
    return share * (1 - definition.holdout.share if definition.holdout is not None else 1.0)
