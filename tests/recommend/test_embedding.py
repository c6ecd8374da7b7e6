"""Embeddings against NumPy's own decomposition, and what the catalogue's text becomes."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from mgw.recommend.content.catalogue import text_matrix
from mgw.recommend.content.embedding import embed, tf_idf, unit_rows


def counts(rng, n=30, words=40):
    return csr_array((rng.random((n, words)) < 0.2) * rng.integers(1, 4, (n, words)))


def test_rare_words_weigh_more_and_a_word_of_all_titles_nothing():
    found = tf_idf(csr_array(np.array([[1, 1, 3], [1, 0, 0], [1, 0, 0]]))).toarray()
    assert found[:, 0].tolist() == [0, 0, 0]
    assert found[0, 1] == pytest.approx(np.log(3))
    assert found[0, 2] == pytest.approx((1 + np.log(3)) * np.log(3))


def test_cosines_are_those_of_the_leading_singular_directions():
    rng = np.random.default_rng(0)
    fields = [(counts(rng), 1.0), (counts(rng, words=15), 0.5)]
    matrix = np.hstack([weight * unit_rows(tf_idf(each)).toarray() for each, weight in fields])
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    expected = u[:, :6] * s[:6]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = embed(fields, 6)
    assert found @ found.T == pytest.approx(expected @ expected.T, abs=1e-5)
    assert np.array_equal(found, embed(fields, 6))


def test_a_title_without_words_and_dimensions_without_words_are_zero():
    rng = np.random.default_rng(1)
    dense = counts(rng).toarray()
    dense[3] = 0
    found = embed([(csr_array(dense), 1.0)], 100)
    assert not found[3].any()
    assert np.linalg.norm(found[[0, 1, 2]], axis=1) == pytest.approx(1)
    assert not found[:, 30:].any()
    assert not embed([(csr_array((5, 0)), 1.0)], 4).any()


def test_text_is_counted_by_words_that_some_share_and_not_all():
    texts = ["The Heist of the heist", "A heist", "Über the sea", "über sea the", "the", "the", "the", "x"]
    found = text_matrix(texts).toarray()
    columns = sorted(found.T.tolist())
    assert found.shape[1] == 3  # heist, sea, über; the is everywhere, single letters are none
    assert [2, 1, 0, 0, 0, 0, 0, 0] in columns
