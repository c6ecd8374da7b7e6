"""The engagement label against its formula written out, and against what it promises in words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.recommend.engagement import engagement


def label(completion, rating=math.nan, *, is_rewatch=False, dismissed=False):
    one = [np.array([value], dtype=np.float32) for value in (completion, rating)]
    return float(engagement(*one, np.array([is_rewatch]), np.array([dismissed]))[0])


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"completion": 1, "rating": 5}, 1.0),
        ({"completion": 1, "rating": 3}, 0.5),
        ({"completion": 1, "rating": 1}, 0.0),
        ({"completion": 1}, 0.65),
        ({"completion": 1, "is_rewatch": True}, 0.825),
        ({"completion": 0.65, "rating": 5}, 0.5),
        ({"completion": 0.3, "rating": 5}, 0.0),
        ({"completion": 0.1}, 0.0),
        ({"completion": 1, "rating": 5, "dismissed": True}, -1.0),
    ],
)
def test_the_label_is_the_formula(case, expected):
    assert label(**case) == pytest.approx(expected, abs=1e-6)


def test_a_finished_title_without_a_rating_counts_more_than_three_stars():
    assert label(1) > label(1, 3)


@given(
    completion=st.floats(0, 1, width=32),
    rating=st.one_of(st.just(math.nan), st.floats(1, 5, width=32)),
    is_rewatch=st.booleans(),
)
def test_the_label_lies_in_its_range_and_grows_with_what_was_watched(completion, rating, is_rewatch):
    value = label(completion, rating, is_rewatch=is_rewatch)
    assert 0 <= value <= 1
    assert value <= label(1, rating, is_rewatch=is_rewatch) + 1e-6
    assert label(completion, rating, is_rewatch=True) >= value - 1e-6
