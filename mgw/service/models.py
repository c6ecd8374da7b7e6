"""The model of a worker: the one in use, exchanged for a new one while requests go on.

A request holds the model that it began with; the new one is read, checked and tried before it takes the place of the
old, so nobody waits for it and nobody sees half of it.
"""

from __future__ import annotations

import gc
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mgw.core.errors import MgwError
from mgw.recommend.hybrid import Hybrid
from mgw.recommend.recommender import Recommender

if TYPE_CHECKING:
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
        loaded_at: when it was taken into use here, in UTC.
    """

    name: str
    hybrid: Hybrid
    recommender: Recommender
    loaded_at: datetime


class Models:
    """Keeps up with the snapshot in use.

    Attributes:
        current: the model that answers; None before the first.
        error: why the snapshot in use is not the one that answers, or None.
    """

    def __init__(self, store: ModelStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self.current: Model | None = None
        self.error: str | None = None

    def refresh(self) -> None:
        """Take the snapshot in use, if it is another one than before; keep what there is where it is not fit."""
        before = self.current
        try:
            if before is not None and self._store.current_name() == before.name:
                self.error = None
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
        _log.warning("the model is %s now", model.name)

    def _load(self) -> Model:
        snapshot = self._store.current()
        hybrid = Hybrid(snapshot, self._settings)
        hybrid.rehearse()  # what is wrong with it shows here, and nobody waits for what the first answer loads
        return Model(snapshot.manifest.name, hybrid, Recommender(snapshot), datetime.now(UTC))
