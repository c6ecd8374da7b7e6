"""The catalogue of the sample in numbers: what each title is made of, where that puts it in taste, how popular it is.

A title's place follows from what a viewer can read about it (genres, themes, director, leading cast) and some chance
of its own. That is why recommenders that look at content and recommenders that look at viewers agree, but not fully.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.ingest.sample.genres import GENRE_NAMES, GENRES
from mgw.ingest.sample.people import draw_people
from mgw.ingest.sample.size import Purpose, SampleSize, stream
from mgw.ingest.sample.themes import THEMES
from mgw.ingest.sample.world import DIMENSIONS, SCORE_STEPS, World, directions, in_steps, pick, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

WINDOW_DAYS = 731
"""The two years that viewing events lie in, a leap day included."""

NEWEST_AGE_DAYS = 21.0
NEWEST_YEAR = 2025

_SHARE_OF_SERIES = 0.3
_SHARE_OF_RELEASES = 0.22
_POPULARITY_EXPONENT = 1.5
_POPULARITY_PLATEAU = 0.012
"""Popularity is (rank + plateau)^-exponent (Mandelbrot 1953), both relative to the size of the catalogue."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The titles of a sample, one row each.

    Attributes:
        genres: numbers of one to three genres, the main one first, -1 where there are fewer, `(n, 3)`.
        themes: numbers of one to three themes, likewise, `(n, 3)`.
        directors: number of the director among the crew, `(n,)`.
        writers: numbers of the writers among the crew, -1 where there is no second, `(n, 2)`.
        cast: numbers of the actors in order of billing, -1 where there are fewer, `(n, CAST)`.
        is_series: whether the title is a series, `(n,)`.
        runtime_minutes: of the film, or of one sitting with the series, `(n,)`.
        age_days: how long before the end of the sample the title came out, `(n,)`.
        places: where it stands in taste, in whole steps, `(n, DIMENSIONS)`.
        appeal: log popularity, in whole steps of a score, `(n,)`.
        quality: how good it is, standard normal, `(n,)`.
    """

    genres: NDArray[np.int64]
    themes: NDArray[np.int64]
    directors: NDArray[np.int64]
    writers: NDArray[np.int64]
    cast: NDArray[np.int64]
    is_series: NDArray[np.bool_]
    runtime_minutes: NDArray[np.int64]
    age_days: NDArray[np.float64]
    places: NDArray[np.float32]
    appeal: NDArray[np.float32]
    quality: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.directors)

    @property
    def years(self) -> NDArray[np.int64]:
        """The year in which each title came out, for a sample that ends with NEWEST_YEAR."""
        return NEWEST_YEAR - (self.age_days // 365.25).astype(np.int64)

    @classmethod
    def drawn(cls, size: SampleSize, *, seed: int) -> Catalogue:
        """Draw the catalogue that belongs to a size and a seed."""
        rng = stream(seed, Purpose.CATALOGUE)
        world = World.drawn(seed)
        genres = _genres(rng, world, size.titles)
        themes = _themes(rng, world, genres)
        people = draw_people(rng, world, genres[:, 0])
        is_series = rng.random(size.titles) < _SHARE_OF_SERIES
        quality = rng.standard_normal(size.titles)
        age_days = _ages(rng, size.titles)
        content = (
            unit(_mean(world.genres, genres, (1.0, 0.6, 0.4)))
            + 0.6 * unit(_mean(world.themes, themes, (1.0, 0.7, 0.5)))
            + 0.45 * people.styles[people.directors]
            + 0.45 * _mean(people.manners, people.cast[:, :3], (0.5, 0.3, 0.2))
            + 0.45 * directions(rng, size.titles)
        )
        return cls(
            genres=genres,
            themes=themes,
            directors=people.directors,
            writers=people.writers,
            cast=people.cast,
            is_series=is_series,
            runtime_minutes=_runtimes(rng, genres[:, 0], is_series),
            age_days=age_days,
            places=_places(content),
            appeal=_appeal(rng, quality, age_days),
            quality=quality,
        )


def _genres(rng: np.random.Generator, world: World, n_titles: int) -> NDArray[np.int64]:
    shares = np.log([genre.share for genre in GENRES])
    main = pick(rng, np.broadcast_to(shares, (n_titles, len(GENRES))), 1)
    others = 3.0 * (world.genres @ world.genres.T)[main[:, 0]] + shares
    others[np.arange(n_titles), main[:, 0]] = -np.inf
    return _ragged(np.hstack([main, pick(rng, others, 2)]), 1 + rng.binomial(2, 0.5, n_titles))


def _themes(rng: np.random.Generator, world: World, genres: NDArray[np.int64]) -> NDArray[np.int64]:
    is_at_home = np.array([[name in theme.genres for theme in THEMES] for name in GENRE_NAMES])
    closeness = 2.0 * (_mean(world.genres, genres, (1.0, 0.6, 0.4)) @ world.themes.T)
    return _ragged(pick(rng, closeness + 2.5 * is_at_home[genres[:, 0]], 3), 1 + rng.binomial(2, 0.5, len(genres)))


def _ragged(numbers: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep the first `counts` numbers of each row, and -1 for the rest."""
    return np.where(np.arange(numbers.shape[1]) < counts[:, None], numbers, -1)


