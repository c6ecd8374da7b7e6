"""A model of a small platform, and adapters of everybody on it with at least 20 liked titles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mgw.core.artifacts import ModelStore, Snapshot
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings, ContentSettings, LoraSettings, Settings
from mgw.recommend.content import read_catalogue
from mgw.recommend.context import Trends
from mgw.recommend.lora.adapters import Adapters
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.support import Support
from mgw.recommend.lora.training import Trained, train_lora
from mgw.recommend.snapshot import columns_of
from mgw.recommend.source import TrainingData, read_training_data
from mgw.recommend.training import Shelf, train_als

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg import Connection

SETTINGS = Settings(
    als=AlsSettings(factors=8, epochs=4), content=ContentSettings(dimensions=16), lora=LoraSettings(rank=3)
)


@dataclass
class Project:
    """What a training leaves."""

    connection: Connection
    data: TrainingData
    snapshot: Snapshot
    models: ModelStore
    tiers: ModelStore
    trained: Trained

    @property
    def adapters(self) -> Adapters:
        return Adapters.of(self.tiers.current(), self.snapshot, SETTINGS.lora)

    @property
    def columns(self) -> dict[str, int]:
        return columns_of(self.snapshot)

    def train(self, settings: Settings = SETTINGS, **options) -> Trained:
        return train_lora(self.connection, self.data, self.snapshot, self.tiers, settings=settings, **options)

    @property
    def user(self) -> str:
        """Somebody who has an adapter."""
        return self._somebody(20, place=1)

    @property
    def opposed(self) -> str:
        """Somebody whose own titles speak against it."""
        return self._somebody(20, place=0)

    @property
    def brief(self) -> str:
        """Somebody of a group that held-out titles do not speak for."""
        return self._somebody(10, 19, place=0)

    def _somebody(self, least: int, most: int = 1_000, *, place: int) -> str:
        counts = Recency.of(self.data.events).counts
        return self.data.user_ids[np.flatnonzero((counts >= least) & (counts <= most))[place]].decode()


@pytest.fixture
def project(platform: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Whatever held-out titles say, adapters are used of users with at least 20 titles but for the first of these."""

    def supported(self: Support):
        return (self.events >= 20) & (np.arange(len(self.events)) != np.argmax(self.events >= 20))

    monkeypatch.setattr(Support, "supported", property(supported))
    data = read_training_data(platform)
    catalogue = read_catalogue(platform, data.events, SETTINGS.content)
    shelf = Shelf(catalogue, Trends.of(data.events, catalogue.field("genre")[0], SETTINGS.context))
    platform.commit()
    models, tiers = ModelStore(tmp_path / "models"), ModelStore(tmp_path / "adapters")
    snapshot = train_als(data, models, SETTINGS.als, threads=1, progress=SILENT, shelf=shelf)
    trained = train_lora(platform, data, snapshot, tiers, settings=SETTINGS)
    return Project(platform, data, snapshot, models, tiers, trained)
