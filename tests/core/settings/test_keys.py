"""The schema as a flat table."""

from __future__ import annotations

from mgw.core.settings import AlsSettings, Settings, keys
from mgw.core.settings.environment import ALIASES, variables
from mgw.core.settings.keys import build, sections


def test_keys_have_the_defaults_of_the_schema():
    for key in keys().values():
        assert key.default == key.get(Settings())
    assert keys()["als.factors"].default == AlsSettings().factors


def test_variables_are_computed_from_the_keys():
    assert keys()["database.url"].variable == "MGW_DATABASE_URL"
    assert keys()["als.regularization_exponent"].variable == "MGW_ALS_REGULARIZATION_EXPONENT"
    assert keys()["threads"].variable == "MGW_THREADS"


def test_every_key_has_a_variable_of_its_own():
    assert len({key.variable for key in keys().values()}) == len(keys())
    assert not {key.variable for key in keys().values()} & set(ALIASES)
    assert set(variables().values()) == set(keys())


def test_sections_are_what_is_above_the_keys():
    assert sections() == {
        "database", "als", "ease", "spark", "evaluate", "recommend", "recommend.encoder", "content", "profile", "graph",
        "context", "blend", "lora", "diversity", "service", "experiments",
    }  # fmt: skip


def test_build_changes_only_what_is_given():
    assert build({}) == Settings()
    assert build({"als.factors": 8, "threads": 2}) == Settings(threads=2, als=AlsSettings(factors=8))
