"""Metrics against loops that anybody can check, and against values worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_array

from mgw.recommend import metrics

SCORES = [-math.inf, -2.0, -1.0, -1e-30, -0.0, 0.0, 1e-30, 1.0, 1.0000001, 2.0, math.inf]
laws = settings(deadline=None)  # no timing asserts: the first example pays for imports


@st.composite
def rankings(draw):
    """Scores with many ties, what is excluded, what is relevant (never both), and k."""
    shape = (draw(st.integers(1, 5)), draw(st.integers(1, 9)))
    scores = draw(hnp.arrays(np.float32, shape, elements=st.sampled_from(SCORES).map(np.float32)))
    state = draw(hnp.arrays(np.int8, shape, elements=st.integers(0, 2)))  # 0 neither, 1 excluded, 2 relevant
    return scores, state == 1, state == 2, draw(st.integers(1, 12))


def slow_list(scores, excluded, k):
    columns = [column for column in range(len(scores)) if not excluded[column]]
    columns.sort(key=lambda column: (-scores[column], column))
    return columns[:k]


def listed(rows, k):
    return np.array([row + [-1] * (k - len(row)) for row in rows], dtype=np.int32)


@laws
@given(rankings())
def test_lists_are_those_of_a_sort_by_score_then_column(ranking):
    scores, excluded, _, k = ranking
    expected = listed([slow_list(*row, k) for row in zip(scores, excluded, strict=True)], k)
    assert metrics.top_columns(scores, csr_array(excluded), k).tolist() == expected.tolist()


def test_scores_are_left_alone_and_may_be_read_only():
    scores = np.array([[3.0, -0.0, 5.0]], dtype=np.float32)
    scores.setflags(write=False)
    assert metrics.top_columns(scores, None, 2).tolist() == [[2, 0]]


@laws
@given(rankings())
def test_metrics_of_users_are_those_of_the_definitions(ranking):
    scores, excluded, relevant, k = ranking
    lists = metrics.top_columns(scores, csr_array(excluded), k)
    hits = metrics.find_hits(lists, csr_array(relevant))
    surprise = np.arange(scores.shape[1]) + 0.5
    asked = np.flatnonzero(relevant.any(axis=1))
    n_relevant = np.count_nonzero(relevant[asked], axis=1)
    got = {
        "ndcg": metrics.ndcg(hits[asked], n_relevant),
        "recall": metrics.recall(hits[asked], n_relevant),
        "precision": metrics.precision(hits[asked]),
        "novelty": metrics.novelty(lists[asked], surprise),
    }
    for place, user in enumerate(asked):
        mine = slow_list(scores[user], excluded[user], k)
        wanted = [column for column in range(scores.shape[1]) if relevant[user, column]]
        gained = sum(1 / math.log2(rank + 1) for rank, column in enumerate(mine, start=1) if column in wanted)
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(wanted), k) + 1))
        found = len([column for column in mine if column in wanted])
        assert got["ndcg"][place] == pytest.approx(gained / ideal)
        assert got["recall"][place] == pytest.approx(found / len(wanted))
        assert got["precision"][place] == pytest.approx(found / k)
        assert got["novelty"][place] == pytest.approx(sum(column + 0.5 for column in mine) / len(mine))


@laws
@given(rankings())
def test_coverage_counts_titles_on_any_list(ranking):
    scores, excluded, _, k = ranking
    shown = {column for row in zip(scores, excluded, strict=True) for column in slow_list(*row, k)}
    lists = metrics.top_columns(scores, csr_array(excluded), k)
    assert metrics.coverage(lists, scores.shape[1]) == pytest.approx(len(shown) / scores.shape[1])


@laws
@given(hnp.arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 6))))
def test_self_information_is_minus_the_binary_logarithm_of_the_share_of_pairs(matrix):
    total = max(int(matrix.sum()), 1)
    expected = [-math.log2(max(sum(column), 1) / total) for column in matrix.T.tolist()]
    assert metrics.self_information(csr_array(matrix)).tolist() == pytest.approx(expected)


def test_values_worked_out_by_hand():
    # Five places, titles 7 and 2 found at ranks 2 and 3, of three held out; the third was not found.
    lists = np.array([[4, 7, 2, 0, 1]], dtype=np.int32)
    relevant = csr_array((np.ones(3), ([0, 0, 0], [2, 7, 9])), shape=(1, 10))
    hits = metrics.find_hits(lists, relevant)
    assert hits.tolist() == [[False, True, True, False, False]]
    # DCG = 1 / log2 3 + 1 / log2 4 = .63093 + .5; ideal = 1 + .63093 + .5
    assert metrics.ndcg(hits, np.array([3]))[0] == pytest.approx(1.13093 / 2.13093, abs=1e-5)
    assert metrics.recall(hits, np.array([3]))[0] == pytest.approx(2 / 3)
    assert metrics.precision(hits)[0] == pytest.approx(2 / 5)


def test_recall_divides_by_all_that_was_held_out_even_where_the_list_is_too_short_for_it():
    assert metrics.recall(np.array([[True, True]]), np.array([8])).tolist() == [0.25]
    assert metrics.ndcg(np.array([[True, True]]), np.array([8])).tolist() == [1.0]


def test_novelty_of_a_title_with_an_eighth_of_the_pairs_is_three_bits():
    # Pairs per title 4, 2, 1, 1, of 8: 1, 2, 3 and 3 bits; a fifth title without a pair counts as if it had one.
    matrix = csr_array((np.ones(8), (range(8), [0, 0, 0, 0, 1, 1, 2, 3])), shape=(8, 5))
    assert metrics.self_information(matrix).tolist() == [1, 2, 3, 3, 3]


def test_an_empty_place_is_not_the_last_title_of_the_user_before():
    # The second user has seen everything. User 0 holds out the last column, which -1 seen from row 1 would point at.
    relevant = csr_array(np.array([[0, 0, 1], [0, 0, 0]]))
    excluded = csr_array(np.array([[1, 1, 0], [1, 1, 1]]))
    lists = metrics.top_columns(np.zeros((2, 3), dtype=np.float32), excluded, 2)
    assert lists.tolist() == [[2, -1], [-1, -1]]
    assert metrics.find_hits(lists, relevant).tolist() == [[True, False], [False, False]]
    assert metrics.coverage(lists, 3) == pytest.approx(1 / 3)


def test_lists_longer_than_the_catalogue_end_in_empty_places():
    assert metrics.top_columns(np.array([[1.0, 2.0]], dtype=np.float32), None, 4).tolist() == [[1, 0, -1, -1]]


def test_no_users_have_no_lists():
    none = metrics.top_columns(np.zeros((0, 3), dtype=np.float32), None, 2)
    assert none.shape == (0, 2)
    assert metrics.coverage(none, 3) == 0


@laws
@given(rankings())
def test_precision_rank_and_hit_metrics_are_those_of_loops(ranking):
    scores, excluded, relevant, k = ranking
    asked = relevant.any(axis=1)
    lists = metrics.top_columns(scores[asked], csr_array(excluded[asked]), k)
    hits = metrics.find_hits(lists, csr_array(relevant[asked]))
    n_relevant = np.count_nonzero(relevant[asked], axis=1)
    precisions, reciprocals, found = [], [], []
    for row, wanted in zip(hits.tolist(), n_relevant.tolist(), strict=True):
        ranks = [rank for rank, hit in enumerate(row, start=1) if hit]
        precisions.append(sum((place + 1) / rank for place, rank in enumerate(ranks)) / min(wanted, k))
        reciprocals.append(1 / ranks[0] if ranks else 0)
        found.append(float(bool(ranks)))
    assert metrics.average_precision(hits, n_relevant) == pytest.approx(np.array(precisions))
    assert metrics.reciprocal_rank(hits) == pytest.approx(np.array(reciprocals))
    assert metrics.hit_rate(hits).tolist() == found


@laws
@given(rankings(), hnp.arrays(np.float32, (6, 9), elements=st.sampled_from([0, 0, 0.5, 1]).map(np.float32)))
def test_diversity_and_gini_are_those_of_loops(ranking, watched):
    scores, excluded, _, k = ranking
    n_items = scores.shape[1]
    watched = watched[:, :n_items]
    lists = metrics.top_columns(scores, csr_array(excluded), k)
    expected = []
    for row in lists.tolist():
        titles = [watched[:, item].astype(float) for item in row if item >= 0]
        cosines = []
        for i, one in enumerate(titles):
            for other in titles[i + 1 :]:
                lengths = math.sqrt(one @ one) * math.sqrt(other @ other)
                cosines.append(one @ other / lengths if lengths else 0.0)
        expected.append(1 - sum(cosines) / len(cosines) if cosines else 0.0)
    assert metrics.diversity(lists, metrics.unit_columns(csr_array(watched))) == pytest.approx(np.array(expected))

    places = [sum(item == title for row in lists.tolist() for item in row) for title in range(n_items)]
    between = sum(abs(one - other) for one in places for other in places)
    assert metrics.gini(lists, n_items) == pytest.approx(between / (2 * n_items * max(sum(places), 1)))
