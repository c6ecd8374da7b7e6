"""Two rankings in one list: each user sees both, and what they watch says which they prefer.

Team draft (Radlinski, Kurup & Joachims 2008): in each round both rankings name their best title that is not in the list
yet, and a coin says which goes first. A watched title is a point for the ranking that named it. It takes a fraction of
the users of a test with two groups, for each user is compared with themselves; what it says is which ranking is
preferred, not by how much a metric would change.

The credit of a user is (points of the second - points of the first) / all points, 0 where there are none, so that a
user who watches a lot counts no more than another.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from mgw.core.errors import NotEnoughData
from mgw.experiments.statistics import Difference, Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_Item = TypeVar("_Item")


def team_draft(
    first: Sequence[_Item], second: Sequence[_Item], length: int, rng: np.random.Generator
) -> tuple[list[_Item], list[int]]:
    """Draft a list from two rankings.

    Args:
        first: a ranking, best first, without repetitions.
        second: another.
        length: of the list; it is shorter where the rankings are.
        rng: tosses the coins.

    Returns:
        the list, and which ranking named each title: 0 the first, 1 the second.
    """
    rankings = (first, second)
    chosen: list[_Item] = []
    teams: list[int] = []
    taken: set[_Item] = set()
    places = [0, 0]
    while len(chosen) < length:
        before = len(chosen)
        begins = int(rng.integers(2))
        for team in (begins, 1 - begins):
            ranking = rankings[team]
            while places[team] < len(ranking) and ranking[places[team]] in taken:
                places[team] += 1
            if places[team] < len(ranking) and len(chosen) < length:
                chosen.append(ranking[places[team]])
                teams.append(team)
                taken.add(chosen[-1])
        if len(chosen) == before:
            break
    return chosen, teams


def credit(points_first: int, points_second: int) -> float:
    """Return a user's credit, -1 where all points are the first's, 1 where all are the second's."""
    points = points_first + points_second
    return (points_second - points_first) / points if points else 0.0


def preference(users: Moments) -> Difference:
    """Return the mean credit over users as a difference to 0, which is no preference.

    Raises:
        NotEnoughData: there are fewer than two users, or all have the same credit.
    """
    variance = users.variance / users.n
    if not (variance > 0 and math.isfinite(variance)):
        raise NotEnoughData("all users have the same credit: nothing can be said of a preference")
    return Difference(users.mean, variance, users.n - 1, users.n)
