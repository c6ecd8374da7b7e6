"""Corrections for many comparisons: by their definitions, and by scipy."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mgw.core.errors import NotEnoughData
from mgw.experiments.corrections import benjamini_hochberg, holm

families = st.lists(st.floats(0, 1), min_size=1, max_size=7)


@given(families)
def test_benjamini_hochberg_is_scipys(p_values):
    assert benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values))


@given(families)
def test_holm_is_the_closed_test_of_bonferroni(p_values):
    """A hypothesis is rejected where every set of hypotheses that it is in is, by Bonferroni."""
    numbers = range(len(p_values))
    for number, adjusted in zip(numbers, holm(p_values), strict=True):
        expected = max(
            min(1.0, size * min(p_values[each] for each in chosen))
            for size in range(1, len(p_values) + 1)
            for chosen in combinations(numbers, size)
            if number in chosen
        )
        assert adjusted == pytest.approx(expected)


@pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
def test_one_is_itself_none_are_none_and_what_is_no_p_value_is_refused(adjust):
    assert adjust([0.03]).tolist() == [0.03]
    assert adjust([]).tolist() == []
    for wrong in (float("nan"), -0.1, 1.1):
        with pytest.raises(NotEnoughData):
            adjust([0.5, wrong])
