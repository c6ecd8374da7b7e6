"""Which running experiments somebody takes part in, and as what.

In this order: a forced variant, for trying it; the holdout; the namespace; the targeting; the variant that the user was
exposed to before; and where there is none of these, the bucket, within the traffic of the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from mgw.core.database import queries
from mgw.experiments.assignment import bucket, choose_variant, variant_ranges
from mgw.experiments.conditions import holds
from mgw.experiments.store import definition_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.experiments.definition import Definition, Variant
    from mgw.experiments.store import Experiment


class Why(StrEnum):
    """Why somebody is in a variant, or in none."""

    ASSIGNED = "assigned by the bucket"
    STICKY = "was exposed to it before"
    FORCED = "forced"
    HELD_OUT = "in the holdout"
    NAMESPACE = "outside its part of the namespace"
    NOT_TARGETED = "not targeted"
    NO_TRAFFIC = "outside the traffic"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where somebody is in an experiment.

    Attributes:
        position: of the variant; None is none.
        why: there.
    """

    position: int | None
    why: Why

    @property
    def is_counted(self) -> bool:
        """Whether the exposure is one to be logged: a forced variant is for trying it."""
        return self.position is not None and self.why is not Why.FORCED


@dataclass(frozen=True, slots=True)
class Running:
    """A running experiment, as assignment needs it.

    Attributes:
        id: of the row.
        definition: what it is.
        started_at: when first.
        phase: the number of its phase.
        weights: of the variants in this phase.
    """

    id: int
    definition: Definition
    started_at: datetime
    phase: int
    weights: tuple[float, ...]

    @classmethod
    def of(cls, experiment: Experiment, now: datetime) -> Self:
        """Return an experiment as if it were running, begun now where it has not begun yet."""
        definition = experiment.definition
        weights = experiment.phases[-1].weights if experiment.phases else tuple(definition.weights)
        phase = max(len(experiment.phases) - 1, 0)
        return cls(experiment.id, definition, experiment.started_at or now, phase, weights)

    @property
    def salt(self) -> str:
        """What is hashed with the user's id."""
        return self.definition.salt or self.definition.name

    def variant(self, placement: Placement) -> Variant | None:
        """Return the variant of a placement."""
        return None if placement.position is None else self.definition.variants[placement.position]

    def traffic(self, now: datetime) -> float:
        """Return the share of users who take part at a moment."""
        return self.definition.traffic_after((now - self.started_at).total_seconds())

    def place(
        self, user_id: str, now: datetime, *, before: int | None = None, attributes: Mapping[str, Any] | None = None
    ) -> Placement:
        """Find the variant of a user.

        Args:
            user_id: the caller's id.
            now: the moment.
            before: the variant that the user was exposed to before; None is none.
            attributes: what is known of user and request, for the targeting.
        """
        definition = self.definition
        forced = definition.forced.get(user_id)
        if forced is not None:
            return Placement(definition.position(forced), Why.FORCED)
        holdout = definition.held_out
        if holdout is not None and user_id in holdout:
            return Placement(None, Why.HELD_OUT)
        part = definition.part
        if part is not None and user_id not in part:
            return Placement(None, Why.NAMESPACE)
        if definition.targeting and not holds(definition.targeting, {"user_id": user_id, **(attributes or {})}):
            return Placement(None, Why.NOT_TARGETED)
        if before is not None and definition.sticky:
            return Placement(before, Why.STICKY)
        position = choose_variant(bucket(self.salt, user_id), variant_ranges(self.weights, self.traffic(now)))
        return Placement(position, Why.NO_TRAFFIC if position is None else Why.ASSIGNED)


def read_running(connection: Connection[TupleRow]) -> tuple[Running, ...]:
    """Read every running experiment.

    Raises:
        ExperimentInvalid: one cannot be read.
    """
    return tuple(
        Running(row.id, definition_of(row.definition, str(row.id)), row.started_at, row.phase, tuple(row.weights))
        for row in queries.experiments_running(connection)
    )
