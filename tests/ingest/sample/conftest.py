"""One sample for all tests of its structure: large enough for shares to be stable, small enough to be drawn at once."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import numpy as np
import pytest

from mgw.ingest.sample import EventChunk, SampleSize, generate_catalogue, generate_events

SEED = 7


def collect(size, *, seed=SEED, until=datetime(2026, 1, 1, tzinfo=UTC), **options):
    chunks = list(generate_events(size, seed=seed, until=until, **options))
    return EventChunk(
        *(np.concatenate([getattr(chunk, field.name) for chunk in chunks]) for field in fields(EventChunk))
    )


@pytest.fixture(scope="session")
def sample_size():
    return SampleSize(users=800, titles=600, events=40_000)


@pytest.fixture(scope="session")
def sample_events(sample_size):
    return collect(sample_size)


@pytest.fixture(scope="session")
def sample_titles(sample_size):
    return generate_catalogue(sample_size, seed=SEED)


@pytest.fixture(scope="session")
def collect_events():
    return collect
