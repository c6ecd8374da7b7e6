"""The two towers: adapters on the factors of ALS, and on the embeddings of what titles say of themselves.

    s_ui = (α/r) · (B_u A y_i + c · B'_u A' e_i)      y_i: the factors of title i, e_i: its embedding, c: content share

Each tower is fitted by itself, `shared` and `user`; together they are one matrix A with the blocks A and A', and one B
of 2r numbers, in which c is multiplied in.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from msgspec.structs import replace
from scipy.linalg import block_diag

from mgw.core.errors import ModelForeign
from mgw.recommend.foldin import FoldIn, among_embeddings
from mgw.recommend.lora.shared import SharedTier
from mgw.recommend.snapshot import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mgw.core.artifacts import Snapshot
    from mgw.core.settings import LoraSettings
    from mgw.recommend.lora.recency import Recency

DIRECTIONS = ("directions", "content_directions")
"""The names of A and A' among the arrays of a shared tier's snapshot."""


@dataclass(frozen=True)
class Towers:
    """The shared tier of all towers.

    Attributes:
        tiers: of each tower.
        shares: how much each weighs beside the first with 1.
    """

    tiers: tuple[SharedTier, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, directions: Sequence[NDArray[np.float32]], spaces: Sequence[FoldIn], settings: LoraSettings) -> Self:
        """Put together what is published.

        Args:
            directions: A and A'.
            spaces: the vectors of the titles for each, `spaces_of`.
            settings: of the adapters; read is the content share.

        Raises:
            ParametersInvalid: the directions are not as long as the vectors.
        """
        tiers = tuple(SharedTier.of(each, space) for each, space in zip(directions, spaces, strict=True))
        return cls(tiers, (1.0, settings.content_share)[: len(tiers)])

    @classmethod
    def fit(cls, spaces: Sequence[FoldIn], recency: Recency, settings: LoraSettings) -> Self:
        """Learn the directions of each tower.

        Raises:
            ParametersInvalid: the rank is larger than the vectors are long.
            NoEvents: fewer users than the rank have enough titles with times.
        """
        tiers = tuple(SharedTier.fit(space, recency, settings) for space in spaces)
        return cls(tiers, (1.0, settings.content_share)[: len(tiers)])

    @cached_property
    def projected(self) -> NDArray[np.float32]:
        """What B is multiplied with, of every title, `(n_items, numbers)`."""
        return np.ascontiguousarray(np.hstack([tier.projected for tier in self.tiers]))

    @cached_property
    def directions(self) -> NDArray[np.float32]:
        """A and A' as the blocks of one matrix, `(numbers, d + e)`."""
        return np.asarray(block_diag(*(tier.directions for tier in self.tiers)), dtype=np.float32)

    @property
    def numbers(self) -> int:
        """How many numbers a user has."""
        return sum(len(tier.directions) for tier in self.tiers)

    def joined(self, parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Make one B of those of the towers, `(n, r)` each."""
        return np.hstack([part * np.float32(share) for part, share in zip(parts, self.shares, strict=True)])


def limit_rank(settings: LoraSettings, spaces: Sequence[FoldIn]) -> LoraSettings:
    """Lower the rank to what the vectors of the titles have room for: as many directions as each has numbers."""
    return replace(settings, rank=min(settings.rank, *(space.item_factors.shape[1] for space in spaces)))


def spaces_of(snapshot: Snapshot, regularization: float = 1.0) -> tuple[FoldIn, FoldIn]:
    """Return the vectors of a model's titles: the factors, and the embeddings.

    Args:
        snapshot: the model.
        regularization: of a fold-in among the embeddings; counts only where one is made.

    Raises:
        ModelForeign: it is of a version that kept no embeddings.
    """
    if "embeddings" not in snapshot.manifest.arrays:
        raise ModelForeign(
            f"the model {snapshot.manifest.name} has no embeddings of its titles",
            hint="train it again: `mgw train als`",
        )
    als = settings_of(snapshot)
    factors = FoldIn(snapshot.array("item_factors"), als, snapshot.array("gram"))
    return factors, among_embeddings(snapshot.array("embeddings"), als, regularization)
