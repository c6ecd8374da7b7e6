"""`mgw experiment export` and `off-policy`: what was shown, and what another ranking would have earned."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgw.cli.options import ExperimentName, Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session
from mgw.core.errors import MgwError, RowsInvalid, SourceInvalid

if TYPE_CHECKING:
    from mgw.experiments.off_policy import Log

_SHOWN = ("user", "exposed_at", "variant", "place", "content", "propensity", "team", "watched")
_REQUIRED = ("user", "reward", "propensity", "target")
_MODEL = ("predicted", "expected")


def export(
    ctx: typer.Context,
    name: ExperimentName,
    file: Annotated[Path, typer.Argument(help="The CSV file to write.", dir_okay=False)],
    window_days: Annotated[
        float, typer.Option(min=0.001, help="Days after it was shown in which a title counts as watched.")
    ] = 7.0,
    json: Json = False,
) -> None:
    """Write what users were shown: each title of each list, its propensity, and whether it was watched.

    It is the log that `mgw experiment off-policy` takes, once a `target` column says with which chance another ranking
    would have shown the same, and a `reward` column what it earned.
    """
    import io

    from mgw.core.files import file_published_as
    from mgw.experiments.shown import read_shown
    from mgw.experiments.store import load_experiment

    count = 0
    with project_session(current_project(ctx)) as connection, file_published_as(file) as written:
        experiment = load_experiment(connection, name)
        text = io.TextIOWrapper(written, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text)
        writer.writerow(_SHOWN)
        for row in read_shown(connection, experiment.id, 86_400 * window_days):
            count += 1
            at, propensity = row.exposed_at.isoformat(), "" if row.propensity is None else f"{row.propensity:.6g}"
            writer.writerow(
                [row.user_id, at, row.variant, row.place, row.content_id or "", propensity, row.team or "",
                 int(row.watched)]
            )  # fmt: skip
        text.detach()
    if json:
        out.json({"file": str(file), "experiment": name, "rows": count})
    else:
        out.print(f"{file}: {count:,} titles shown")


def off_policy(
    file: Annotated[
        Path,
        typer.Argument(help="CSV or Parquet: user, reward, propensity, target, and predicted, expected."),
    ],
    clip: Annotated[float, typer.Option(min=0.001, help="The largest weight that `clipped` takes.")] = 10.0,
    switch: Annotated[float, typer.Option(min=0.001, help="Above this weight `switch` leaves it to the model.")] = 10.0,
    alpha: Annotated[float, typer.Option(min=0.0001, max=0.5, help="The chance that an interval misses.")] = 0.05,
    json: Json = False,
) -> None:
    """Estimate what another ranking would have earned, from the log of the one that ran.

    A row is a decision: what it earned (`reward`), the chance with which it was made (`propensity`), and with which the
    other ranking would have made it (`target`). With a model of the rewards, `predicted` is its reward of the decision
    and `expected` its mean over what the other ranking would have done. What the log cannot tell is not answered. Exit
    code 1 if no estimator can answer.
    """
    from mgw.experiments.off_policy import ESTIMATORS, estimate_value

    log = _read(file)
    found: list[dict[str, Any]] = []
    for estimator in ESTIMATORS:
        try:
            value = estimate_value(log, estimator, alpha=alpha, clip=clip, switch=switch)
            found.append({"estimator": estimator, "estimate": value.estimate, "low": value.low, "high": value.high,
                          "problem": None})  # fmt: skip
        except MgwError as error:
            found.append({"estimator": estimator, "estimate": None, "low": None, "high": None,
                          "problem": error.message})  # fmt: skip
    if json:
        out.json(
            {
                "decisions": len(log.rewards), "effective_size": log.effective_size, "support": log.support,
                "logged_mean": float(log.rewards.mean()) if len(log.rewards) else None, "estimates": found,
            }
        )  # fmt: skip
    else:
        _show(log, found)
    if all(each["estimate"] is None for each in found):
        raise typer.Exit(1)


def _show(log: Log, found: list[dict[str, Any]]) -> None:
    if len(log.rewards):
        out.print(
            f"{len(log.rewards):,} decisions earned {log.rewards.mean():.4g} each; for the other ranking they are worth"
            f" {log.effective_size:,.1f}, and could have tried {log.support:.1%} of what it does"
        )
    out.table(
        "The other ranking",
        ["estimator", ">reward", "interval", ""],
        [
            (each["estimator"], "", "", each["problem"]) if each["estimate"] is None
            else (each["estimator"], f"{each['estimate']:.4g}", f"{each['low']:.4g} to {each['high']:.4g}", "")
            for each in found
        ],
    )  # fmt: skip


def _read(file: Path) -> Log:
    import numpy as np

    from mgw.experiments.off_policy import Log
    from mgw.ingest.tables import open_table, read_rows

    users: list[str] = []
    values: dict[str, list[float]] = {}
    with open_table(file) as table, out.progress() as progress:
        missing = [name for name in _REQUIRED if name not in table.columns]
        if missing:
            raise SourceInvalid(
                f"{file}: no column {', '.join(missing)}", hint=f"columns: {', '.join(_REQUIRED + _MODEL)}"
            )
        numbers = [name for name in (*_REQUIRED[1:], *_MODEL) if name in table.columns]
        places = [table.columns.index(name) for name in numbers]
        values = {name: [] for name in numbers}
        for line, row in read_rows(table, progress):
            try:
                for name, place in zip(numbers, places, strict=True):
                    values[name].append(float(row[place]))
                users.append(row[table.columns.index("user")])
            except (ValueError, IndexError):
                raise RowsInvalid(f"{file}, line {line}: {', '.join(numbers)} have to be numbers") from None
    columns = {name: np.array(column) for name, column in values.items()}
    _, numbered = np.unique(np.array(users, dtype=str), return_inverse=True)
    return Log(
        rewards=columns["reward"],
        propensities=columns["propensity"],
        target=columns["target"],
        users=numbered.astype(np.int64),
        predicted=columns.get("predicted"),
        expected=columns.get("expected"),
    )
