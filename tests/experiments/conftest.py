"""What tests of experiments share."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import mgw

collect_ignore = ["oracle_gbstats.py"]  # it is run by the Python of another environment

_SHARED = Path(mgw.__file__).parents[2] / "shared" / "experiments"
CASES = Path(os.environ.get("EXPERIMENT_CASES", _SHARED)) / "growthbook-cases.json"


@pytest.fixture(scope="session")
def growthbook_cases():
    """The cases that GrowthBook publishes for its SDKs."""
    if not CASES.is_file():
        pytest.skip(f"no {CASES}; EXPERIMENT_CASES names the folder that holds it")
    return json.loads(CASES.read_text(encoding="utf-8"))
