"""Exposures: that a user was shown something by a variant, when, what, and with which propensities.

A batch may be sent again without harm, in whole or in part: `record_exposures` keeps the first of each user and window.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.experiments.participation import Running

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Exposure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One exposure.

    Attributes:
        experiment_id: of the row.
        position: of the variant.
        phase: of the experiment.
        user_id: the caller's id.
        exposed_at: when.
        window_start: of which window it is the first of the user.
        slate: content ids, in the order shown.
        propensities: the chance with which each was put on its place.
        teams: where variants were interleaved, which brought each title.
    """

    experiment_id: int
    position: int
    phase: int
    user_id: str
    exposed_at: datetime
    window_start: datetime
    slate: tuple[str, ...] = ()
    propensities: tuple[float, ...] = ()
    teams: tuple[int, ...] = ()


def exposure_of(running: Running, position: int, user_id: str, now: datetime) -> Exposure:
    """Return the exposure of a user to a variant of a running experiment, without a slate."""
    return Exposure(
        experiment_id=running.id,
        position=position,
        phase=running.phase,
        user_id=user_id,
        exposed_at=now,
        window_start=window_start(now, running.definition.exposure_window_hours),
    )


def window_start(moment: datetime, hours: float) -> datetime:
    """Return the beginning of the window that a moment is in; windows are counted from 1970."""
    length = timedelta(hours=hours)
    return _EPOCH + (moment - _EPOCH) // length * length


def record_exposures(connection: Connection[TupleRow], exposures: Sequence[Exposure]) -> int:
    """Keep exposures, of users that nobody knew before too, and return how many were new.

    Those of an experiment or variant that there is no more are left out.
    """
    if not exposures:
        return 0
    with connection.transaction():
        queries.experiments_add_users(connection, user_ids=[each.user_id for each in exposures])
        return queries.experiments_record_exposures(
            connection,
            experiment_ids=[each.experiment_id for each in exposures],
            positions=[each.position for each in exposures],
            phases=[each.phase for each in exposures],
            user_ids=[each.user_id for each in exposures],
            exposed_at=[each.exposed_at for each in exposures],
            window_starts=[each.window_start for each in exposures],
            slates=[_json(each.slate) for each in exposures],
            propensities=[_json(each.propensities) for each in exposures],
            teams=[_json(each.teams) for each in exposures],
        )


def _json(values: tuple[object, ...]) -> str:
    return msgspec.json.encode(values).decode()
