"""The adapters of the model in use, ready to answer: the shared tier here, each user's tier in the database.

    boost_ui = strength · s_ui                          s_ui: as `towers` has it

is added to the score that the blend gives to title i. A user's tier is asked for in the same round trip as the history:
what is trained or deleted counts from the next list that is made, in every process, and nothing has to be kept in step.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import msgspec
import numpy as np

from mgw.core.errors import AdapterDamaged, AdapterForeign, ModelDamaged, ModelMissing
from mgw.core.settings import LoraSettings
from mgw.recommend.lora.lengths import length_groups
from mgw.recommend.lora.store import load_adapter, send_adapter
from mgw.recommend.lora.towers import DIRECTIONS, Towers, spaces_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import ModelStore, Snapshot
    from mgw.recommend.lora.store import Adapter

_log = logging.getLogger(__name__)

_OF_THE_TRAINING = ("rank", "alpha", "half_life", "regularization", "content_share")


@dataclass(frozen=True, slots=True)
class Adapters:
    """The adapters of one model.

    Attributes:
        name: of the shared tier's snapshot, to which each user's tier belongs.
        towers: the shared tier.
        supported_groups: by `support.length_groups`: whose adapters are used, `(g,)`.
        settings: rank, α, half-life, regularization and content share as the shared tier was trained with, the others
            as they are.
    """

    name: str
    towers: Towers
    supported_groups: NDArray[np.bool_]
    settings: LoraSettings

    @classmethod
    def of(cls, published: Snapshot, snapshot: Snapshot, settings: LoraSettings) -> Self:
        """Read the shared tier of a model.

        Raises:
            AdapterForeign: it belongs to another model.
            ModelDamaged: it is not what was published.
            ParametersInvalid: it does not fit the model's factors.
        """
        parameters = published.manifest.parameters
        if (base := parameters.get("base")) != snapshot.manifest.name:
            raise AdapterForeign(
                f"the shared tier {published.manifest.name} is of the model {base},"
                f" and {snapshot.manifest.name} is in use",
                hint="train adapters for it: `mgw train lora`",
            )
        trained = {name: parameters.get(name) for name in _OF_THE_TRAINING}
        try:
            settings = msgspec.convert({**msgspec.to_builtins(settings), **trained}, LoraSettings)
        except msgspec.ValidationError as error:
            raise ModelDamaged(f"the shared tier {published.manifest.name}: {error}") from error
        towers = Towers.of([published.array(name) for name in DIRECTIONS], spaces_of(snapshot), settings)
        return cls(published.manifest.name, towers, published.array("supported_groups"), settings)

    @classmethod
    def in_use(cls, store: ModelStore, snapshot: Snapshot, settings: LoraSettings) -> Self | None:
        """Read the shared tier in use; None where there is none for this model, or adapters are to weigh nothing.

        Raises:
            ModelDamaged, ParametersInvalid: there is one that cannot be used.
        """
        if settings.strength == 0:
            return None
        try:
            return cls.of(store.current(), snapshot, settings)
        except (ModelMissing, AdapterForeign):
            return None

    def is_supported(self, events: int) -> bool:
        """Say whether adapters of users with so many titles are used."""
        return bool(self.supported_groups[length_groups(np.array([events]))[0]])

    def load(self, connection: Connection[TupleRow], user_id: str) -> Adapter | None:
        """Read a user's tier; None where there is none.

        Raises:
            AdapterDamaged: it is not what was stored, or does not fit the shared tier.
        """
        return load_adapter(connection, user_id, self.name, numbers=self.towers.numbers)

    def send(self, connection: Connection[TupleRow], user_id: str) -> Callable[[], Adapter | None]:
        """Ask, in a pipeline, for a user's tier; return what fetches it. One that is damaged is logged, and none."""
        fetch = send_adapter(connection, user_id, self.name, numbers=self.towers.numbers)

        def read() -> Adapter | None:
            try:
                return fetch()
            except AdapterDamaged as error:
                _log.warning("the adapter of %r is not used: %s", user_id, error.message)
                return None

        return read

    def boost(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what a user's tier, `(1, numbers)`, adds to the score of every title, `(n_items,)`."""
        added: NDArray[np.float32] = self.towers.projected @ self.scaled(weights)[0]
        return added

    def scaled(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a user's tier times strength · α/r, `(1, numbers)`."""
        return weights * np.float32(self.settings.strength * self.settings.alpha / self.settings.rank)
