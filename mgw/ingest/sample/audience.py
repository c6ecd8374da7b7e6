"""The audience of the sample: how much each user watches and since when, what they like, and how they behave.

Tastes come from a few communities. A user belongs mostly to one, somewhat to another, and is a little unlike both;
some follow their taste closely, others watch what everybody watches; and tastes drift over the years.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.ingest.sample.catalogue import WINDOW_DAYS
from mgw.ingest.sample.size import MAXIMUM_EVENTS_PER_USER, MINIMUM_EVENTS_PER_USER, Purpose, SampleSize, stream
from mgw.ingest.sample.world import DIMENSIONS, World, directions, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COMMUNITIES = 14
_TASTE_STRENGTH = 1.4
_TASTE_STRENGTH_SPREAD = 0.3
_OWN_TASTE = 1.2
_DRIFT = 1.1
_ACTIVITY_SPREAD = 1.05
_SHARE_OF_FOUNDERS = 0.4
_SHORTEST_MEMBERSHIP_DAYS = 45.0
_MOST_EVENTS_A_DAY = 3.0


@dataclass(frozen=True, slots=True)
class Headcount:
    """How many events each user has, `(n_users,)`, and for how many days each has been a member, `(n_users,)`."""

    events: NDArray[np.int64]
    membership_days: NDArray[np.float64]

    @classmethod
    def drawn(cls, size: SampleSize, *, seed: int) -> Headcount:
        """Share the events out: a few users watch a great deal, most watch little, and newcomers less."""
        rng = stream(seed, Purpose.HEADCOUNT)
        joined = _SHORTEST_MEMBERSHIP_DAYS + rng.random(size.users) * (WINDOW_DAYS - _SHORTEST_MEMBERSHIP_DAYS)
        membership_days = np.where(rng.random(size.users) < _SHARE_OF_FOUNDERS, float(WINDOW_DAYS), joined)
        activity = np.exp(_ACTIVITY_SPREAD * rng.standard_normal(size.users)) * membership_days
        most = min(size.titles, MAXIMUM_EVENTS_PER_USER)
        events = apportion(activity, size.events, fewest=MINIMUM_EVENTS_PER_USER, most=most)
        return cls(events, np.maximum(membership_days, events / _MOST_EVENTS_A_DAY))


@dataclass(frozen=True, slots=True)
class Viewers:
    """The users of one block, one row each.

    Attributes:
        tastes: what they like, times how closely they follow it, `(n, DIMENSIONS)`.
        strength: the length of each taste, `(n,)`.
        drift: where their tastes are going, `(n, DIMENSIONS)`.
        rating_bias: how far their ratings lie above or below others', in stars, `(n,)`.
        rating_habit: log odds of rating what they watch, against others', `(n,)`.
        patience: log odds of watching to the end, against others', `(n,)`.
        lateness: how much later than others they watch, in hours, `(n,)`.
        device_habit: log odds of each device, against others', `(n, n_devices)`.
    """

    tastes: NDArray[np.float64]
    strength: NDArray[np.float64]
    drift: NDArray[np.float64]
    rating_bias: NDArray[np.float64]
    rating_habit: NDArray[np.float64]
    patience: NDArray[np.float64]
    lateness: NDArray[np.float64]
    device_habit: NDArray[np.float64]

    @classmethod
    def drawn(cls, rng: np.random.Generator, communities: NDArray[np.float64], n: int, n_devices: int) -> Viewers:
        """Draw `n` users out of communities, `(n_communities, DIMENSIONS)`."""
        first, second = rng.integers(0, len(communities), (2, n))
        share = 0.5 + 0.5 * rng.random((n, 1))
        mixture = unit(share * communities[first] + (1 - share) * communities[second] + 1e-6)
        strength = _TASTE_STRENGTH * np.exp(_TASTE_STRENGTH_SPREAD * rng.standard_normal(n))
        return cls(
            tastes=strength[:, None] * unit(mixture + _OWN_TASTE * directions(rng, n)),
            strength=strength,
            drift=_DRIFT * directions(rng, n),
            rating_bias=0.35 * rng.standard_normal(n),
            rating_habit=1.3 * rng.standard_normal(n),
            patience=0.5 * rng.standard_normal(n),
            lateness=0.9 * rng.standard_normal(n),
            device_habit=0.8 * rng.standard_normal((n, n_devices)),
        )


def draw_communities(world: World, *, seed: int) -> NDArray[np.float64]:
    """Draw the communities of taste: each likes two genres and some themes, and cannot stand a third genre."""
    rng = stream(seed, Purpose.HEADCOUNT, 1)
    vectors = np.empty((_COMMUNITIES, DIMENSIONS))
    for number in range(_COMMUNITIES):
        liked, also_liked, disliked = rng.choice(len(world.genres), 3, replace=False)
        themes = world.themes[rng.choice(len(world.themes), 3, replace=False)].mean(axis=0)
        vectors[number] = world.genres[liked] + 0.7 * world.genres[also_liked] - 0.6 * world.genres[disliked] + themes
    # Centred: what all communities like is popularity, and that is the catalogue's to say.
    return unit(vectors - vectors.mean(axis=0))


def apportion(weights: NDArray[np.float64], total: int, *, fewest: int, most: int) -> NDArray[np.int64]:
    """Share `total` out in proportion to `weights`, in whole numbers from `fewest` to `most`, by largest remainder.

    Args:
        weights: positive, `(n,)`.
        total: from `fewest * n` to `most * n`.
        fewest: what each gets at least.
        most: what each gets at most.

    >>> apportion(np.array([1.0, 1.0, 8.0]), 20, fewest=2, most=10).tolist()
    [5, 5, 10]
    """
    room = most - fewest
    left = total - fewest * len(weights)
    is_full = np.zeros(len(weights), dtype=np.bool_)
    while True:
        share = (left - room * is_full.sum()) / max(weights[~is_full].sum(), np.finfo(np.float64).tiny)
        overflows = ~is_full & (weights * share > room)
        if not overflows.any():
            break
        is_full |= overflows
    exact = np.where(is_full, room, weights * share)
    whole = np.floor(exact).astype(np.int64)
    neediest = np.argsort(np.where(whole < room, whole - exact, np.inf), kind="stable")
    whole[neediest[: left - whole.sum()]] += 1
    return fewest + whole
