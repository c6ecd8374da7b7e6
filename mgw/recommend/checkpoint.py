"""Trainings that were cut short: factors after some epoch, kept until the model is published.

An epoch needs nothing of those before it but the factors, so a training that goes on from a checkpoint ends with the
same bits as one that was never interrupted. A checkpoint is of one training: other data or other parameters, but for
the number of epochs, do not go on from it.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mgw.core.artifacts import ModelStore
from mgw.core.errors import ModelError
from mgw.recommend.als.solver import Begun
from mgw.recommend.versions import library_versions

if TYPE_CHECKING:
    from pathlib import Path

    from mgw.core.settings import AlsSettings

INTERVAL_S = 5.0


@dataclass(slots=True)
class Checkpoint:
    """Keeps how far the training of a project came; one at a time.

    Attributes:
        folder: where.
        settings: the parameters of the training.
        fingerprint: of its data.
        interval_s: how long at least between two, in seconds.
    """

    folder: Path
    settings: AlsSettings
    fingerprint: str
    interval_s: float = INTERVAL_S
    _written: float = field(default_factory=time.monotonic)

    def read(self) -> Begun | None:
        """Return how far this very training came; None where nothing of it is kept, or what is kept is damaged."""
        try:
            kept = ModelStore(self.folder).current()
            identity = {**kept.manifest.parameters["settings"], **kept.manifest.data}
            if self._identity() != identity or kept.manifest.versions != library_versions():
                return None
            epoch = int(kept.manifest.parameters["epoch"])
            return Begun(epoch, np.array(kept.array("user_factors")), np.array(kept.array("item_factors")))
        except (ModelError, KeyError, TypeError, ValueError):
            return None

    def note(self, begun: Begun) -> None:
        """Keep how far the training came, if the last time is long enough ago.

        Raises:
            DiskFull, ReadOnly: it could not be written.
        """
        if time.monotonic() - self._written < self.interval_s:
            return
        store = ModelStore(self.folder)
        before = store.current_name()
        identity = self._identity()
        store.publish(
            "checkpoint",
            {"user_factors": begun.user_factors, "item_factors": begun.item_factors},
            parameters={"settings": {k: v for k, v in identity.items() if k != "fingerprint"}, "epoch": begun.epoch},
            data={"fingerprint": self.fingerprint},
            metrics={},
            versions=library_versions(),
        )
        if before is not None and before != store.current_name():
            with suppress(ModelError):  # another training of the project may have removed it, or be using it
                store.delete(before)
        self._written = time.monotonic()

    def clear(self) -> None:
        """Forget it: the model is published."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _identity(self) -> dict[str, Any]:
        parameters = {k: v for k, v in msgspec.to_builtins(self.settings).items() if k != "epochs"}
        return {**parameters, "fingerprint": self.fingerprint}
