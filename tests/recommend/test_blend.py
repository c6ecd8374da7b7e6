"""The blend: scales, silent sources, and popularity for those of whom little is known."""

import numpy as np
import pytest

from mgw.core.settings import BlendSettings
from mgw.recommend.blend import Source, calibrate, contributions, source_weights
from mgw.recommend.pipeline import weights_for
from mgw.recommend.reasons import leading_sources

WEIGHTS = source_weights(BlendSettings())


def test_calibrated_sources_are_alike_in_scale_among_what_may_be_listed():
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(4, 50)) * np.array([[1e-3], [1], [1e4], [5]]) + np.array([[0], [9], [-3], [1]])
    listable = rng.random(50) < 0.7
    found = calibrate(raw, listable)
    assert found[:, listable].mean(axis=1) == pytest.approx(0, abs=1e-9)
    assert found[:, listable].std(axis=1) == pytest.approx(1)


def test_a_source_that_finds_all_alike_is_not_heard():
    raw = np.array([[1.0, 2, 3], [5, 5, 5], [0, 0, 0], [3, 2, 1]])
    found = calibrate(raw, np.ones(3, dtype=bool))
    assert not found[1:3].any()
    given = contributions(found, np.array([0.2, 0.5, 0.2, 0.1]))
    assert given.sum(axis=0) == pytest.approx((0.2 * found[0] + 0.1 * found[3]) / 0.3)
    assert not contributions(np.zeros((4, 3)), WEIGHTS).any()
    assert not calibrate(raw, np.zeros(3, dtype=bool)).any()


def test_popularity_counts_for_all_of_nobody_and_for_less_with_each_event():
    context = list(Source).index(Source.CONTEXT)
    shares = WEIGHTS / WEIGHTS.sum()
    assert weights_for(0, WEIGHTS, 5, timed=1)[context] == pytest.approx(1)
    assert weights_for(np.inf, WEIGHTS, 5, timed=1) == pytest.approx(shares)
    assert weights_for(0, WEIGHTS, 0, timed=1) == pytest.approx(shares)
    given = [weights_for(n, WEIGHTS, 5, timed=1) for n in range(7)]
    assert all(each.sum() == pytest.approx(1) for each in given)
    assert [each[context] for each in given] == sorted((each[context] for each in given), reverse=True)


def test_content_is_held_back_for_few_events_and_the_graph_where_times_are_not_known():
    collaborative, content, graph, context = weights_for(4, np.array([0.4, 0.3, 0.2, 0.1]), 6, timed=0.5)
    whole = 0.4 + 0.4 * 0.3 + 0.5 * 0.2 + 0.1
    assert [collaborative, content, graph] == pytest.approx([0.4 * 0.4 / whole, 0.4 * 0.12 / whole, 0.4 * 0.1 / whole])
    assert context == pytest.approx(0.4 * 0.1 / whole + 0.6)
    only_graph = np.array([0.0, 0.0, 1.0, 0.0])
    assert weights_for(np.inf, only_graph, 5, timed=0) == pytest.approx(only_graph)


def test_a_source_leads_with_most_of_what_speaks_for_a_title():
    given = np.array([[0.1, 0.0, 0.9, -0.3], [0.5, 0.4, 0.1, 0.0]]).T
    assert leading_sources(given) == [(Source.GRAPH, True), (Source.COLLABORATIVE, False)]
