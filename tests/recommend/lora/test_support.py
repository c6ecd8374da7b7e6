"""Adapters are used where tastes move, and not where the order of events says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mgw.core.settings import AlsSettings, LoraSettings
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.support import Support, measure_support

N_USERS, N_ITEMS, N_TASTES = 300, 120, 6
ALS = AlsSettings(factors=8, epochs=6)
SETTINGS = LoraSettings(rank=4)


def events(*, moving):
    """Everybody likes titles of two tastes; one after the other where tastes move, else mixed."""
    rng = np.random.default_rng(3)
    rows = []
    for user in range(N_USERS):
        first, second = rng.choice(N_TASTES, 2, replace=False)
        tastes = np.repeat([first, second], 10)
        for place, taste in enumerate(tastes if moving else rng.permutation(tastes)):
            rows.append((user, taste * 20 + rng.integers(20), 1e9 + place))
    users, items, at = (np.array(column) for column in zip(*rows, strict=True))
    label = np.ones(len(rows), dtype=np.float32)
    return Events(users.astype(np.int32), items.astype(np.int32), at, label, np.arange(N_USERS), np.arange(N_ITEMS))


@pytest.mark.parametrize("moving", [True, False])
def test_held_out_titles_speak_for_adapters_where_tastes_move(moving):
    found = events(moving=moving)
    recency = Recency.of(found)
    users = np.flatnonzero(recency.counts >= 10)
    support = measure_support(strength_matrix(found), recency, users, ALS, SETTINGS, threads=1)
    if moving:
        assert support.gain.mean() > 0.01
        assert support.supported.mean() > 0.8
    else:
        assert abs(support.gain.mean()) < 0.01


def test_groups_are_judged_together_and_a_user_only_by_much():
    events_of = np.array([12] * 50 + [30] * 50 + [60])
    gain = np.concatenate([np.full(50, 0.01), np.tile([-0.02, 0.02], 25), [0.5]])
    gain[:2] = [-0.5, -0.01]
    error = np.concatenate([np.full(50, 0.02), np.full(50, 0.02), [0.01]])
    found = Support(events_of, gain, error).supported
    assert not found[0]  # far below nothing
    assert not found[50:100].any()  # as many up as down
    assert not found[2:50].any() or found[2:50].all()
    gain[0] = 0.01
    found = Support(events_of, gain, error).supported
    assert found[:50].all()
