"""A small platform in a real database: the sample, generated once for each database that wants it."""

from __future__ import annotations

import pytest

from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample


@pytest.fixture
def platform(database):
    """A connection to a database with a sample of 60 users, 80 titles and 2,400 events, committed."""
    load_sample(database, SampleSize(users=60, titles=80, events=2400), seed=3)
    database.commit()
    return database
