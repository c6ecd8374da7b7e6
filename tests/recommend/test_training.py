"""A snapshot is what was trained: the same data and seed give the same bits, in any database."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from mgw.core.artifacts import ModelStore
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings
from mgw.ingest.sample import SampleSize
from mgw.ingest.sampling import load_sample
from mgw.recommend.als import ALS
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.snapshot import settings_of
from mgw.recommend.source import read_training_data
from mgw.recommend.training import train_als

SETTINGS = AlsSettings(factors=8, epochs=3, seed=5)


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / "models")


def train(data, store, threads=0):
    return train_als(data, store, SETTINGS, threads=threads, progress=SILENT)


def test_the_snapshot_holds_the_model_and_says_what_it_is(platform, store):
    data = read_training_data(platform)
    snapshot = train(data, store)
    model = ALS.fit(strength_matrix(data.events), SETTINGS)
    np.testing.assert_array_equal(snapshot.array("item_factors"), model.item_factors)
    np.testing.assert_array_equal(snapshot.array("user_factors"), model.user_factors)
    typical = float(np.mean(np.diff(strength_matrix(data.events).indptr)))
    assert settings_of(snapshot) == msgspec.structs.replace(SETTINGS, activity_reference=typical)
    assert snapshot.manifest.parameters["seed"] == 5
    assert snapshot.manifest.data["events"] == 2400
    assert {"mgw", "python", "numpy", "numba", "scipy"} <= set(snapshot.manifest.versions)
    assert snapshot.manifest.metrics["objective"] > 0
    assert store.current_name() == snapshot.manifest.name


def test_training_twice_gives_the_same_model_to_the_last_bit(platform, tmp_path):
    data = read_training_data(platform)
    one = train(data, ModelStore(tmp_path / "one"), threads=1)
    two = train(read_training_data(platform), ModelStore(tmp_path / "two"), threads=2)
    hashes = [{name: entry.sha256 for name, entry in snapshot.manifest.arrays.items()} for snapshot in (one, two)]
    assert hashes[0] == hashes[1]
    assert one.manifest.data == two.manifest.data


def test_the_fingerprint_follows_the_data(platform, store):
    before = train(read_training_data(platform), store).manifest.data["fingerprint"]
    platform.execute("UPDATE viewing_events SET rating = 5, completion_rate = 1 WHERE user_id = 1")
    platform.commit()
    assert train(read_training_data(platform), store).manifest.data["fingerprint"] != before


def test_the_same_data_in_another_order_of_import_has_the_same_viewers(database, store):
    load_sample(database, SampleSize(users=20, titles=30, events=300), seed=1)
    database.commit()
    snapshot = train(read_training_data(database), store)
    rows = database.execute(
        "SELECT c.external_id, count(DISTINCT user_id) FROM viewing_events JOIN content c ON c.id = content_id"
        " WHERE completion_rate > 0.3 AND NOT dismissed GROUP BY 1"
    ).fetchall()
    viewers = {
        name.decode(): int(n) for name, n in zip(snapshot.array("content_ids"), snapshot.array("viewers"), strict=True)
    }
    at_most = dict(rows)
    # A one-star rating or a later dismissal takes a viewer away, nothing adds one.
    assert all(n <= at_most.get(name, 0) for name, n in viewers.items())
    assert sum(viewers.values()) > 0.8 * sum(at_most.values())


def test_a_snapshot_that_is_older_than_a_parameter_is_read_as_if_there_were_none(platform, store):
    snapshot = train(read_training_data(platform), store)
    assert settings_of(snapshot).activity_exponent == SETTINGS.activity_exponent > 0
    older = {key: value for key, value in snapshot.manifest.parameters.items() if key != "activity_exponent"}
    aged = replace(snapshot, manifest=msgspec.structs.replace(snapshot.manifest, parameters=older))
    assert settings_of(aged).activity_exponent == 0
