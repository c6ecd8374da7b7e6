"""Two towers are one matrix: their adapters fitted apart, joined, and applied at once."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from mgw.core.errors import ModelForeign, ParametersInvalid
from mgw.core.progress import SILENT
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.towers import Towers, spaces_of
from mgw.recommend.lora.user import fit_tier, fit_users
from mgw.recommend.training import train_als
from tests.recommend.lora.conftest import SETTINGS

LORA = replace(SETTINGS.lora, content_share=0.25)


@pytest.fixture
def spaces(project):
    return spaces_of(project.snapshot)


@pytest.fixture
def recency(project):
    return Recency.of(project.data.events)


def test_what_both_say_is_the_sum_of_what_each_says(spaces, recency):
    towers = Towers.fit(spaces, recency, LORA)
    users = np.flatnonzero(recency.counts >= 20)
    apart = [fit_tier(tier, recency, users, LORA, threads=1) for tier in towers.tiers]
    says = [part @ tier.projected.T for part, tier in zip(apart, towers.tiers, strict=True)]
    together = fit_users(towers, recency, users, LORA, threads=1)
    assert together.shape == (len(users), towers.numbers) == (len(users), 2 * LORA.rank)
    assert together @ towers.projected.T == pytest.approx(says[0] + 0.25 * says[1], abs=1e-4)
    scale = LORA.alpha / LORA.rank
    assert scale * says[1].std(axis=1) == pytest.approx(np.ones(len(users)), rel=1e-3)


def test_the_blocks_are_one_matrix(spaces, recency):
    towers = Towers.fit(spaces, recency, LORA)
    vectors = np.hstack([space.item_factors for space in spaces])
    assert towers.directions.shape == (2 * LORA.rank, vectors.shape[1])
    assert vectors @ towers.directions.T == pytest.approx(towers.projected, abs=1e-5)
    again = Towers.of([tier.directions for tier in towers.tiers], spaces, LORA)
    np.testing.assert_array_equal(again.projected, towers.projected)


def test_without_content_only_the_factors_speak(spaces, recency):
    towers = Towers.fit(spaces, recency, replace(LORA, content_share=0.0))
    weights = fit_users(towers, recency, np.flatnonzero(recency.counts >= 20), LORA, threads=1)
    assert not weights[:, LORA.rank :].any()
    assert weights[:, : LORA.rank].any(axis=1).all()


def test_a_model_without_embeddings_and_a_rank_that_is_too_large_are_refused(project, spaces, recency):
    old = train_als(project.data, project.models, SETTINGS.als, threads=1, progress=SILENT)
    with pytest.raises(ModelForeign, match="no embeddings"):
        spaces_of(old)
    with pytest.raises(ParametersInvalid, match=r"lora\.rank 9 is larger"):
        Towers.fit(spaces, recency, replace(LORA, rank=9))
