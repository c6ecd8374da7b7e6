"""How a title's length suits a device: the stated defaults, and what events say where there are enough of them."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.sparse import csr_array

from mgw.core.settings import ContextSettings
from mgw.recommend.context import DEVICES, ContextSource, Trends, read_device_views

MINUTES = np.array([10, 29, 30, 60, 61, 180, np.nan], dtype=np.float32)
NOBODY = np.zeros((4, 3), dtype=np.int64)


def fit(device, views=NOBODY, **settings):
    trends = Trends(np.zeros(7, dtype=np.float32), np.zeros((4, 1), dtype=np.float32), np.array(views))
    source = ContextSource(trends, csr_array((7, 1)), ["Drama"], MINUTES, replace(ContextSettings(), **settings))
    return source.device_fit(device).tolist()


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("tv", [0.6, 0.6, 0.8, 0.8, 1, 1, 1]),
        ("phone", [1, 1, 0.8, 0.8, 0.6, 0.6, 1]),
        ("desktop", [1] * 7),
        (None, [1] * 7),
    ],
)
@pytest.mark.parametrize("enough", [0, 20])
def test_without_events_the_defaults_stand(device, expected, enough):
    assert fit(device, enough_events=enough) == pytest.approx(expected)


def test_many_events_say_it_themselves_and_few_hardly():
    views = np.array(
        [[0, 50_000, 150_000], [100_000, 80_000, 20_000], [0, 0, 0], [1, 0, 0]]
    )  # tv, phone, tablet, desktop
    usual = (views.sum(axis=0) + 1) / (views.sum() + 3)
    share = views[1] / views[1].sum() / usual
    short, medium, long = fit("phone", views)[0], fit("phone", views)[2], fit("phone", views)[4]
    assert [short, medium, long] == pytest.approx(share / share.max(), rel=0.02)
    assert long < medium < short == 1
    assert fit("tablet", views)[:6] == pytest.approx([1, 1, 0.8, 0.8, 0.6, 0.6])
    own = (np.array([1, 0, 0]) + 20 * usual) / (21 * usual)
    assert fit("desktop", views)[::2][:3] == pytest.approx(own / own.max())


def test_views_are_counted_by_device_and_length(platform):
    expected = np.zeros((4, 3), dtype=int)
    for device, minutes in platform.execute(
        "SELECT e.device, c.runtime_minutes FROM viewing_events e JOIN content c ON c.id = e.content_id"
        " WHERE e.device IS NOT NULL AND c.runtime_minutes IS NOT NULL AND e.completion_rate >= 0.3 AND NOT e.dismissed"
    ):
        expected[DEVICES.index(device), (minutes >= 30) + (minutes > 60)] += 1
    assert expected.any(axis=1).sum() > 2
    np.testing.assert_array_equal(read_device_views(platform), expected)
