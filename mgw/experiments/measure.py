"""What the database says of an experiment's users: how many are in each variant, and the sums of a metric over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.database import queries
from mgw.core.errors import NotEnoughData
from mgw.experiments.joint import Joint, cuped
from mgw.experiments.statistics import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.experiments.definition import Metric
    from mgw.experiments.store import Experiment


@dataclass(frozen=True, slots=True)
class Stratum:
    """The users who were assigned by the same weights.

    Attributes:
        weights: of the variants.
        users: of each variant.
    """

    weights: tuple[float, ...]
    users: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who was exposed.

    Attributes:
        strata: by the weights that they were assigned by.
        mixed: users who were met in two variants, and are left out.
        uncounted: by event, conversions of users who were never exposed, and of those who converted before.
    """

    strata: tuple[Stratum, ...]
    mixed: int
    uncounted: dict[str, tuple[int, int]]

    @property
    def users(self) -> tuple[int, ...]:
        """Of each variant."""
        return tuple(sum(column) for column in zip(*(each.users for each in self.strata), strict=True))


@dataclass(frozen=True, slots=True)
class Look:
    """An experiment at a moment.

    Attributes:
        connection: to the database.
        experiment: which one.
        until: what happened before is counted.
    """

    connection: Connection[TupleRow]
    experiment: Experiment
    until: datetime

    @property
    def n_variants(self) -> int:
        """The control among them."""
        return len(self.experiment.definition.variants)

    def audience(self) -> Audience:
        """Count the users."""
        queries.experiments_work_in_memory(self.connection)
        groups = _strata(self.experiment)
        counts = [[0] * self.n_variants for _ in groups]
        mixed = 0
        rows = queries.experiments_balance(self.connection, experiment_id=self.experiment.id, until=self.until)
        for row in rows:
            counts[_group_of(row.phase, groups)][row.position] += row.users
            mixed += row.mixed
        strata = (Stratum(weights, tuple(users)) for (weights, _), users in zip(groups, counts, strict=True))
        uncounted = {
            row.event: (row.without_exposure, row.before_exposure)
            for row in queries.experiments_uncounted(
                self.connection, experiment_id=self.experiment.id, until=self.until
            )
            if row.without_exposure or row.before_exposure
        }
        return Audience(tuple(strata), mixed, uncounted)

    def joints(self, metric: Metric, audience: Audience) -> list[list[Joint]]:
        """Sum up a metric over users, beside its denominator or what was before the exposure.

        Args:
            metric: which one.
            audience: of the same moment: who did nothing is known by it.

        Returns:
            of each stratum, of each variant.
        """
        groups = _strata(self.experiment)
        found = [[_zeros(0)] * self.n_variants for _ in groups]
        rows = queries.experiments_totals(
            self.connection,
            experiment_id=self.experiment.id,
            until=self.until,
            event=metric.counted,
            per=metric.per or "",
            window_s=metric.window_s,
            before_s=86_400 * (metric.before_days or 0.0),
            kind=metric.kind,
            winsorize=metric.winsorize or 1.0,
        )
        for row in rows:
            y = Moments(row.users, row.y_total, row.y_deviations)
            x = Moments(row.users, row.x_total, row.x_deviations)
            found[_group_of(row.phase, groups)][row.position] += Joint(y, x, row.products)
        for stratum, group in zip(audience.strata, found, strict=True):
            for position, users in enumerate(stratum.users):
                # Exposures of earlier moments arrive late: some may have since the audience was counted.
                group[position] += _zeros(max(users - group[position].n, 0))
        return found

    def credits(self) -> tuple[Moments, int]:
        """Sum up the credits of the users of an interleaved experiment, and count those who have any."""
        row = queries.experiments_interleaved(
            self.connection,
            experiment_id=self.experiment.id,
            until=self.until,
            window_s=self.experiment.definition.metrics[0].window_s,
        )
        return Moments(row.users, row.total, row.deviations), row.with_credit

    def quantiles(self, metric: Metric, position: int, probabilities: Sequence[float]) -> list[float]:
        """Read quantiles of a metric over the users of a variant.

        Raises:
            NotEnoughData: it has none.
        """
        found = queries.experiments_quantiles(
            self.connection,
            experiment_id=self.experiment.id,
            position=position,
            until=self.until,
            event=metric.counted,
            window_s=metric.window_s,
            probabilities=list(probabilities),
        )
        if found is None:
            raise NotEnoughData("a variant has no users")
        return found


def moments_of(metric: Metric, joints: Sequence[Joint]) -> tuple[Moments, ...]:
    """Return what is compared of a metric, for each variant of a stratum.

    Raises:
        NotEnoughData: a variant has fewer than two users, or a ratio's denominator is 0.
    """
    if metric.kind == "ratio":
        return tuple(joint.ratio() for joint in joints)
    if metric.before_days:
        return cuped(joints)
    return tuple(joint.y for joint in joints)


def _zeros(users: int) -> Joint:
    """Return the sums of users who did nothing."""
    nothing = Moments(users, 0.0, 0.0)
    return Joint(nothing, nothing, 0.0)


def _strata(experiment: Experiment) -> list[tuple[tuple[float, ...], list[int]]]:
    """Return the weights that there were, and the numbers of the phases that had them."""
    found: dict[tuple[float, ...], list[int]] = {}
    for number, phase in enumerate(experiment.phases):
        found.setdefault(phase.weights, []).append(number)
    return list(found.items()) or [(tuple(experiment.definition.weights), [0])]


def _group_of(phase: int, groups: list[tuple[tuple[float, ...], list[int]]]) -> int:
    return next(place for place, (_, numbers) in enumerate(groups) if phase in numbers)
