"""`mgw train lora`: the shared tier for the model in use, and an adapter of each user whom held-out titles support.

The shared tier is published as a snapshot of its own, which names the model that it belongs to:

    directions         (r, d) float32     A
    supported_groups   (g,) bool          by `support.length_groups`: whose adapters are used

A user who is trained alone (`fit_history`) gets B by the shared tier that there is, from the events up to now.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mgw.core.errors import AdapterForeign, NoEvents
from mgw.core.progress import SILENT
from mgw.recommend.foldin import FoldIn
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.shared import SharedTier
from mgw.recommend.lora.store import Adapter, save_adapters
from mgw.recommend.lora.support import GROUPS, length_groups, measure_support
from mgw.recommend.lora.user import fit_users
from mgw.recommend.snapshot import settings_of
from mgw.recommend.versions import library_versions
from mgw.recommend.viewer import Viewer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import ModelStore, Snapshot
    from mgw.core.progress import Progress
    from mgw.core.settings import LoraSettings, Settings
    from mgw.recommend.history import History
    from mgw.recommend.source import TrainingData

KIND = "lora"


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training did.

    Attributes:
        shared: the name of the shared tier's snapshot.
        base: the model that it belongs to.
        stored: how many adapters.
        skipped: why the others have none, and how many.
        groups: number of titles, as "20-49" → users, mean gain, and whether their adapters are used.
        gains: of all users who were measured, -1 to 1.
    """

    shared: str
    base: str
    stored: int
    skipped: dict[str, int]
    groups: dict[str, dict[str, Any]]
    gains: NDArray[np.float64]


def train_lora(
    connection: Connection[TupleRow],
    data: TrainingData,
    snapshot: Snapshot,
    store: ModelStore,
    *,
    settings: Settings,
    progress: Progress = SILENT,
) -> Trained:
    """Train the shared tier and everybody's adapter; the connection is in no transaction.

    Args:
        connection: where adapters are stored.
        data: all events.
        snapshot: the model in use.
        store: where the shared tier is published.
        settings: the whole tree; read are lora and threads.
        progress: where to report.

    Raises:
        NoEvents: too few users have enough titles whose times are known.
        ParametersInvalid: the rank is larger than the factors are long.
    """
    lora, base = settings.lora, snapshot.manifest.name
    events = _on_titles_of(snapshot, data)
    recency = Recency.of(events)
    counts = recency.counts
    users = np.flatnonzero(counts >= lora.minimum_events)
    if not len(users):
        raise NoEvents(
            f"nobody has {lora.minimum_events} liked titles whose times are known",
            hint="adapters are for the latest titles: import events with times",
        )
    als = settings_of(snapshot)
    fold_in = FoldIn(snapshot.array("item_factors"), als, snapshot.array("gram"))
    with progress.stage("Learning what users share"):
        shared = SharedTier.fit(fold_in, recency, lora)
    support = measure_support(
        strength_matrix(events), recency, users, als, lora, threads=settings.threads, progress=progress
    )
    with progress.stage("Fitting adapters"):
        weights = fit_users(shared, recency, users, lora, threads=settings.threads)
    supported = support.supported
    groups = _described(support.events, support.gain, supported)
    published = store.publish(
        KIND,
        {"directions": shared.directions, "supported_groups": _supported_groups(support.events, supported)},
        parameters={**msgspec.to_builtins(lora), "base": base},
        data={"users": len(users), "titles": len(shared.projected)},
        metrics={"groups": groups},
        versions=library_versions(),
    )
    adapters = [
        Adapter(
            data.user_ids[user].decode(), weights[[place]], int(counts[user]),
            float(support.gain[place]), float(support.error[place]),
        )
        for place, user in enumerate(users) if supported[place]
    ]  # fmt: skip
    with progress.stage("Storing adapters"):
        stored = save_adapters(connection, published.manifest.name, adapters, keep=lora.keep)
    skipped = {
        f"fewer than {lora.minimum_events} liked titles with times": int(
            np.count_nonzero(counts < lora.minimum_events)
        ),
        "held-out titles do not speak for it": int(np.count_nonzero(~supported)),
    }
    return Trained(published.manifest.name, base, stored, skipped, groups, support.gain)


def shared_tier(published: Snapshot, snapshot: Snapshot) -> SharedTier:
    """Read the shared tier of the model in use.

    Raises:
        AdapterForeign: it belongs to another model.
        ParametersInvalid: it does not fit the model's factors.
    """
    base = published.manifest.parameters.get("base")
    if base != snapshot.manifest.name:
        raise AdapterForeign(
            f"the shared tier {published.manifest.name} is of the model {base}, and {snapshot.manifest.name} is in use",
            hint="train adapters for it: `mgw train lora`",
        )
    fold_in = FoldIn(snapshot.array("item_factors"), settings_of(snapshot), snapshot.array("gram"))
    return SharedTier.of(published.array("directions"), fold_in)


def fit_history(
    shared: SharedTier, history: History, columns: dict[str, int], settings: LoraSettings
) -> tuple[NDArray[np.float32], int]:
    """Fit B to the history of one user, `(1, r)`, and return it with the number of titles that it was made from.

    Raises:
        NoEvents: there are fewer than `lora.minimum_events` liked titles whose times are known.
    """
    viewer = Viewer.of_history(history, columns)
    users = np.zeros(len(viewer.items), dtype=np.int32)
    one = np.zeros(1, dtype=np.int64)
    events = Events(
        users, viewer.items.astype(np.int32), viewer.at, viewer.label, one, np.arange(len(shared.projected))
    )
    recency = Recency.of(events)
    found = int(recency.counts[0])
    if found < settings.minimum_events:
        raise NoEvents(
            f"an adapter takes {settings.minimum_events} liked titles whose times are known, and there are {found}"
        )
    return fit_users(shared, recency, one, settings, threads=1), found


def is_supported(published: Snapshot, events: int) -> bool:
    """Say whether adapters of users with so many titles are used."""
    return bool(published.array("supported_groups")[length_groups(np.array([events]))[0]])


def _on_titles_of(snapshot: Snapshot, data: TrainingData) -> Events:
    """Bring events to the columns of a snapshot; those on titles that it does not know are left out."""
    names = {name: column for column, name in enumerate(snapshot.array("content_ids").tolist())}
    columns = np.array([names.get(name, -1) for name in data.content_ids.tolist()], dtype=np.int32)
    items = columns[data.events.items]
    known = items >= 0
    part = data.events.where(known)
    return Events(part.users, items[known], part.at, part.engagement, part.user_ids, np.arange(len(names)))


def _supported_groups(events: NDArray[np.int64], supported: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = np.zeros(len(GROUPS), dtype=np.bool_)
    found[np.unique(length_groups(events)[supported])] = True
    return found


def _described(
    events: NDArray[np.int64], gain: NDArray[np.float64], supported: NDArray[np.bool_]
) -> dict[str, dict[str, Any]]:
    group = length_groups(events)
    return {
        GROUPS[each]: {
            "users": count,
            "gain": float(gain[group == each].mean()),
            "adapters": int(np.count_nonzero(supported[group == each])),
        }
        for each, count in sorted(Counter(group.tolist()).items())
    }
