"""Sittings: the evenings on which titles are watched, with their day of the week, their hour and their device.

Titles that a user wants to watch at about the same time are gathered into sittings of one to four, like with like.
A sitting waits for a day and an hour that suit it: weekends and evenings above all, mornings for children's titles,
nights for horror, the phone for something short at noon, the television for something long after dinner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.ingest.sample.choice import DAY_S
from mgw.ingest.sample.genres import GENRES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.ingest.sample.audience import Viewers
    from mgw.ingest.sample.catalogue import Catalogue
    from mgw.ingest.sample.choice import Choices

DEVICES = ("tv", "phone", "tablet", "desktop")

HOUR_S = 3600
_LONGEST_SITTING = 4
_GOES_ON = 0.42
_GATHERED = 4
_BREAK_S = 240

_WEEKDAY = np.cumsum([0.105, 0.105, 0.11, 0.12, 0.17, 0.21, 0.18])
_WORKDAY_HOURS = np.cumsum(np.array(
    [2, 1, 0.5, 0.3, 0.3, 0.5, 1.5, 2, 1.5, 1, 1, 1.5, 3, 2.5, 1.5, 1.5, 2.5, 4, 7, 11, 14, 13, 8, 4]
))  # fmt: skip
_WEEKEND_HOURS = np.cumsum(np.array(
    [3, 2, 1, 0.5, 0.3, 0.3, 0.5, 1.5, 3, 4, 4, 4, 4, 5, 6, 6, 6, 6, 8, 10, 12, 11, 8, 5]
))  # fmt: skip
"""Weights of the hours of a day from midnight on, summed up."""


@dataclass(frozen=True, slots=True)
class Sittings:
    """The choices in the order in which they are watched.

    Attributes:
        order: row of each among the choices, `(n,)`.
        starts: when its sitting begins, seconds since 1970, not falling within a user, `(n,)`.
        device: number in DEVICES, `(n,)`.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    device: NDArray[np.int8]


def gather(
    rng: np.random.Generator, catalogue: Catalogue, viewers: Viewers, choices: Choices, until_s: int
) -> Sittings:
    """Gather choices into sittings before `until_s`, seconds since 1970."""
    order = _like_with_like(catalogue, choices)
    users, titles = choices.users[order], choices.titles[order]
    first = _first_of_sittings(rng, users)
    sitting = np.cumsum(first) - 1
    opens = np.flatnonzero(first)

    # A sitting takes place once the last of its titles is wanted, and not before the one before it.
    wanted = _running_maximum(until_s - choices.moments[order], users)
    closes = np.append(opens[1:], len(users)) - 1
    opener = titles[opens]
    runtime = catalogue.runtime_minutes[opener]
    days = _days(rng, wanted[closes])
    shift = (
        viewers.lateness[users[opens]] + np.array([genre.hour_shift for genre in GENRES])[catalogue.genres[opener, 0]]
    )
    starts = days * DAY_S + _seconds_of_day(rng, days, shift)
    hour = starts % DAY_S // HOUR_S
    device = _devices(rng, viewers.device_habit[users[opens]], hour, runtime)

    by_time = np.lexsort((np.arange(len(users)), sitting, starts[sitting], users))
    return Sittings(order[by_time], starts[sitting][by_time], device[sitting][by_time])


def start_times(
    users: NDArray[np.int64], starts: NDArray[np.int64], duration_s: NDArray[np.int64], until_s: int
) -> NDArray[np.int64]:
    """Let titles follow one another: none begins before its sitting, or while its user still watches the one before.

    Args:
        users: whose it is, the rows of one user together, `(n,)`.
        starts: when the sitting begins, not falling within a user, `(n,)`.
        duration_s: how long the title is watched, `(n,)`.
        until_s: when everything is over.

    Returns:
        Seconds since 1970, strictly rising within a user, `(n,)`.
    """
    duration_s = duration_s + _BREAK_S
    before = np.cumsum(duration_s) - duration_s
    earliest = _running_maximum(starts - before, users) + before
    # From the end backwards: each leaves room for those that follow. Both bounds rise by a duration at least, from one
    # title of a user to the next, and so does the lesser of the two.
    last = np.append(np.flatnonzero(np.diff(users)), len(users) - 1)
    ends = (before + duration_s)[last]
    of_user = np.searchsorted(last, np.arange(len(users)))
    latest: NDArray[np.int64] = until_s - (ends[of_user] - before)
    return np.minimum(earliest, latest)


def _like_with_like(catalogue: Catalogue, choices: Choices) -> NDArray[np.int64]:
    """Order choices by user and moment, a few neighbours at a time by genre."""
    order = np.lexsort((choices.titles, -choices.moments, choices.users))
    users = choices.users[order]
    rank = np.arange(len(users)) - np.searchsorted(users, users)
    genre = catalogue.genres[choices.titles[order], 0]
    grouped: NDArray[np.int64] = np.lexsort((rank, genre, rank // _GATHERED, users))
    return order[grouped]


def _first_of_sittings(rng: np.random.Generator, users: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the rows that open a sitting, `(n,)`."""
    first = rng.random(len(users)) >= _GOES_ON
    first |= np.diff(users, prepend=-1) != 0
    position = np.arange(len(users))
    run = position - np.maximum.accumulate(np.where(first, position, 0))
    first |= run % _LONGEST_SITTING == 0
    return first


def _running_maximum(values: NDArray[np.int64], users: NDArray[np.int64]) -> NDArray[np.int64]:
    """Carry the largest value so far along the rows of each user; users stand together and in rising order."""
    span = int(values.max() - values.min()) + 1
    lift = users * span
    raised: NDArray[np.int64] = np.maximum.accumulate(values + lift)
    return raised - lift


def _days(rng: np.random.Generator, wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the day for each sitting, since 1970: the first one of a drawn weekday after it is wanted."""
    tomorrow = wanted // DAY_S + 1
    weekday = np.searchsorted(_WEEKDAY / _WEEKDAY[-1], rng.random(len(wanted)), side="right")
    return tomorrow + (weekday - (tomorrow + 3)) % 7  # 1970 began on a Thursday, day 3 of the week


def _seconds_of_day(
    rng: np.random.Generator, days: NDArray[np.int64], shift_h: NDArray[np.float64]
) -> NDArray[np.int64]:
    chance = rng.random(len(days))
    workday = np.searchsorted(_WORKDAY_HOURS / _WORKDAY_HOURS[-1], chance, side="right")
    weekend = np.searchsorted(_WEEKEND_HOURS / _WEEKEND_HOURS[-1], chance, side="right")
    hour = np.where((days + 3) % 7 >= 5, weekend, workday)
    seconds = (hour + rng.random(len(days)) + shift_h) * HOUR_S
    # What slips before midnight or deep into the night comes round to the other end of the same day.
    return seconds.astype(np.int64) % DAY_S


def _devices(
    rng: np.random.Generator,
    habit: NDArray[np.float64],
    hour: NDArray[np.int64],
    runtime_minutes: NDArray[np.int64],
) -> NDArray[np.int8]:
    evening = (hour >= 18).astype(np.float64)
    office = ((hour >= 9) & (hour < 17)).astype(np.float64)
    long = (runtime_minutes - 80) / 40
    log_odds = np.stack(
        [0.6 + 1.4 * evening + 0.7 * long, 0.6 - 0.4 * evening - 0.8 * long, -0.6 - 0.1 * long, -0.9 + 0.9 * office],
        axis=1,
    )
    likeliest: NDArray[np.int64] = np.argmax(log_odds + habit + rng.gumbel(size=log_odds.shape), axis=1)
    return likeliest.astype(np.int8)
