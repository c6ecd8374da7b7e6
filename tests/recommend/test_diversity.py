"""Lists: greedy ones against their definition written as loops, shares of genres, and propensities that are true."""

from collections import Counter

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.sparse import csr_array

from mgw.core.settings import DiversitySettings
from mgw.recommend.diversity import best, choose_slate, intra_list_similarity

RNG = np.random.default_rng(0)
N = 40
SCORES = RNG.normal(size=N)
VECTORS = RNG.normal(size=(N, 5)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
GENRES = csr_array((np.arange(3)[None, :] == RNG.integers(0, 3, N)[:, None]).astype(np.float32))
ALL = np.ones(N, dtype=bool)


def slate(top_k=10, listable=ALL, seed=0, **values):
    return choose_slate(
        SCORES, listable, top_k, embeddings=VECTORS, genres=GENRES,
        settings=replace(DiversitySettings(), **values), rng=np.random.default_rng(seed),
    )  # fmt: skip


def test_without_a_threshold_the_list_is_that_of_the_scores():
    found = slate()
    assert found.columns.tolist() == np.argsort(-SCORES)[:10].tolist()
    assert found.propensities.tolist() == [1.0] * 10


def test_each_next_title_has_the_best_marginal_relevance():
    pool = np.argsort(-SCORES)[:20]
    relevance = (SCORES[pool] - SCORES[pool].min()) / (SCORES[pool].max() - SCORES[pool].min())
    chosen = []
    for _ in range(8):
        value = {}
        for place in set(range(20)) - set(chosen):
            nearest = max([0.0, *(float(VECTORS[pool[place]] @ VECTORS[pool[other]]) for other in chosen)])
            value[place] = 0.6 * relevance[place] - 0.4 * nearest
        chosen.append(max(value, key=value.__getitem__))
    found = slate(8, threshold=0.4, pool=20)
    assert found.columns.tolist() == pool[chosen].tolist()
    assert found.similarity < slate(8, pool=20).similarity


def test_no_genre_takes_more_than_its_share_while_there_are_others():
    found = slate(9, genre_share=1 / 3)
    has = GENRES[found.columns].toarray()
    assert has.sum(axis=0).tolist() == [3, 3, 3]
    one = np.flatnonzero(GENRES.toarray()[:, 0])
    only = np.isin(np.arange(N), one)
    assert len(slate(5, listable=only, genre_share=0.2).columns) == 5


def test_nothing_that_may_not_be_listed_is_and_the_list_ends_where_titles_do():
    few = np.zeros(N, dtype=bool)
    few[[3, 7]] = True
    for values in ({}, {"threshold": 0.5}, {"exploration": 1.0}):
        assert sorted(slate(5, listable=few, **values).columns.tolist()) == [3, 7]
    assert slate(5, listable=~ALL).columns.tolist() == []


def test_a_propensity_is_how_often_the_title_is_there():
    drawn = Counter()
    said = {}
    for seed in range(4000):
        found = slate(1, seed=seed, exploration=0.4, pool=4)
        drawn[int(found.columns[0])] += 1
        said[int(found.columns[0])] = found.propensities[0]
    assert sum(said.values()) == pytest.approx(1)
    for column, propensity in said.items():
        assert drawn[column] / 4000 == pytest.approx(propensity, abs=0.03)


def test_similarity_is_the_mean_over_pairs():
    pairs = [float(VECTORS[i] @ VECTORS[j]) for i in range(6) for j in range(6) if i != j]
    assert intra_list_similarity(VECTORS[:6]) == pytest.approx(np.mean(pairs), abs=1e-6)
    assert intra_list_similarity(VECTORS[:1]) == 0


def test_best_breaks_ties_by_column():
    assert best(np.array([1.0, 2, 2, 0]), np.array([True] * 4), 2).tolist() == [1, 2]
    assert best(np.array([1.0, 1, 1, 1]), np.array([False, True, True, True]), 2).tolist() == [1, 2]
