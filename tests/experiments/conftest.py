"""What tests of experiments share."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

import mgw
from mgw.core.audit import Actor
from mgw.experiments.definition import Definition
from mgw.experiments.exposure import Exposure, record_exposures
from mgw.experiments.store import create_experiment, set_status

collect_ignore = ["oracle_gbstats.py"]  # it is run by the Python of another environment

_SHARED = Path(mgw.__file__).parents[2] / "shared" / "experiments"
CASES = Path(os.environ.get("EXPERIMENT_CASES", _SHARED)) / "growthbook-cases.json"


@pytest.fixture(scope="session")
def growthbook_cases():
    """The cases that GrowthBook publishes for its SDKs."""
    if not CASES.is_file():
        pytest.skip(f"no {CASES}; EXPERIMENT_CASES names the folder that holds it")
    return json.loads(CASES.read_text(encoding="utf-8"))


ACTOR = Actor("tester")
START = datetime(2026, 3, 1, tzinfo=UTC)
TWO_VARIANTS = ({"name": "control", "weight": 0.5}, {"name": "more", "weight": 0.5})


@pytest.fixture
def define():
    """A function that returns a definition with two variants and one metric, and what else it is given."""

    def make(**given):
        document = {"name": "blend", "variants": TWO_VARIANTS, "metrics": [{"name": "bought"}], **given}
        return msgspec.convert(document, Definition)

    return make


@pytest.fixture
def begin(database):
    """A function that creates an experiment and starts it."""

    def make(definition):
        create_experiment(database, definition, ACTOR)
        return set_status(database, definition.name, "running", ACTOR)

    return make


@pytest.fixture
def expose(database):
    """A function that exposes a user to a variant of an experiment."""

    def make(experiment, user_id, position, at=START, *, phase=0):
        shown = Exposure(
            experiment_id=experiment.id, position=position, phase=phase, user_id=user_id, exposed_at=at, window_start=at
        )
        return record_exposures(database, [shown])

    return make
