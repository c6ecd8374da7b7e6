"""Recommendations: from viewing events to a model snapshot, and from a snapshot to titles with reasons.

As a library: `from mgw.recommend import ALS, AlsSettings`. What is heavy is loaded when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgw.core.settings import AlsSettings
    from mgw.recommend.als import ALS
    from mgw.recommend.baselines import EASE, ItemKNN, Popularity, RP3Beta

__all__ = ["ALS", "EASE", "AlsSettings", "ItemKNN", "Popularity", "RP3Beta"]

_HOMES = {
    "ALS": "mgw.recommend.als",
    "AlsSettings": "mgw.core.settings",
    "EASE": "mgw.recommend.baselines",
    "ItemKNN": "mgw.recommend.baselines",
    "Popularity": "mgw.recommend.baselines",
    "RP3Beta": "mgw.recommend.baselines",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
