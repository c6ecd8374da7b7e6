"""The strength matrix against a loop over each pair's events in the order of time."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mgw.recommend.interactions import Events, strength_matrix

N_USERS, N_ITEMS = 4, 3
rows = st.lists(
    st.tuples(
        st.integers(0, N_USERS - 1),
        st.integers(0, N_ITEMS - 1),
        st.one_of(st.just(math.nan), st.integers(0, 5).map(float)),
        st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]),
    ),
    max_size=40,
)


def as_events(drawn):
    users, items, at, labels = zip(*drawn, strict=True) if drawn else ((), (), (), ())
    return Events(
        np.array(users, dtype=np.int32),
        np.array(items, dtype=np.int32),
        np.array(at, dtype=np.float64),
        np.array(labels, dtype=np.float32),
        np.arange(N_USERS),
        np.arange(N_ITEMS),
    )


def by_hand(drawn):
    strengths = np.zeros((N_USERS, N_ITEMS), dtype=np.float32)
    # Of events at one moment a dismissal is the last word.
    in_time = sorted(drawn, key=lambda row: (-math.inf if math.isnan(row[2]) else row[2], row[3] < 0))
    for user, item, _, value in in_time:
        strengths[user, item] = 0 if value < 0 else max(strengths[user, item], value)
    return strengths


@given(rows)
def test_a_pair_is_as_strong_as_its_strongest_event_since_the_last_dismissal(drawn):
    matrix = strength_matrix(as_events(drawn))
    assert matrix.shape == (N_USERS, N_ITEMS)
    np.testing.assert_array_equal(matrix.toarray(), by_hand(drawn))
    assert np.all(matrix.data > 0)
    assert matrix.has_sorted_indices


@given(rows, st.randoms())
def test_the_order_of_the_events_does_not_matter(drawn, random):
    shuffled = list(drawn)
    random.shuffle(shuffled)
    np.testing.assert_array_equal(
        strength_matrix(as_events(drawn)).toarray(), strength_matrix(as_events(shuffled)).toarray()
    )
