"""The proof measures what it says: the blend as `evaluate` does, adapters as the formula has them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec.structs import replace

from mgw.core.errors import NothingToEvaluate
from mgw.core.settings import AlsSettings, ContentSettings, EvaluateSettings, LoraSettings, Settings
from mgw.recommend.blend import source_weights
from mgw.recommend.evaluate import evaluate
from mgw.recommend.lora.proof import ADAPTER, NONE, prove
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.towers import Towers
from mgw.recommend.lora.user import fit_users
from mgw.recommend.offline import score_database
from mgw.recommend.split import split_by_user_time

SETTINGS = Settings(
    als=AlsSettings(factors=8, epochs=6),
    content=ContentSettings(dimensions=16),
    lora=LoraSettings(rank=2, minimum_events=10),
    evaluate=EvaluateSettings(bootstrap_samples=200),
)


@pytest.fixture
def scored(platform):
    return score_database(platform, SETTINGS, lambda events: split_by_user_time(events, 0.2))


def test_the_figures_are_those_of_the_same_users_elsewhere(scored):
    scored, split = scored
    proof = prove(scored, split, SETTINGS)
    blend = scored.blended(source_weights(SETTINGS.blend))
    per_user = evaluate({"blend": blend}, split, SETTINGS.evaluate).models["blend"].per_user["ndcg@10"]
    recency = Recency.of(split.history)
    rows = np.flatnonzero(recency.counts[scored.users] >= 10)
    everybody = proof.groups[-1]
    assert everybody.users == len(rows) == sum(group.users for group in proof.groups[:-2]) > 20
    assert proof.groups[-2].users == np.count_nonzero(recency.counts[scored.users] >= 20)
    assert everybody.values[NONE]["ndcg@10"].value == pytest.approx(per_user[rows].mean())
    spaces = (scored.pipeline.collaborative.fold_in, scored.pipeline.content)
    shared = Towers.fit(spaces, recency, SETTINGS.lora)
    weights = fit_users(shared, recency, scored.users[rows], SETTINGS.lora)
    says = (
        SETTINGS.lora.strength * SETTINGS.lora.alpha / SETTINGS.lora.rank * weights.astype(float) @ shared.projected.T
    )

    class Adapted:
        def scores(self, users):
            found = blend.scores(users).astype(float)
            for place, user in enumerate(users):
                among = np.flatnonzero(scored.users[rows] == user)
                found[place] += says[among[0]] if len(among) else 0
            return found.astype(np.float32)

        def given(self, _histories):
            return self

    adapted = evaluate({"adapted": Adapted()}, split, SETTINGS.evaluate).models["adapted"].per_user["ndcg@10"]
    assert everybody.values["unchecked adapter"]["ndcg@10"].value == pytest.approx(adapted[rows].mean(), abs=1e-6)
    gain = everybody.gains[NONE]["ndcg@10"]
    assert gain.value == pytest.approx(everybody.values[ADAPTER]["ndcg@10"].value - per_user[rows].mean())
    assert gain.low <= gain.value <= gain.high
    assert json.loads(json.dumps(proof.to_json()))["groups"][-1]["users"] == len(rows)


def test_the_rank_is_at_most_what_the_vectors_of_the_model_have_room_for(scored):
    asked, most = (prove(*scored, replace(SETTINGS, lora=replace(SETTINGS.lora, rank=rank))) for rank in (32, 8))
    assert asked.rank == 8
    assert asked == most


def test_where_nobody_has_enough_titles_nothing_is_measured(scored):
    with pytest.raises(NothingToEvaluate, match="nobody has 1000"):
        prove(*scored, replace(SETTINGS, lora=replace(SETTINGS.lora, minimum_events=1000)))
