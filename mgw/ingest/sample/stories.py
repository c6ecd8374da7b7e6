"""The sample's catalogue in words: a title, a plot of two sentences and credits for every row of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING, Literal, NamedTuple

from mgw.ingest.sample.catalogue import Catalogue
from mgw.ingest.sample.genres import GENRES, Genre
from mgw.ingest.sample.names import GIVEN_NAMES, OCCUPATIONS, PLACES, person_name
from mgw.ingest.sample.size import Purpose, SampleSize, stream
from mgw.ingest.sample.themes import THEMES, Theme

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

_PAIR_PATTERN = "{noun} and {other_noun}"
_TITLE_PATTERNS = (
    "The {adjective} {noun}",
    "{adjective} {noun}",
    "The {noun} of {place}",
    "{given}'s {noun}",
    _PAIR_PATTERN,
    "{a_noun} for {given}",
    "{adjective} {place}",
    "The {adjective} {noun} of {place}",
    "{given} and the {adjective} {noun}",
)
_ROOMY_PATTERN = "{given}, {other_given} and the {adjective} {noun} of {place}"
"""Has the most combinations by far: used where the catalogue is so large that the others run out."""

_SHORT_PATTERNS_TRIED = 6


class Credit(NamedTuple):
    """One person's part in a title; `position` counts from 1 within the role."""

    person: str
    role: Literal["actor", "director", "writer"]
    position: int


@dataclass(frozen=True, slots=True)
class SampleTitle:
    """One title as the catalogue of a platform would carry it."""

    external_id: str
    title: str
    kind: Literal["film", "series"]
    year: int
    runtime_minutes: int
    plot: str
    genres: tuple[str, ...]
    themes: tuple[str, ...]
    credits: tuple[Credit, ...]


class _Dice:
    """Chooses words from thousands of throws at a time: a call of the generator for each would be most of the work."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._throws = self._endless(rng)

    def one_of(self, words: Sequence[str]) -> str:
        return words[int(next(self._throws) * len(words))]

    @staticmethod
    def _endless(rng: np.random.Generator) -> Iterator[float]:
        while True:
            yield from rng.random(4096).tolist()


def generate_catalogue(size: SampleSize, *, seed: int) -> list[SampleTitle]:
    """Draw the catalogue of a sample; the same size and seed give the same titles.

    Args:
        size: how many titles there are; events refer to them by their position in the list.
        seed: a whole number from 0 upwards.

    Returns:
        `size.titles` titles, no two with the same name.

    Raises:
        ParametersInvalid: if the seed is negative.

    >>> generate_catalogue(SampleSize(users=1, titles=10, events=5), seed=1)[0].external_id
    't0001'
    """
    catalogue = Catalogue.drawn(size, seed=seed)
    dice = _Dice(stream(seed, Purpose.STORIES))
    years = catalogue.years.tolist()
    taken: set[str] = set()
    titles = []
    for index in range(size.titles):
        genres = [GENRES[number] for number in catalogue.genres[index].tolist() if number >= 0]
        themes = [THEMES[number] for number in catalogue.themes[index].tolist() if number >= 0]
        titles.append(
            SampleTitle(
                external_id=size.title_id(index),
                title=_name(dice, genres, taken),
                kind="series" if catalogue.is_series[index] else "film",
                year=years[index],
                runtime_minutes=int(catalogue.runtime_minutes[index]),
                plot=_plot(dice, genres, themes),
                genres=tuple(genre.name for genre in genres),
                themes=tuple(theme.name for theme in themes),
                credits=tuple(_credits(catalogue, index)),
            )
        )
    return titles


def _name(dice: _Dice, genres: list[Genre], taken: set[str]) -> str:
    """Compose a name that no earlier title has, and enter it among those taken."""
    patterns = [dice.one_of(_TITLE_PATTERNS) for _ in range(_SHORT_PATTERNS_TRIED)]
    for pattern in chain(patterns, repeat(_ROOMY_PATTERN)):
        genre = genres[0] if len(genres) == 1 else genres[int(dice.one_of("001"))]
        noun = dice.one_of(genre.nouns)
        name = pattern.format(
            adjective=dice.one_of(genre.adjectives),
            noun=noun,
            a_noun=_with_article(noun),
            other_noun=dice.one_of(genres[0].nouns),
            given=dice.one_of(GIVEN_NAMES),
            other_given=dice.one_of(GIVEN_NAMES),
            place=dice.one_of(PLACES),
        )
        if name not in taken and not (pattern == _PAIR_PATTERN and len(set(name.split(" and "))) == 1):
            break
    taken.add(name)
    return name


def _plot(dice: _Dice, genres: list[Genre], themes: list[Theme]) -> str:
    """Compose two sentences: the main character and the main theme, then the tone of the genre."""
    character = f"{dice.one_of(GIVEN_NAMES)}, {dice.one_of(OCCUPATIONS)} from {dice.one_of(PLACES)},"
    matter = " and ".join([genre.name for genre in genres[:2]])
    about = f" about {' and '.join(theme.name for theme in themes[1:])}" if len(themes) > 1 else ""
    closing = dice.one_of(genres[0].closings)
    closing = closing[0].lower() + closing[1:]
    return f"{character} {themes[0].clause}. {_with_article(matter)} story{about}: {closing}"


def _with_article(words: str) -> str:
    return f"{'An' if words[0].lower() in 'aeiou' else 'A'} {words}"


def _credits(catalogue: Catalogue, index: int) -> Iterator[Credit]:
    """Credit the director, the writers and the cast; crew have the even numbers among people, actors the odd ones."""
    yield Credit(person_name(2 * int(catalogue.directors[index])), "director", 1)
    writers = [number for number in catalogue.writers[index].tolist() if number >= 0]
    for position, number in enumerate(writers, start=1):
        yield Credit(person_name(2 * number), "writer", position)
    actors = [number for number in catalogue.cast[index].tolist() if number >= 0]
    for position, number in enumerate(actors, start=1):
        yield Credit(person_name(2 * number + 1), "actor", position)
