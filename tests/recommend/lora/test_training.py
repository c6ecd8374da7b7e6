"""A whole training on a real database, one user's, and what belongs to another model."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from mgw.core.artifacts import ModelStore
from mgw.core.errors import AdapterForeign, NoEvents
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings, LoraSettings, Settings
from mgw.recommend.history import read_history
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.store import load_adapter
from mgw.recommend.lora.support import Support
from mgw.recommend.lora.training import fit_history, is_supported, shared_tier, train_lora
from mgw.recommend.source import read_training_data
from mgw.recommend.training import train_als

SETTINGS = Settings(als=AlsSettings(factors=8, epochs=4), lora=LoraSettings(rank=3))


@pytest.fixture
def trained(platform, tmp_path, monkeypatch):
    """Everybody's adapter is used here but that of users with 10 to 19 titles, whatever held-out titles say."""
    monkeypatch.setattr(Support, "supported", property(lambda self: self.events >= 20))
    data = read_training_data(platform)
    platform.commit()
    snapshot = train_als(data, ModelStore(tmp_path / "models"), SETTINGS.als, threads=1, progress=SILENT)
    store = ModelStore(tmp_path / "adapters")
    return data, snapshot, store, train_lora(platform, data, snapshot, store, settings=SETTINGS)


def test_each_user_who_is_supported_has_an_adapter(platform, trained):
    data, snapshot, store, done = trained
    counts = Recency.of(data.events).counts
    assert done.stored == np.count_nonzero(counts >= 20) > 10
    assert sorted(done.skipped.values()) == sorted(
        [int(np.count_nonzero(counts < 10)), int(np.count_nonzero((counts >= 10) & (counts < 20)))]
    )
    assert (done.base, done.shared) == (snapshot.manifest.name, store.current().manifest.name)
    stored = platform.execute("SELECT count(*), count(DISTINCT user_id), max(version) FROM lora_adapters").fetchone()
    assert stored == (done.stored, done.stored, 1)
    assert is_supported(store.current(), 25)
    assert not is_supported(store.current(), 12)


def test_one_user_gets_the_same_b_as_with_everybody(platform, trained):
    data, snapshot, store, done = trained
    row = int(np.argmax(Recency.of(data.events).counts))
    user = data.user_ids[row].decode()
    columns = {name.decode(): column for column, name in enumerate(snapshot.array("content_ids").tolist())}
    shared = shared_tier(store.current(), snapshot)
    weights, events = fit_history(shared, read_history(platform, user), columns, SETTINGS.lora)
    kept = load_adapter(platform, user, done.shared, rank=3)
    assert events == kept.events_used
    assert weights == pytest.approx(kept.weights, rel=2e-3)
    many = replace(SETTINGS.lora, minimum_events=1000)
    with pytest.raises(NoEvents, match=f"takes 1000 liked titles whose times are known, and there are {events}"):
        fit_history(shared, read_history(platform, user), columns, many)


def test_a_shared_tier_is_of_one_model(platform, trained, tmp_path):
    data, _, store, done = trained
    other = train_als(
        data, ModelStore(tmp_path / "models"), AlsSettings(factors=6, epochs=2), threads=1, progress=SILENT
    )
    with pytest.raises(AdapterForeign, match=f"{done.shared} is of the model {done.base}"):
        shared_tier(store.current(), other)
