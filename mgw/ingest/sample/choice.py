"""Who watches what, and roughly when: each user's titles, drawn by taste and popularity, each at a moment of its own.

A user's titles are drawn without replacement with probability proportional to exp(taste · place + appeal). Gumbel noise
comes from a table over 16 random bits, in the same whole steps as scores, and equal keys go by the order of titles.
What is chosen therefore does not depend on the processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.ingest.sample.catalogue import NEWEST_AGE_DAYS, Catalogue
from mgw.ingest.sample.world import COORDINATE_STEPS, SCORE_STEPS, in_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.ingest.sample.audience import Viewers

DAY_S = 86_400
SLACK_DAYS = 9.0
"""Moments end this long before the sample does: a sitting waits up to a week for its day, and then for its hour."""

assert SLACK_DAYS < NEWEST_AGE_DAYS, "every title is out before the last moment"

_REWATCH_SHARE = 0.06
_RELEASE_RUSH = 2.5
"""New titles are watched early: the share of the time since release is a uniform number to this power."""

_MATCH_OF_CHOICE = 1.3
"""What people choose matches them better than chance would, by about this many standard deviations."""

_LEVELS = 2**16
_GUMBEL = np.rint(-np.log(-np.log((np.arange(_LEVELS) + 0.5) / _LEVELS)) * SCORE_STEPS).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the users of a block watch; one row each time that a title is watched.

    Attributes:
        users: row among the viewers, `(n,)`.
        titles: row in the catalogue, `(n,)`.
        match: how well the title matches the user, about standard normal, `(n,)`.
        is_kept: whether the title is one that the user comes back to, `(n,)`.
        moments: seconds before the end of the sample, at which the user wants to watch it, `(n,)`.
    """

    users: NDArray[np.int64]
    titles: NDArray[np.int64]
    match: NDArray[np.float64]
    is_kept: NDArray[np.bool_]
    moments: NDArray[np.int64]


def choose(
    rng: np.random.Generator,
    catalogue: Catalogue,
    viewers: Viewers,
    counts: NDArray[np.int64],
    membership_days: NDArray[np.float64],
) -> Choices:
    """Draw exactly `counts` choices for each viewer; a title is chosen once, or twice where it is watched again."""
    again = np.minimum(rng.binomial(counts, _REWATCH_SHARE), counts // 3)
    users, titles, score = _without_replacement(rng, catalogue, viewers, counts - again)
    match = score / viewers.strength[users] - _MATCH_OF_CHOICE
    progress, begins_days = _progress(
        rng, catalogue, viewers, users=users, titles=titles, membership_days=membership_days
    )

    is_kept = _favourites(users, match + rng.gumbel(size=len(users)), again)
    second = progress[is_kept] + (1 - progress[is_kept]) * (0.25 + 0.75 * rng.random(int(again.sum())))
    rows = np.concatenate([np.arange(len(users)), np.flatnonzero(is_kept)])
    ages = SLACK_DAYS + (begins_days[rows] - SLACK_DAYS) * (1 - np.concatenate([progress, second]))
    return Choices(users[rows], titles[rows], match[rows], is_kept[rows], (ages * DAY_S).astype(np.int64))


def _without_replacement(
    rng: np.random.Generator, catalogue: Catalogue, viewers: Viewers, counts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Draw `counts` titles for each viewer by Gumbel top-k: users, titles and scores of taste, one row each."""
    n_users, n_titles = len(counts), len(catalogue)
    # einsum and not a BLAS: there are too few dimensions for one to help, and its threads would wait for each other.
    scores = np.einsum("ud,dt->ut", in_steps(viewers.tastes), catalogue.places.T)  # whole numbers
    keys = _GUMBEL.take(rng.integers(0, _LEVELS, (n_users, n_titles), dtype=np.uint16))
    keys += scores
    keys += catalogue.appeal
    titles = np.concatenate([_largest(row, count) for row, count in zip(keys, counts.tolist(), strict=True)])
    users = np.repeat(np.arange(n_users), counts)
    return users, titles, scores[users, titles].astype(np.float64) / SCORE_STEPS


def _largest(keys: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Find the `count` largest of one user's keys, in rising order of title; of equal keys the first titles win."""
    least = np.partition(keys, len(keys) - count)[len(keys) - count]
    found = np.flatnonzero(keys >= least)
    surplus = len(found) - count
    if surplus:
        equal = np.flatnonzero(keys[found] == least)
        found = np.delete(found, equal[len(equal) - surplus :])
    return found


def _progress(
    rng: np.random.Generator,
    catalogue: Catalogue,
    viewers: Viewers,
    *,
    users: NDArray[np.int64],
    titles: NDArray[np.int64],
    membership_days: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say how far each choice comes along the days in which its user could have made it, 0 to 1, and those days.

    Titles that a user's taste drifts towards come later than those it drifts away from.
    """
    toward = (catalogue.places[titles] * viewers.drift[users]).sum(axis=1) / COORDINATE_STEPS
    order = np.lexsort((toward + rng.logistic(size=len(users)), users))
    starts = np.searchsorted(users, users)
    progress = np.empty(len(users))
    # Spread evenly by rank: taste says what comes earlier and what later, not how much is watched when.
    progress[order] = np.arange(len(users)) - starts + rng.random(len(users))
    progress /= np.bincount(users)[users]
    is_release = catalogue.age_days[titles] < membership_days[users]
    progress = np.where(is_release, progress**_RELEASE_RUSH, progress)
    return progress, np.minimum(membership_days[users], catalogue.age_days[titles])


def _favourites(users: NDArray[np.int64], liking: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Mark the `counts` rows of each user that are liked best, `(n,)`; users stand together and in order."""
    order = np.lexsort((-liking, users))
    starts = np.searchsorted(users, np.arange(len(counts)))
    is_favourite = np.empty(len(users), dtype=np.bool_)
    is_favourite[order] = np.arange(len(users)) - starts[users] < counts[users]
    return is_favourite
