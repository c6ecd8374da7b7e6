"""The catalogue in words: complete, distinct, readable, and the same every time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mgw.ingest.sample import SampleSize, generate_catalogue
from mgw.ingest.sample.catalogue import Catalogue
from mgw.ingest.sample.genres import GENRE_NAMES
from mgw.ingest.sample.names import person_name
from mgw.ingest.sample.themes import THEMES
from mgw.ingest.sample.world import COORDINATE_STEPS, DIMENSIONS


def test_the_same_seed_gives_the_same_titles_and_another_seed_others(sample_size, sample_titles):
    assert generate_catalogue(sample_size, seed=7) == sample_titles
    assert generate_catalogue(sample_size, seed=8) != sample_titles


def test_the_catalogue_does_not_depend_on_users_and_events(sample_size, sample_titles):
    other = SampleSize(users=3, titles=sample_size.titles, events=15)
    assert generate_catalogue(other, seed=7) == sample_titles


def test_ids_names_and_plots_are_distinct(sample_size, sample_titles):
    assert [title.external_id for title in sample_titles] == [
        sample_size.title_id(i) for i in range(sample_size.titles)
    ]
    assert len({title.title for title in sample_titles}) == len(sample_titles)
    assert len({title.plot for title in sample_titles}) > 0.99 * len(sample_titles)


def test_names_stay_distinct_where_short_ones_run_out():
    titles = generate_catalogue(SampleSize(users=1, titles=12_000, events=5), seed=1)
    assert len({title.title for title in titles}) == 12_000


def test_fields_are_in_their_ranges(sample_titles):
    for title in sample_titles:
        assert title.kind in {"film", "series"}
        assert 1960 <= title.year <= 2025
        assert 12 <= title.runtime_minutes <= 210
        assert 1 <= len(title.genres) <= 3
        assert 1 <= len(title.themes) <= 3
        assert set(title.genres) <= set(GENRE_NAMES)
        assert set(title.themes) <= {theme.name for theme in THEMES}
        assert len(set(title.genres)) == len(title.genres)
        assert len(set(title.themes)) == len(title.themes)
        assert title.plot.endswith(".")
        assert title.genres[0] in title.plot
        assert "{" not in title.title + title.plot
        assert title.plot == " ".join(title.plot.split())


def test_credits_are_complete_and_in_order(sample_titles):
    for title in sample_titles:
        positions = {
            role: [credit.position for credit in title.credits if credit.role == role]
            for role in ("director", "writer", "actor")
        }
        assert positions["director"] == [1]
        assert positions["writer"] in ([1], [1, 2])
        assert positions["actor"] == list(range(1, len(positions["actor"]) + 1))
        assert 1 <= len(positions["actor"]) <= 6
        assert len({(credit.person, credit.role) for credit in title.credits}) == len(title.credits)


def test_people_come_back_and_mostly_in_one_genre(sample_titles):
    genres_of = {}
    for title in sample_titles:
        for credit in title.credits:
            genres_of.setdefault(credit.person, []).append(title.genres[0])
    busy = [genres for genres in genres_of.values() if len(genres) >= 5]
    assert len(busy) > 50
    assert np.mean([Counter(genres).most_common(1)[0][1] / len(genres) for genres in busy]) > 0.5


def test_a_few_actors_are_everywhere(sample_titles):
    parts = Counter(credit.person for title in sample_titles for credit in title.credits if credit.role == "actor")
    counts = np.sort(list(parts.values()))[::-1]
    assert counts[: len(counts) // 10].sum() > 0.26 * counts.sum()


def test_themes_go_with_genres(sample_titles):
    home = {theme.name: theme.genres for theme in THEMES}
    at_home = np.mean([title.genres[0] in home[theme] for title in sample_titles for theme in title.themes])
    by_chance = np.mean([title.genres[0] in home[theme.name] for title in sample_titles for theme in THEMES])
    assert at_home > 4 * by_chance


def test_series_are_shorter_than_films(sample_titles):
    films = [title.runtime_minutes for title in sample_titles if title.kind == "film"]
    series = [title.runtime_minutes for title in sample_titles if title.kind == "series"]
    assert np.quantile(series, 0.95) < np.quantile(films, 0.05)
    assert 0.2 < len(series) / len(sample_titles) < 0.4


def test_coordinates_are_whole_steps_whose_products_float32_holds(sample_size):
    places = Catalogue.drawn(sample_size, seed=7).places
    assert np.array_equal(places, np.rint(places))
    assert np.abs(places).max() ** 2 * DIMENSIONS < 2**24
    assert (places.astype(float) ** 2).sum(axis=1).mean() / COORDINATE_STEPS**2 == pytest.approx(DIMENSIONS, rel=0.01)


def test_people_never_share_a_name():
    numbers = [*range(60_000), *range(120_000, 130_000), *range(2_500_000, 2_510_000), *range(5_000_000, 5_010_000)]
    assert len({person_name(number) for number in numbers}) == len(numbers)
