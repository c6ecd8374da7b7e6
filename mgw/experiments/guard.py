"""The guard: running experiments that break a guardrail, or lose users on one side, are found and may be paused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.experiments.measure import Look
from mgw.experiments.participation import read_running
from mgw.experiments.report import make_report
from mgw.experiments.store import load_experiment, set_status

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.audit import Actor
    from mgw.experiments.definition import Definition


@dataclass(frozen=True, slots=True)
class Guarded:
    """What was found of an experiment.

    Attributes:
        name: of it.
        harm: what is wrong, in a sentence; None where nothing is.
        paused: whether it was paused for that.
    """

    name: str
    harm: str | None
    paused: bool


def guard_experiments(
    connection: Connection[TupleRow],
    now: datetime,
    actor: Actor,
    *,
    only: str | None = None,
    pause: Callable[[Definition], bool],
) -> list[Guarded]:
    """Look for harm.

    Args:
        connection: to the database.
        now: the moment.
        actor: who pauses.
        only: this experiment; None is every running one.
        pause: says whether a running experiment that does harm is to be paused.

    Raises:
        ExperimentUnknown: there is none of the name.
    """
    names = [each.definition.name for each in read_running(connection)] if only is None else [only]
    found = []
    for name in names:
        experiment = load_experiment(connection, name)
        advice = make_report(Look(connection, experiment, now)).advice
        harm = advice.sentence if advice.verdict in {"stop", "do-not-trust"} else None
        paused = harm is not None and experiment.status == "running" and pause(experiment.definition)
        if paused:
            set_status(connection, name, "paused", actor, why=harm or "")
        found.append(Guarded(name, harm, paused))
    return found
