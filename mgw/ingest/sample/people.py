"""The cast and crew of the sample: who works on what. Most people stay with one genre, and a few are everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.ingest.sample.genres import GENRES
from mgw.ingest.sample.world import World, directions, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAST = 6
"""The most actors that a title credits."""

_LOYALTY = 0.85
"""How often a credit goes to somebody whose genre it is."""


@dataclass(frozen=True, slots=True)
class People:
    """Who works on each of `n` titles, and what that does to a title.

    Attributes:
        directors: numbers of crew, `(n,)`.
        writers: numbers of crew, -1 for none, `(n, 2)`.
        cast: numbers of actors, -1 for none, in order of billing, `(n, CAST)`.
        styles: what a director adds to a title's place in taste, `(n_crew, DIMENSIONS)`.
        manners: the same for actors, `(n_actors, DIMENSIONS)`.
    """

    directors: NDArray[np.int64]
    writers: NDArray[np.int64]
    cast: NDArray[np.int64]
    styles: NDArray[np.float64]
    manners: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Pool:
    """People numbered genre by genre: those of genre g are `starts[g] : starts[g] + sizes[g]`."""

    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, count: float) -> _Pool:
        shares = np.array([genre.share for genre in GENRES])
        sizes = np.maximum(count * shares / shares.sum(), 4).astype(np.int64)
        return cls(np.cumsum(sizes) - sizes, sizes)

    def draw(self, rng: np.random.Generator, main_genre: NDArray[np.int64], columns: int) -> NDArray[np.int64]:
        """Draw `columns` people for each title, -1 where one was drawn twice; the first of a pool work most."""
        shape = (len(main_genre), columns)
        anywhere = rng.integers(0, len(self.sizes), shape)
        genre = np.where(rng.random(shape) < _LOYALTY, main_genre[:, None], anywhere)
        drawn = self.starts[genre] + (self.sizes[genre] * rng.random(shape) ** 2).astype(np.int64)
        for column in range(1, columns):
            again = (drawn[:, :column] == drawn[:, column, None]).any(axis=1)
            drawn[again, column] = -1
        return drawn

    def effects(self, rng: np.random.Generator, world: World) -> NDArray[np.float64]:
        """What each person adds to a title: half of it their genre's way, half their own."""
        own = directions(rng, int(self.sizes.sum()))
        return unit(np.repeat(world.genres, self.sizes, axis=0) + own)


def draw_people(rng: np.random.Generator, world: World, main_genre: NDArray[np.int64]) -> People:
    """Draw a director, one or two writers and up to CAST actors for each title."""
    n_titles = len(main_genre)
    crew, actors = _Pool.of(0.45 * n_titles), _Pool.of(1.1 * n_titles)
    directors = crew.draw(rng, main_genre, 1)[:, 0]
    writers = crew.draw(rng, main_genre, 2)
    writers[:, 0] = np.where(rng.random(n_titles) < 0.3, directors, writers[:, 0])
    writers[:, 1] = np.where((rng.random(n_titles) < 0.6) | (writers[:, 1] == writers[:, 0]), -1, writers[:, 1])
    cast = actors.draw(rng, main_genre, CAST)
    cast[np.arange(CAST) >= rng.integers(3, CAST + 1, n_titles)[:, None]] = -1
    return People(directors, writers, cast, crew.effects(rng, world), actors.effects(rng, world))