def _mean(vectors: NDArray[np.float64], rows: NDArray[np.int64], weights: tuple[float, ...]) -> NDArray[np.float64]:
    """Average `vectors` over the rows named by `(n, k)`, leaving out -1."""
    weight = np.where(rows >= 0, np.array(weights), 0.0)
    weight /= weight.sum(axis=1, keepdims=True)
    mean = np.zeros((len(rows), DIMENSIONS))
    for column in range(rows.shape[1]):
        mean += weight[:, column, None] * vectors[rows[:, column]]
    return mean


def _places(content: NDArray[np.float64]) -> NDArray[np.float32]:
    """Centre the titles and scale them so that their dot products with a unit taste vary by about 1."""
    centred = content - content.mean(axis=0)
    # By column: scores are summed up one dimension after the other over all titles.
    return np.asfortranarray(in_steps(centred * np.sqrt(DIMENSIONS / (centred**2).sum(axis=1).mean())))


def _ages(rng: np.random.Generator, n_titles: int) -> NDArray[np.float64]:
    """Days since release: some within the window, most before it, and fewer the longer ago."""
    fresh = NEWEST_AGE_DAYS + rng.random(n_titles) * (WINDOW_DAYS - NEWEST_AGE_DAYS)
    older = WINDOW_DAYS + np.minimum(rng.exponential(11 * 365.25, n_titles), 60 * 365.25)
    return np.where(rng.random(n_titles) < _SHARE_OF_RELEASES, fresh, older)


def _runtimes(
    rng: np.random.Generator, main_genre: NDArray[np.int64], is_series: NDArray[np.bool_]
) -> NDArray[np.int64]:
    films = np.array([genre.runtime_minutes for genre in GENRES])[main_genre] + 13 * rng.standard_normal(
        len(main_genre)
    )
    series = np.array([23.0, 42.0, 52.0])[rng.integers(0, 3, len(main_genre))] + 3 * rng.standard_normal(
        len(main_genre)
    )
    minutes: NDArray[np.float64] = np.clip(np.where(is_series, series, films), 12, 210)
    return np.rint(minutes).astype(np.int64)


def _appeal(
    rng: np.random.Generator, quality: NDArray[np.float64], age_days: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Log popularity: a power law over ranks that good titles lead more often, less what a late release misses."""
    merit = 0.5 * quality + rng.standard_normal(len(quality)) - 0.004 * np.maximum(age_days / 365.25 - 10, 0)
    rank = np.empty(len(merit))
    rank[np.argsort(-merit, kind="stable")] = np.arange(len(merit)) / len(merit)
    law = -_POPULARITY_EXPONENT * np.log(rank + _POPULARITY_PLATEAU)
    exposure = 0.85 * np.log(np.minimum(age_days / WINDOW_DAYS, 1.0))
    return np.rint((law + exposure) * SCORE_STEPS).astype(np.float32)
