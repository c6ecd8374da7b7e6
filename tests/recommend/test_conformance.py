"""What every model keeps, whatever it is: a class of tests that each inherits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from mgw.core.settings import AlsSettings
from mgw.recommend import ALS, EASE, ItemKNN, Popularity, RP3Beta

from .als.test_model import random_matrix


class Conformance:
    """A model has `fit`, which makes one from a matrix."""

    @staticmethod
    def fit(matrix):
        raise NotImplementedError

    @pytest.fixture
    def matrix(self):
        return random_matrix(50, 35, 0.2, seed=8)  # user 3 and title 5 have no interactions

    def test_scores_have_a_row_for_each_user_asked_and_a_column_for_each_title(self, matrix):
        scores = self.fit(matrix).scores(np.array([7, 0, 7]))
        assert (scores.shape, scores.dtype) == ((3, 35), np.float32)
        assert np.array_equal(scores[0], scores[2])
        assert self.fit(matrix).scores(np.zeros(0, dtype=np.int64)).shape == (0, 35)

    def test_users_asked_together_get_what_they_get_alone(self, matrix):
        model, users = self.fit(matrix), np.arange(50)
        alone = np.concatenate([model.scores(users[[user]]) for user in users])
        np.testing.assert_allclose(model.scores(users), alone, rtol=1e-5, atol=1e-6)

    def test_others_are_answered_by_their_history_alone(self, matrix):
        model, others = self.fit(matrix), matrix[[9, 3, 20]]
        given = model.given(others)
        together, alone = given.scores(np.arange(3)), model.given(others[[0]]).scores(np.array([0]))
        np.testing.assert_allclose(together[[0]], alone, rtol=1e-5, atol=1e-6)
        assert np.isfinite(together).all()
        # A user of the training who comes with the same history is answered much the same.
        assert np.corrcoef(together[0], model.scores(np.array([9]))[0])[0, 1] > 0.95

    def test_fitting_again_gives_the_same_model(self, matrix):
        users = np.arange(50)
        assert self.fit(matrix).scores(users).tobytes() == self.fit(matrix.copy()).scores(users).tobytes()

    def test_the_matrix_is_left_alone(self, matrix):
        before = [each.copy() for each in (matrix.data, matrix.indices, matrix.indptr)]
        self.fit(matrix).scores(np.arange(50))
        for was, now in zip(before, (matrix.data, matrix.indices, matrix.indptr), strict=True):
            assert np.array_equal(was, now)

    def test_scores_are_numbers_for_users_and_titles_without_interactions(self, matrix):
        scores = self.fit(matrix).scores(np.arange(50))
        assert np.isfinite(scores).all()
        assert (scores[:, 5] <= scores.max(axis=1)).all()

    def test_the_order_in_which_interactions_are_stored_does_not_matter(self, matrix):
        coo = matrix.tocoo()
        order = np.random.default_rng(0).permutation(coo.nnz)
        rows, columns = coo.coords
        shuffled = csr_array((coo.data[order], (rows[order], columns[order])), shape=matrix.shape)
        users = np.arange(50)
        np.testing.assert_allclose(
            self.fit(shuffled).scores(users), self.fit(matrix).scores(users), rtol=1e-4, atol=1e-6
        )

    def test_it_finds_what_the_others_of_a_group_watched(self):
        blocks = np.kron(np.eye(3), np.ones((20, 10))).astype(np.float32)
        blocks[0, 4] = 0
        scores = self.fit(csr_array(blocks)).scores(np.array([0]))[0]
        if not isinstance(self, TestPopularity):  # the one that is the same for everybody
            assert scores[4] > scores[10:].max()


class TestAls(Conformance):
    @staticmethod
    def fit(matrix):
        return ALS.fit(matrix, AlsSettings(factors=8, epochs=6, seed=2))


class TestEase(Conformance):
    @staticmethod
    def fit(matrix):
        return EASE.fit(matrix, regularization=10.0)


class TestItemKnn(Conformance):
    @staticmethod
    def fit(matrix):
        return ItemKNN.fit(matrix)


class TestRp3Beta(Conformance):
    @staticmethod
    def fit(matrix):
        return RP3Beta.fit(matrix)


class TestPopularity(Conformance):
    @staticmethod
    def fit(matrix):
        return Popularity.fit(matrix)
