"""ALS on the disk: a snapshot in the form that `mgw train` publishes, without the ids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mgw.core.artifacts import ModelStore
from mgw.core.errors import ModelForeign
from mgw.recommend.foldin import weighted_gram
from mgw.recommend.snapshot import settings_of
from mgw.recommend.versions import library_versions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mgw.core.settings import AlsSettings

KIND = "als"


def save(
    folder: Path | str, user_factors: NDArray[np.float32], item_factors: NDArray[np.float32], settings: AlsSettings
) -> str:
    """Publish factors as a snapshot in `folder`; return its name."""
    arrays: dict[str, NDArray[Any]] = {
        "item_factors": item_factors,
        "user_factors": user_factors,
        "gram": weighted_gram(item_factors, settings.unobserved_weight),
    }
    data = {"users": len(user_factors), "content": len(item_factors)}
    parameters = msgspec.to_builtins(settings)
    store = ModelStore(Path(folder))
    published = store.publish(KIND, arrays, parameters=parameters, data=data, metrics={}, versions=library_versions())
    return published.manifest.name


def load(folder: Path | str, name: str | None = None) -> tuple[NDArray[np.float32], NDArray[np.float32], AlsSettings]:
    """Read factors of users and of titles, and the parameters, from the snapshot `name` or the one in use."""
    store = ModelStore(Path(folder))
    snapshot = store.current() if name is None else store.open(name)
    if snapshot.manifest.kind != KIND:
        raise ModelForeign(
            f"the model {snapshot.manifest.name} is one of {snapshot.manifest.kind}, not of ALS",
            hint="name another one",
        )
    return (
        snapshot.array("user_factors"),
        snapshot.array("item_factors"),
        settings_of(snapshot),
    )
