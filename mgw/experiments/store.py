"""Experiments in the database: created, changed while they may be, moved from status to status; all of it audited.

    draft → running ⇄ paused → completed → archived        and from running to completed at once

A draft may be defined anew. A paused experiment may get other weights, which begin a new phase, and another ramp or
traffic; what users see and what is counted stays as it was started, or a report would be about two things at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import msgspec
from psycopg.types.json import Jsonb

from mgw.core.audit import Action, Change, record
from mgw.core.database import queries
from mgw.core.errors import ExperimentExists, ExperimentInvalid, ExperimentStatusInvalid, ExperimentUnknown
from mgw.experiments.definition import Definition, check

if TYPE_CHECKING:
    from datetime import datetime

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.audit import Actor

Status: TypeAlias = Literal["draft", "running", "paused", "completed", "archived"]

MOVES: dict[Status, tuple[Status, ...]] = {
    "draft": ("running", "archived"),
    "running": ("paused", "completed"),
    "paused": ("running", "completed"),
    "completed": ("archived",),
    "archived": (),
}
"""From each status to which."""

_CHANGEABLE = ("weights", "traffic", "ramp", "forced", "hypothesis", "analysis", "pause_on_harm")


@dataclass(frozen=True, slots=True)
class Phase:
    """A time with the same weights.

    Attributes:
        weights: of the variants.
        began_at: when it began.
    """

    weights: tuple[float, ...]
    began_at: datetime


@dataclass(frozen=True, slots=True)
class Experiment:
    """An experiment as the database has it.

    Attributes:
        id: of the row.
        status: where it is.
        definition: what it is.
        phases: of its assignment; none before it was started.
        created_at: when.
        started_at: when first; None before.
        ended_at: when it was completed; None before.
    """

    id: int
    status: Status
    definition: Definition
    phases: tuple[Phase, ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def name(self) -> str:
        """Of the experiment."""
        return self.definition.name


def create_experiment(connection: Connection[TupleRow], definition: Definition, actor: Actor) -> Experiment:
    """Keep a new experiment, as a draft.

    Raises:
        ExperimentInvalid: it cannot be run.
        ExperimentExists: there is one of this name.
    """
    check(definition)
    with connection.transaction():
        identity = queries.experiments_create(connection, name=definition.name, definition=_as_json(definition))
        if identity is None:
            raise ExperimentExists(
                f"there is an experiment {definition.name!r} already",
                hint="--replace defines a draft, or a paused one, anew",
            )
        _write_parts(connection, identity, definition)
        record(
            connection,
            actor,
            _change(Action.EXPERIMENT_CREATED, definition.name, after=msgspec.to_builtins(definition)),
        )
        return load_experiment(connection, definition.name)


def replace_experiment(connection: Connection[TupleRow], definition: Definition, actor: Actor) -> Experiment:
    """Define a draft anew, or change what may be changed of a paused experiment.

    Raises:
        ExperimentInvalid: it cannot be run.
        ExperimentUnknown: there is none of this name.
        ExperimentStatusInvalid: it is running or over, or what changed may change only in a draft.
    """
    check(definition)
    with connection.transaction():
        before = _hold(connection, definition.name)
        if before.status == "draft":
            queries.experiments_clear(connection, experiment_id=before.id)
            _write_parts(connection, before.id, definition)
        elif before.status == "paused":
            _require_changeable(before.definition, definition)
            if tuple(definition.weights) != before.phases[-1].weights:
                queries.experiments_add_phase(connection, experiment_id=before.id, weights=definition.weights)
        else:
            raise ExperimentStatusInvalid(
                f"{definition.name} is {before.status} and cannot be changed",
                hint="pause it first: mgw experiment pause" if before.status == "running" else "create another one",
            )
        queries.experiments_redefine(connection, experiment_id=before.id, definition=_as_json(definition))
        old, new = msgspec.to_builtins(before.definition), msgspec.to_builtins(definition)
        record(connection, actor, _change(Action.EXPERIMENT_REDEFINED, definition.name, before=old, after=new))
        return load_experiment(connection, definition.name)


def set_status(
    connection: Connection[TupleRow], name: str, status: Status, actor: Actor, *, why: str = ""
) -> Experiment:
    """Move an experiment to another status.

    Args:
        connection: to the database.
        name: of the experiment.
        status: where it is to be.
        actor: who moves it.
        why: kept in the audit trail.

    Raises:
        ExperimentUnknown: there is none of this name.
        ExperimentStatusInvalid: there is no way from where it is.
    """
    with connection.transaction():
        before = _hold(connection, name)
        if status not in MOVES[before.status]:
            ways = " or ".join(MOVES[before.status]) or "nothing else"
            raise ExperimentStatusInvalid(
                f"{name} is {before.status} and cannot become {status}", hint=f"from {before.status} it becomes {ways}"
            )
        if status == "running" and not before.phases:
            queries.experiments_add_phase(connection, experiment_id=before.id, weights=before.definition.weights)
        queries.experiments_set_status(connection, experiment_id=before.id, status=status)
        details = {"before": before.status, "after": status, **({"why": why} if why else {})}
        record(connection, actor, Change(_DONE[before.status, status], "experiment", name, details))
        return load_experiment(connection, name)


def load_experiment(connection: Connection[TupleRow], name: str) -> Experiment:
    """Read an experiment.

    Raises:
        ExperimentUnknown: there is none of this name.
    """
    row = queries.experiments_load(connection, name=name)
    if row is None:
        raise _unknown(name)
    return _experiment(connection, row)


def definition_of(document: Any, name: str) -> Definition:  # noqa: ANN401 - what the database holds
    """Return a definition that the database holds.

    Raises:
        ExperimentInvalid: another version of this program wrote it, or somebody else.
    """
    try:
        return msgspec.convert(document, Definition)
    except msgspec.ValidationError as error:
        raise ExperimentInvalid(
            f"the experiment {name!r} in the database cannot be read: {error}",
            hint="another version of mgw may have written it",
        ) from error


_DONE: dict[tuple[Status, Status], Action] = {
    ("draft", "running"): Action.EXPERIMENT_STARTED,
    ("paused", "running"): Action.EXPERIMENT_RESUMED,
    ("running", "paused"): Action.EXPERIMENT_PAUSED,
    ("running", "completed"): Action.EXPERIMENT_COMPLETED,
    ("paused", "completed"): Action.EXPERIMENT_COMPLETED,
    ("draft", "archived"): Action.EXPERIMENT_ARCHIVED,
    ("completed", "archived"): Action.EXPERIMENT_ARCHIVED,
}


def _hold(connection: Connection[TupleRow], name: str) -> Experiment:
    row = queries.experiments_hold(connection, name=name)
    if row is None:
        raise _unknown(name)
    return _experiment(connection, row)


def _unknown(name: str) -> ExperimentUnknown:
    return ExperimentUnknown(f"there is no experiment {name!r}", hint="`mgw experiment list` shows them")


def _experiment(
    connection: Connection[TupleRow], row: queries.ExperimentsLoadRow | queries.ExperimentsHoldRow
) -> Experiment:
    phases = queries.experiments_phases(connection, experiment_id=row.id)
    return Experiment(
        id=row.id,
        status=cast("Status", row.status),
        definition=definition_of(row.definition, row.name),
        phases=tuple(Phase(tuple(phase.weights), phase.began_at) for phase in phases),
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


def _write_parts(connection: Connection[TupleRow], identity: int, definition: Definition) -> None:
    names = [variant.name for variant in definition.variants]
    queries.experiments_add_variants(connection, experiment_id=identity, names=names)
    queries.experiments_add_events(connection, experiment_id=identity, events=sorted(definition.events))


def _require_changeable(before: Definition, after: Definition) -> None:
    """Refuse what would make two experiments of one."""
    old, new = (_without_weights(each) for each in (before, after))
    for key in old:
        if key not in _CHANGEABLE and old[key] != new[key]:
            raise ExperimentStatusInvalid(
                f"{after.name}: {key} cannot change once users have been exposed",
                hint=f"while it is paused, {', '.join(_CHANGEABLE)} can; for the rest complete it and create another",
            )
    if tuple(before.weights) != tuple(after.weights) and not after.sticky:
        raise ExperimentStatusInvalid(
            f"{after.name}: weights change only where users are sticky",
            hint="without, who was exposed would change the variant",
        )


def _without_weights(definition: Definition) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(definition)
    for variant in document["variants"]:
        del variant["weight"]
    return document


def _as_json(definition: Definition) -> Jsonb:
    return Jsonb(msgspec.to_builtins(definition))


def _change(action: Action, name: str, **details: object) -> Change:
    return Change(action, "experiment", name, details)
