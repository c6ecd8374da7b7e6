"""What adapters do for answers, and what belongs to another model."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from msgspec.structs import replace

from mgw.core.errors import AdapterForeign, ModelDamaged
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings
from mgw.recommend.hybrid import LORA_BOOST, Hybrid
from mgw.recommend.lora.adapters import Adapters
from mgw.recommend.training import train_als
from tests.recommend.lora.conftest import SETTINGS


def lists(project, user, **values):
    plain = Hybrid(project.snapshot, SETTINGS)
    for hybrid in (plain, plain.with_adapters(project.adapters)):
        yield hybrid.recommend(project.connection, user, 80, rng=np.random.default_rng(0), **values).recommendations


def test_an_adapter_adds_its_boost_to_the_score_of_the_blend(project):
    user = project.user
    plain, adapted = lists(project, user)
    adapter = project.adapters.load(project.connection, user)
    settings = SETTINGS.lora
    expected = (
        settings.strength * settings.alpha / settings.rank * project.adapters.towers.projected @ adapter.weights[0]
    )
    assert {each.content_id for each in plain} == {each.content_id for each in adapted}
    assert [each.content_id for each in plain] != [each.content_id for each in adapted]
    before = {each.content_id: each.components for each in plain}
    for each in adapted:
        boost = each.components[LORA_BOOST]
        assert boost == pytest.approx(expected[project.columns[each.content_id]], abs=1e-5)
        assert before[each.content_id] == pytest.approx({**each.components, LORA_BOOST: 0.0})
    sums = [sum(each.components.values()) for each in adapted]
    assert sums == sorted(sums, reverse=True)
    assert all(0 <= each.confidence <= 1 for each in adapted)


def test_one_title_is_scored_as_in_a_list(project):
    user = project.user
    hybrid = Hybrid(project.snapshot, SETTINGS, project.adapters)
    evidence = hybrid.read(project.connection, user)
    first = hybrid.answer(evidence, 1, rng=np.random.default_rng(0)).recommendations[0]
    score = hybrid.score(evidence, first.content_id)
    assert score.score == pytest.approx(first.confidence)
    assert score.score == pytest.approx(sum(score.components.values()))
    assert score.components[LORA_BOOST] != 0


def test_who_has_no_adapter_is_answered_by_the_blend(project):
    for user in (project.opposed, "nobody"):
        plain, adapted = lists(project, user)
        assert plain == adapted


def test_a_deleted_adapter_is_gone_from_the_next_answer(project):
    user = project.user
    project.connection.execute("DELETE FROM lora_adapters")
    plain, adapted = lists(project, user)
    assert plain == adapted


def test_a_damaged_adapter_is_not_used_and_the_log_says_so(project, caplog):
    user = project.user
    project.connection.execute("UPDATE lora_adapters SET weights = weights || '\\x00'::bytea")
    with caplog.at_level(logging.WARNING):
        plain, adapted = lists(project, user)
    assert plain == adapted
    assert f"the adapter of {user!r} is not used: " in caplog.text


def test_a_shared_tier_is_of_one_model(project):
    other = train_als(project.data, project.models, AlsSettings(factors=6, epochs=2), threads=1, progress=SILENT)
    with pytest.raises(AdapterForeign, match=f"{project.trained.shared} is of the model {project.trained.base}"):
        Adapters.of(project.tiers.current(), other, SETTINGS.lora)
    assert Adapters.in_use(project.tiers, other, SETTINGS.lora) is None
    assert Adapters.in_use(project.tiers, project.snapshot, SETTINGS.lora) is not None
    assert Adapters.in_use(project.tiers, project.snapshot, replace(SETTINGS.lora, strength=0.0)) is None


def test_what_a_tier_was_trained_with_holds_whatever_the_settings_say_now(project):
    now = replace(
        SETTINGS.lora, content_share=9.0, alpha=1.0, half_life=9.0, rank=7, regularization=5.0, strength=0.7, keep=9
    )
    settings = Adapters.of(project.tiers.current(), project.snapshot, now).settings
    assert settings == replace(SETTINGS.lora, strength=0.7, keep=9)


def test_a_tier_whose_manifest_says_nonsense_is_refused(project):
    published = project.tiers.current()
    manifest = replace(published.manifest, parameters={**published.manifest.parameters, "half_life": -1})
    with pytest.raises(ModelDamaged, match="half_life"):
        Adapters.of(type(published)(published.path, manifest), project.snapshot, SETTINGS.lora)
