"""What a snapshot of ALS says of itself: the parameters that it was trained with, and its titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mgw.core.settings import AlsSettings

if TYPE_CHECKING:
    from mgw.core.artifacts import Snapshot

# What a snapshot does not say that is older than the parameter: as if there were none, which is not today's default.
_BEFORE = {"activity_exponent": 0.0}


def settings_of(snapshot: Snapshot) -> AlsSettings:
    """Read the parameters from a snapshot's manifest."""
    return msgspec.convert({**_BEFORE, **snapshot.manifest.parameters}, AlsSettings)


def columns_of(snapshot: Snapshot) -> dict[str, int]:
    """Return the columns of a model's titles by the caller's ids."""
    return {name.decode(): column for column, name in enumerate(snapshot.array("content_ids").tolist())}
