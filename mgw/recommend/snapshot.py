"""The parameters that a snapshot of ALS was trained with."""

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
