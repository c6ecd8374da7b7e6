"""How large a sample is, what sizes make sense, and the random streams and ids that follow from a size.

Every part of a sample draws from a stream of its own, named by the seed, a purpose and an index. A part therefore
comes out the same whether or not, and in whatever order, the others are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from mgw.core.errors import ParametersInvalid

MINIMUM_EVENTS_PER_USER = 5
"""Fewer leave nothing to learn from once the last ones are held out."""

MAXIMUM_EVENTS_PER_USER = 2000
"""Nearly three titles a day over two years: beyond this a viewer's days are too short."""


class Purpose(IntEnum):
    """What a random stream is for; the numbers are part of what makes two runs equal, so they never change."""

    WORLD = 1
    CATALOGUE = 2
    STORIES = 3
    HEADCOUNT = 4
    VIEWING = 5


def stream(seed: int, purpose: Purpose, index: int = 0) -> np.random.Generator:
    """Open the random stream of one purpose, at its beginning.

    Raises:
        ParametersInvalid: if the seed is negative.
    """
    if seed < 0:
        raise ParametersInvalid(f"the seed of a sample is {seed}", hint="choose a whole number from 0 upwards")
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(purpose, index))))


@dataclass(frozen=True, slots=True)
class SampleSize:
    """How many users, titles and viewing events a sample has, exactly.

    Raises:
        ParametersInvalid: if the three do not fit together; the hint names numbers that do.

    >>> SampleSize().user_id(41), SampleSize().title_id(6)
    ('u00042', 't0007')
    """

    users: int = 2000
    titles: int = 1500
    events: int = 150_000

    def __post_init__(self) -> None:
        if self.users < 1:
            raise ParametersInvalid(f"a sample of {self.users} users", hint="ask for 1 user or more")
        if self.titles < 2 * MINIMUM_EVENTS_PER_USER:
            raise ParametersInvalid(
                f"a sample of {self.titles} titles",
                hint=f"ask for {2 * MINIMUM_EVENTS_PER_USER} titles or more, so that viewers have something to choose",
            )
        fewest = MINIMUM_EVENTS_PER_USER * self.users
        most = self.users * min(self.titles, MAXIMUM_EVENTS_PER_USER) // 2
        if not fewest <= self.events <= most:
            raise ParametersInvalid(
                f"a sample of {self.events} events by {self.users} users on {self.titles} titles",
                hint=f"ask for {fewest} to {most} events: each user has {MINIMUM_EVENTS_PER_USER} at least, and on"
                f" average at most {most // self.users}, half of the catalogue or half of what two years have room for",
            )

    def user_id(self, index: int) -> str:
        """The external id of the user at `index`, all of one width."""
        return f"u{index + 1:0{max(5, len(str(self.users)))}d}"

    def title_id(self, index: int) -> str:
        """The external id of the title at `index`, all of one width."""
        return f"t{index + 1:0{max(4, len(str(self.titles)))}d}"
