"""How events are shared out among users."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mgw.ingest.sample.audience import Headcount, apportion, draw_communities
from mgw.ingest.sample.catalogue import WINDOW_DAYS
from mgw.ingest.sample.size import SampleSize
from mgw.ingest.sample.world import World


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=40), st.integers(0, 9), st.integers(0, 60), st.data())
def test_apportioning_is_exact_and_keeps_its_bounds_and_order(weights, fewest, room, data):
    weights = np.array(weights)
    total = data.draw(st.integers(fewest * len(weights), (fewest + room) * len(weights)))
    shares = apportion(weights, total, fewest=fewest, most=fewest + room)
    assert shares.sum() == total
    assert fewest <= shares.min()
    assert shares.max() <= fewest + room
    # Largest remainders may put a user with less weight ahead by one, never by more.
    assert (np.diff(shares[np.argsort(weights, kind="stable")]) >= -1).all()


def test_activity_has_a_heavy_tail():
    events = np.sort(Headcount.drawn(SampleSize(), seed=1).events)
    assert 0.3 < events[-200:].sum() / events.sum() < 0.6
    assert np.median(events) < 0.75 * events.mean()


def test_no_day_of_membership_is_overfull():
    headcount = Headcount.drawn(SampleSize(users=40, titles=4_000, events=30_000), seed=1)
    assert (headcount.events <= 3 * headcount.membership_days + 1e-9).all()
    assert headcount.membership_days.max() <= WINDOW_DAYS


def test_communities_like_different_things():
    communities = draw_communities(World.drawn(1), seed=1)
    likeness = communities @ communities.T
    assert np.median(likeness[np.triu_indices(len(likeness), 1)]) < 0.2
