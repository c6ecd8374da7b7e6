"""`mgw experiment`: from the definition of an experiment to its end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgw.cli.experiment_logs import export, off_policy
from mgw.cli.experiment_plan import plan, simulate
from mgw.cli.experiment_record import record
from mgw.cli.experiment_report import guard, report
from mgw.cli.options import At, ExperimentName, Json, User, moment_of
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session

if TYPE_CHECKING:
    from mgw.experiments.participation import Placement, Running
    from mgw.experiments.store import Experiment, Status

app = typer.Typer(
    help="Compare variants of the recommendations on users, and trust the answer.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Why = Annotated[str, typer.Option(help="Reason, kept in the audit trail.")]
_MOST = 1_000


@app.command()
def create(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A YAML file; docs/experiments.md shows every key.", dir_okay=False)],
    replace: Annotated[
        bool, typer.Option("--replace", help="Define a draft anew; of a paused one, change what may be changed.")
    ] = False,
    json: Json = False,
) -> None:
    """Create an experiment, as a draft that nobody takes part in yet."""
    from mgw.core.audit import Actor
    from mgw.experiments.files import read_definition
    from mgw.experiments.store import create_experiment, replace_experiment

    definition = read_definition(file)
    with project_session(current_project(ctx)) as connection:
        make = replace_experiment if replace else create_experiment
        made = make(connection, definition, Actor.on_this_machine())
    if json:
        out.json(summary(made))
    else:
        out.print(f"{made.name} is {made.status}; `mgw experiment start {made.name}` lets users in")


@app.command()
def start(ctx: typer.Context, name: ExperimentName, why: Why = "", json: Json = False) -> None:
    """Let users in; of a paused experiment, again."""
    _move(ctx, name, "running", why, json=json)


@app.command(short_help="Let nobody in for a while.")
def pause(ctx: typer.Context, name: ExperimentName, why: Why = "", json: Json = False) -> None:
    """Let nobody in for a while: everybody gets what there is without the experiment."""
    _move(ctx, name, "paused", why, json=json)


@app.command()
def stop(ctx: typer.Context, name: ExperimentName, why: Why = "", json: Json = False) -> None:
    """End an experiment for good; its report stays."""
    _move(ctx, name, "completed", why, json=json)


@app.command()
def archive(ctx: typer.Context, name: ExperimentName, why: Why = "", json: Json = False) -> None:
    """Put an experiment that is over, or a draft, out of sight."""
    _move(ctx, name, "archived", why, json=json)


@app.command("list")
def list_experiments(
    ctx: typer.Context,
    archived: Annotated[bool, typer.Option("--archived", help="List those that are archived too.")] = False,
    json: Json = False,
) -> None:
    """List experiments, the newest first."""
    from mgw.core.database import queries

    with project_session(current_project(ctx)) as connection:
        rows = queries.experiments_list(connection, with_archived=archived, top_k=_MOST)
    if json:
        experiments = [
            {
                "name": row.name, "status": row.status, "users": row.users,
                "created_at": row.created_at.isoformat(), "started_at": _iso(row.started_at),
                "ended_at": _iso(row.ended_at),
            }
            for row in rows
        ]  # fmt: skip
        out.json({"experiments": experiments})
        return
    if not rows:
        out.note("there are no experiments; `mgw experiment create FILE` makes one")
        return
    out.table(
        "Experiments",
        ["name", "status", ">users", "created (UTC)", "started (UTC)", "ended (UTC)"],
        [(row.name, row.status, row.users, row.created_at, row.started_at, row.ended_at) for row in rows],
    )


@app.command()
def show(ctx: typer.Context, name: ExperimentName, json: Json = False) -> None:
    """Show what an experiment is, and who is in it."""
    import msgspec

    from mgw.experiments.measure import Look
    from mgw.experiments.store import load_experiment

    with project_session(current_project(ctx)) as connection:
        found = load_experiment(connection, name)
        audience = Look(connection, found, datetime.now(UTC)).audience()
    if json:
        out.json({**summary(found), "users": list(audience.users), "definition": msgspec.to_builtins(found.definition)})
        return
    definition = found.definition
    out.print(f"{name} is {found.status}" + (f": {definition.hypothesis}" if definition.hypothesis else ""))
    weights = found.phases[-1].weights if found.phases else tuple(definition.weights)
    out.table(
        "Variants",
        ["name", ">weight", ">users", "config"],
        [(variant.name, f"{weight:g}", f"{users:,}", msgspec.json.encode(variant.config).decode())
         for variant, weight, users in zip(definition.variants, weights, audience.users, strict=True)],
    )  # fmt: skip
    out.table(
        "Metrics",
        ["name", "kind", "of", "better", "guardrail"],
        [(metric.name, metric.kind, metric.counted + (f" per {metric.per}" if metric.per else ""), metric.direction,
          f"{metric.margin:.1%} worse at most" if metric.guardrail else "") for metric in definition.metrics],
    )  # fmt: skip


@app.command(short_help="Say in which variants a user is, and why.")
def assign(
    ctx: typer.Context,
    user: User,
    experiment: Annotated[str | None, typer.Option(help="Only this one, be it running or not.")] = None,
    at: At = None,
    device: Annotated[str | None, typer.Option(help="What the user watches on, for targeting.")] = None,
    json: Json = False,
) -> None:
    """Say in which variant of each running experiment a user is, and why. Nothing is recorded."""
    from mgw.core.database import queries
    from mgw.experiments.participation import Running, read_running
    from mgw.experiments.store import load_experiment

    now = datetime.now(UTC) if at is None else moment_of(at, "--at")
    with project_session(current_project(ctx)) as connection:
        before = {row.experiment_id: row.position for row in queries.experiments_assigned(connection, user_id=user)}
        if experiment is None:
            asked = read_running(connection)
        else:
            asked = (Running.of(load_experiment(connection, experiment), now),)
    attributes = {} if device is None else {"device_type": device}
    found = [(each, each.place(user, now, before=before.get(each.id), attributes=attributes)) for each in asked]
    if json:
        out.json({"user_id": user, "experiments": [_placed(*each) for each in found]})
        return
    if not found:
        out.note("no experiment is running")
        return
    rows = [_placed(*each) for each in found]
    out.table(
        f"Experiments of {user}",
        ["experiment", "variant", "why"],
        [(row["experiment"], row["variant"] or "none", row["why"]) for row in rows],
    )


app.command(short_help="Record conversions, of a file or one.")(record)
app.command(short_help="Say how many users and days an experiment takes.")(plan)
app.command(short_help="Run experiments on the users of the past.")(simulate)
app.command(short_help="Report on an experiment, and say what follows.")(report)
app.command(short_help="Say whether an experiment does harm.")(guard)
app.command(short_help="Write what users were shown, and whether they watched it.")(export)
app.command("off-policy", short_help="Estimate what another ranking would have earned.")(off_policy)


def summary(experiment: Experiment) -> dict[str, Any]:
    """Return what every command says of an experiment."""
    return {
        "name": experiment.name,
        "status": experiment.status,
        "created_at": experiment.created_at.isoformat(),
        "started_at": _iso(experiment.started_at),
        "ended_at": _iso(experiment.ended_at),
    }


def _move(ctx: typer.Context, name: str, status: Status, why: str, *, json: bool) -> None:
    from mgw.core.audit import Actor
    from mgw.experiments.store import set_status

    with project_session(current_project(ctx)) as connection:
        moved = set_status(connection, name, status, Actor.on_this_machine(), why=why)
    if json:
        out.json(summary(moved))
    else:
        out.print(f"{name} is {moved.status}")


def _placed(running: Running, placement: Placement) -> dict[str, str | None]:
    variant = running.variant(placement)
    return {
        "experiment": running.definition.name,
        "variant": None if variant is None else variant.name,
        "why": placement.why.value,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
