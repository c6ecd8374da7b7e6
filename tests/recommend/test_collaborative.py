"""ALS and EASE together: against the sums written out, and a score that is a sum over the titles watched."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from mgw.core.settings import AlsSettings, EaseSettings
from mgw.recommend.als import ALS
from mgw.recommend.baselines import EASE
from mgw.recommend.collaborative import CollaborativeSource, ItemWeights
from mgw.recommend.foldin import FoldIn
from mgw.recommend.viewer import Viewer

SETTINGS = EaseSettings(titles=12, regularization=5.0, share=0.6, prior_titles=3)


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(4)
    popularity = np.linspace(0.7, 0.05, 20)
    dense = (rng.random((60, 20)) < popularity) * rng.uniform(0.2, 1, (60, 20))
    return csr_array(dense.astype(np.float32))


@pytest.fixture(scope="module")
def source(matrix):
    als = ALS.fit(matrix, AlsSettings(factors=4, epochs=5), threads=1)
    return CollaborativeSource(FoldIn(als.item_factors, als.settings), ItemWeights.fit(matrix, SETTINGS), SETTINGS)


def viewer_of(items, strength):
    items = np.array(items)
    events = np.zeros(len(items)), np.ones(len(items), dtype=np.float32)
    return Viewer(items, *events, items, np.array(strength, dtype=np.float32))


VIEWERS = [viewer_of([0, 3, 17, 19], [1, 0.5, 0.25, 1]), viewer_of([18], [1]), viewer_of([2, 1], [0.5, 0.5])]


def test_the_most_watched_titles_are_known_and_say_what_ease_says(matrix, source):
    viewers = np.bincount(matrix.indices, minlength=20)
    known = source.item_weights.titles
    assert len(known) == 12
    assert viewers[known].min() >= np.delete(viewers, known).max()
    reference = EASE.fit(csr_array(matrix.toarray()[:, known]), regularization=5.0)
    np.testing.assert_array_equal(source.item_weights.weights, reference.weights)


@pytest.mark.parametrize("viewer", VIEWERS)
def test_scores_are_added_where_both_know_a_title(source, viewer):
    als = source.fold_in.item_factors @ source.fold_in.user_factors(viewer.liked, viewer.strength)
    titles, weights = source.item_weights.titles.tolist(), source.item_weights.weights
    expected, share = als.astype(float), 0.6 * len(viewer.liked) / (len(viewer.liked) + 3)
    for place, title in enumerate(titles):
        pairs = sum(
            strength * weights[titles.index(item), place]
            for item, strength in zip(viewer.liked, viewer.strength, strict=True)
            if item in titles
        )
        expected[title] = (1 - share) * als[title] + share * pairs
    assert source.scores(viewer) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_score_is_the_sum_of_what_the_watched_titles_give(source, viewer):
    targets = np.arange(20)
    given = source.contributions(viewer, targets)
    assert given.shape == (20, len(viewer.liked))
    assert given.sum(axis=1) == pytest.approx(source.scores(viewer), abs=1e-6)


def test_somebody_without_titles_has_no_scores(source):
    assert not source.scores(viewer_of(np.zeros(0, dtype=np.int64), [])).any()


def test_without_titles_to_fit_to_all_is_left_to_als(matrix):
    assert ItemWeights.fit(matrix, EaseSettings(titles=0)) is None
    assert ItemWeights.fit(csr_array((5, 4), dtype=np.float32), SETTINGS) is None
