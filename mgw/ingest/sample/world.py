"""The space that titles and tastes share: where genres and themes lie in it, and how values in it are kept exact.

Coordinates are whole numbers of 1/32 in float32 arrays. Dot products of such numbers stay below 2^24, so that float32
holds them exactly in whatever order they are summed: the same seed chooses the same titles on every processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.ingest.sample.genres import GENRE_NAMES, GENRES
from mgw.ingest.sample.size import Purpose, stream
from mgw.ingest.sample.themes import THEMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSIONS = 20
COORDINATE_STEPS = 32
"""Steps to one unit of a coordinate."""

SCORE_STEPS = COORDINATE_STEPS**2
"""Steps to one unit of a dot product, and of everything that is added to one."""

_LARGEST_COORDINATE = 26 * COORDINATE_STEPS
"""20 · (26 · 32)² < 2^24: dot products within this bound are exact."""

_THEME_SPREAD = 0.9
"""How far a theme lies from the genres that it is at home in, which are one unit from the centre."""


@dataclass(frozen=True, slots=True)
class World:
    """Genres and themes as unit vectors, `(n_genres, DIMENSIONS)` and `(n_themes, DIMENSIONS)`."""

    genres: NDArray[np.float64]
    themes: NDArray[np.float64]

    @classmethod
    def drawn(cls, seed: int) -> World:
        """Place genres by hand in four dimensions and by chance in the rest; themes near the genres they belong to."""
        rng = stream(seed, Purpose.WORLD)
        by_hand = np.array([genre.place for genre in GENRES])
        by_chance = rng.standard_normal((len(GENRES), DIMENSIONS - by_hand.shape[1])) / 4
        genres = unit(np.hstack([by_hand * 0.6, by_chance]))
        home = np.array([genres[[GENRE_NAMES.index(name) for name in theme.genres]].mean(axis=0) for theme in THEMES])
        return cls(genres, unit(unit(home) + _THEME_SPREAD * directions(rng, len(THEMES))))


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale the rows of `(n, DIMENSIONS)` to length 1."""
    lengths: NDArray[np.float64] = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return vectors / lengths


def directions(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Draw unit vectors in every direction alike, `(count, DIMENSIONS)`."""
    return unit(rng.standard_normal((count, DIMENSIONS)))


def in_steps(coordinates: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round coordinates to whole steps, as the exact arithmetic of scores needs them."""
    steps = np.rint(coordinates * COORDINATE_STEPS)
    return np.clip(steps, -_LARGEST_COORDINATE, _LARGEST_COORDINATE).astype(np.float32)


def pick(rng: np.random.Generator, log_weights: NDArray[np.float64], top_k: int) -> NDArray[np.int64]:
    """Draw `top_k` different columns for each row of `(n, m)`, in proportion to their weights, first choice first.

    Adding Gumbel noise to log weights and keeping the largest is the same as drawing without replacement one after
    the other (Yellott 1977, theorem 5; "Gumbel top-k", Kool et al. 2019, section 2).
    """
    noisy = log_weights + rng.gumbel(size=log_weights.shape)
    return np.argsort(-noisy, axis=1, kind="stable")[:, :top_k]
