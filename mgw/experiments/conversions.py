"""Conversions: that a user did something that metrics count.

They are kept whether the user is known to be exposed or not, for exposures are written later than they happen; the
report counts those after the exposure. One key is one conversion, however often it is sent.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead a sender's clock may be."""

MOST = 1e12
"""The largest value that is taken: the square of its sum over a million users is still a number."""


class Conversion(Struct, frozen=True, kw_only=True):
    """One conversion.

    Attributes:
        user_id: the caller's id.
        event: what was done.
        idempotency_key: of the sender's.
        converted_at: when.
        value: what it is worth.
        experiment: which one it is for; empty is every running or paused one that counts the event.
    """

    user_id: str
    event: str
    idempotency_key: str
    converted_at: datetime
    value: Annotated[float, Meta(ge=-MOST, le=MOST)] = 1.0
    experiment: str = ""


def conversion_faults(
    connection: Connection[TupleRow], conversions: Sequence[Conversion], now: datetime
) -> Iterator[tuple[int, str, str]]:
    """Find what cannot be recorded.

    Yields:
        the place of the conversion, the key at fault, and what is wrong with it.
    """
    counted: dict[str, set[str]] = {}
    for row in queries.experiments_counted_events(connection):
        counted.setdefault(row.name, set()).add(row.event)
    anywhere = set().union(*counted.values())
    for place, each in enumerate(conversions):
        if each.experiment and each.experiment not in counted:
            yield place, "experiment", f"there is no experiment {each.experiment!r} that is running or paused"
        elif each.event not in (counted[each.experiment] if each.experiment else anywhere):
            where = f"of {each.experiment}" if each.experiment else "of a running or paused experiment"
            yield place, "event", f"no metric {where} counts {each.event!r}"
        elif each.event.startswith("viewing."):
            yield place, "event", f"{each.event} is read from the viewing events, and not recorded"
        if each.converted_at > now + CLOCK_SKEW:
            yield place, "at", f"{each.converted_at.isoformat()} is in the future"
        if not (math.isfinite(each.value) and abs(each.value) <= MOST):
            yield place, "value", f"{each.value:g} is not between -{MOST:g} and {MOST:g}"


def record_conversions(connection: Connection[TupleRow], conversions: Sequence[Conversion]) -> int:
    """Keep conversions, and return how many were new: one counts for each experiment that it is kept for."""
    if not conversions:
        return 0
    with connection.transaction():
        queries.experiments_add_users(connection, user_ids=[each.user_id for each in conversions])
        return queries.experiments_record_conversions(
            connection,
            experiments=[each.experiment for each in conversions],
            events=[each.event for each in conversions],
            user_ids=[each.user_id for each in conversions],
            keys=[each.idempotency_key for each in conversions],
            values=[each.value for each in conversions],
            converted_at=[each.converted_at for each in conversions],
        )
