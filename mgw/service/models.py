"""The model of a worker: the one in use, exchanged for a new one while requests go on.

A request holds the model that it began with; the new one is read, checked and tried before it takes the place of the
old, so nobody waits for it and nobody sees half of it.
"""

from __future__ import annotations

import gc
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mgw.core.errors import MgwError, ModelMissing
from mgw.recommend.hybrid import Hybrid
from mgw.recommend.lora.adapters import Adapters
from mgw.recommend.recommender import Recommender

if TYPE_CHECKING:
    from collections.abc import Collection

    from mgw.core.artifacts import ModelStore
    from mgw.core.settings import Settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """A snapshot, ready to answer.

    Attributes:
        name: of the snapshot.
        hybrid: recommends and scores.
        recommender: finds similar titles.
        created_at: when it was trained, in UTC.
        loaded_at: when it was taken into use here, in UTC.
        shared_tier: of adapters, that was in use then; None where there was none. It may be of another model: those
            that are used are `hybrid.adapters`.
    """

    name: str
    hybrid: Hybrid
    recommender: Recommender
    created_at: datetime
    loaded_at: datetime
    shared_tier: str | None

    @property
    def adapters_name(self) -> str | None:
        """The shared tier that answers; None where none does."""
        return None if self.hybrid.adapters is None else self.hybrid.adapters.name

    @property
    def version(self) -> str:
        """What a list is made by: the snapshot and the shared tier."""
        return f"{self.name} {self.adapters_name}"


class Models:
    """Keeps up with the snapshot in use.

    Attributes:
        current: the model that answers; None before the first.
        error: why the snapshot in use is not the one that answers, or None.
    """

    def __init__(self, store: ModelStore, shared_tiers: ModelStore, settings: Settings) -> None:
        self._store = store
        self._shared_tiers = shared_tiers
        self._settings = settings
        self.current: Model | None = None
        self.error: str | None = None
        self._others: dict[str, Hybrid | None] = {}

    def refresh(self) -> None:
        """Take the snapshot and the shared tier in use, if they are others; what is not fit for use is not taken."""
        before = self.current
        try:
            if before is not None and self._store.current_name() == before.name:
                self.error = None
                self._refresh_adapters(before)
                return
            model = self._load()
        except MgwError as error:
            if str(error) != self.error:
                _log.warning("the model in use cannot be taken: %s", error)
            self.error = str(error)
            return
        self.current, self.error = model, None
        gc.unfreeze()  # what the model before leaves is garbage too
        gc.collect()
        gc.freeze()  # a model has so many objects that to look for garbage among them holds up requests
        _log.info("the model is %s now", model.name)

    def keep(self, names: Collection[str]) -> None:
        """Have other snapshots ready, for variants of experiments, and no more than these."""
        current = None if self.current is None else self.current.name
        wanted = [name for name in names if name != current]
        kept = {name: self._others[name] for name in wanted if name in self._others}
        for name in wanted:
            if name not in kept:
                kept[name] = self._load_other(name)
        self._others = kept

    def has(self, name: str) -> bool:
        """Say whether a snapshot can answer."""
        return (self.current is not None and self.current.name == name) or self._others.get(name) is not None

    def hybrid(self, name: str) -> Hybrid:
        """Return what answers from a snapshot.

        Raises:
            ModelMissing: it was not kept, or cannot be used.
        """
        if self.current is not None and self.current.name == name:
            return self.current.hybrid
        found = self._others.get(name)
        if found is None:
            raise ModelMissing(f"the model {name} is not loaded")
        return found

    def _load_other(self, name: str) -> Hybrid | None:
        """Read a snapshot; None is one that cannot be used, and is not tried again."""
        try:
            snapshot = self._store.open(name)
            hybrid = Hybrid(snapshot, self._settings)
            hybrid.rehearse()
            return hybrid.with_adapters(Adapters.in_use(self._shared_tiers, snapshot, self._settings.lora))
        except MgwError as error:
            _log.warning("the model %s of an experiment cannot be taken, and the experiment waits: %s", name, error)
            return None

    def _load(self) -> Model:
        snapshot = self._store.current()
        hybrid = Hybrid(snapshot, self._settings)
        hybrid.rehearse()  # what is wrong with it shows here, and nobody waits for what the first answer loads
        shared_tier = self._shared_tiers.current_name()
        hybrid = hybrid.with_adapters(self._adapters(hybrid, shared_tier))
        return Model(
            snapshot.manifest.name, hybrid, Recommender(snapshot), snapshot.manifest.created_at, datetime.now(UTC),
            shared_tier,
        )  # fmt: skip

    def _refresh_adapters(self, model: Model) -> None:
        shared_tier = self._shared_tiers.current_name()
        if shared_tier == model.shared_tier:
            return
        hybrid = model.hybrid.with_adapters(self._adapters(model.hybrid, shared_tier))
        self.current = replace(model, hybrid=hybrid, shared_tier=shared_tier)

    def _adapters(self, hybrid: Hybrid, shared_tier: str | None) -> Adapters | None:
        """Read the shared tier; what is wrong with it leaves the model without."""
        try:
            adapters = Adapters.in_use(self._shared_tiers, hybrid.snapshot, self._settings.lora)
        except MgwError as error:
            _log.warning("the adapters cannot be taken: %s", error)
            return None
        if adapters is not None:
            _log.info("the adapters are of %s now", adapters.name)
        elif shared_tier is not None and self._settings.lora.strength > 0:
            _log.warning("the adapters are of another model than %s: none are used", hybrid.snapshot.manifest.name)
        return adapters
