"""`mgw train lora`: the shared tier for the model in use, and an adapter of each user whom held-out titles support.

The shared tier is published as a snapshot of its own, which names the model that it belongs to:

    directions         (r, d) float32     A
    content_directions (r, e) float32     A'
    supported_groups   (g,) bool          by `support.length_groups`: whose adapters are used
    users              (n,) int32         rows of those who were measured, among the users of the data
    gain, error        (n,) float64       what the adapter does for each one's held-out titles, and its standard error

A user of these groups whose own titles speak against it gets an adapter that is zero. The tier is taken into use when
everybody's adapter is stored: until then answers are made with the one before, and a training that was cut short can
go on from it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import msgspec
import numpy as np
from msgspec.structs import replace

from mgw.core.changes import Action, Actor, Change
from mgw.core.database import queries
from mgw.core.database.recording import record
from mgw.core.errors import ModelError, TooFewEvents, TrainingBusy
from mgw.core.progress import SILENT
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.lora.lengths import GROUPS, length_groups
from mgw.recommend.lora.online import train_user
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.store import NAME, Adapter, prune_adapters, save_adapters
from mgw.recommend.lora.support import Support, measure_support
from mgw.recommend.lora.towers import DIRECTIONS, Towers, limit_rank, spaces_of
from mgw.recommend.lora.user import fit_users
from mgw.recommend.snapshot import settings_of
from mgw.recommend.versions import library_versions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import ModelStore, Snapshot
    from mgw.core.progress import Progress
    from mgw.core.settings import Settings
    from mgw.recommend.foldin import FoldIn
    from mgw.recommend.lora.adapters import Adapters
    from mgw.recommend.source import TrainingData

KIND = "lora"


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training did.

    Attributes:
        shared: the name of the shared tier's snapshot.
        base: the model that it belongs to.
        rank: r: lora.rank, or less where the model's vectors are shorter.
        stored: how many adapters.
        resumed: how many of them an earlier training, which was cut short, had stored; None where there was none.
        skipped: why the others have none, and how many.
        groups: number of titles, as "20-49" → users, mean gain, and how many of their adapters are used.
        support: what held-out titles say of each user.
    """

    shared: str
    base: str
    rank: int
    stored: int
    resumed: int | None
    skipped: dict[str, int]
    groups: dict[str, dict[str, Any]]
    support: Support


@dataclass(frozen=True, slots=True)
class _Material:
    """What is learnt from.

    Attributes:
        snapshot: the model in use.
        events: on titles of the model.
        recency: the same, the latest first.
        users: who has enough titles, rows of the data, `(n,)`.
        spaces: the vectors of the titles, for each tower.
        settings: the whole tree; the rank is within the vectors.
        parameters: what the shared tier's manifest says of them and of the model.
        described: what it says of the data.
    """

    snapshot: Snapshot
    events: Events
    recency: Recency
    users: NDArray[np.int64]
    spaces: tuple[FoldIn, FoldIn]
    settings: Settings
    parameters: dict[str, Any]
    described: dict[str, Any]

    @classmethod
    def of(cls, data: TrainingData, snapshot: Snapshot, settings: Settings) -> Self:
        """Bring all events in order.

        Raises:
            TooFewEvents: nobody has enough titles whose times are known.
            ModelForeign: the model is of a version that kept no embeddings.
        """
        lora, events = settings.lora, _on_titles_of(snapshot, data)
        recency = Recency.of(events)
        users = np.flatnonzero(recency.counts >= lora.minimum_events)
        if not len(users):
            raise TooFewEvents(
                f"nobody has {lora.minimum_events} liked titles whose times are known",
                hint="adapters are for the latest titles: import events with times",
            )
        spaces = spaces_of(snapshot, settings.content.regularization)
        settings = replace(settings, lora=limit_rank(lora, spaces))
        parameters = {**msgspec.to_builtins(settings.lora), "base": snapshot.manifest.name}
        described = {"users": len(users), "titles": events.n_items, "fingerprint": _fingerprint(data, recency)}
        return cls(snapshot, events, recency, users, spaces, settings, parameters, described)


@dataclass(frozen=True, slots=True)
class _Learnt:
    """A shared tier that is published but not in use yet, and whom held-out titles speak for."""

    published: Snapshot
    towers: Towers
    support: Support


def train_lora(
    connection: Connection[TupleRow],
    data: TrainingData,
    snapshot: Snapshot,
    store: ModelStore,
    *,
    settings: Settings,
    resume: bool = False,
    progress: Progress = SILENT,
    actor: Actor | None = None,
) -> Trained:
    """Train the shared tier and everybody's adapter; the connection is in no transaction.

    Args:
        connection: where adapters are stored.
        data: all events.
        snapshot: the model in use.
        store: where the shared tier is published.
        settings: the whole tree; read are lora and threads.
        resume: go on from where a training of the same data with the same settings was cut short.
        progress: where to report.
        actor: who trains, for the audit trail; None is the account of this machine.

    Raises:
        TooFewEvents: nobody has enough titles whose times are known.
        NoEvents: too few users have.
        ModelForeign: the model is of a version that kept no embeddings.
        TrainingBusy: somebody else trains adapters in this database.
    """
    with _only_trainer(connection):
        material = _Material.of(data, snapshot, settings)
        lora = material.settings.lora
        left_behind = _left_behind(store, material) if resume else None
        learnt = left_behind or _learn(store, material, progress)
        name, support = learnt.published.manifest.name, learnt.support
        with progress.stage("Fitting adapters"):
            weights = fit_users(learnt.towers, material.recency, material.users, lora, threads=settings.threads)
        supported, opposed = support.supported, _opposed(support)
        weights[opposed] = 0.0
        adapters = [
            Adapter(
                data.user_ids[user].decode(), weights[[place]], int(support.events[place]),
                float(support.gain[place]), float(support.error[place]),
            )
            for place, user in enumerate(material.users) if supported[place] or opposed[place]
        ]  # fmt: skip
        there = set(queries.adapters_users_of_base(connection, base_snapshot=name, name=NAME)) if left_behind else set()
        connection.commit()
        missing = [adapter for adapter in adapters if adapter.user_id not in there]
        save_adapters(connection, name, missing, progress=progress)
        before = store.current_name()
        store.use(name)
        prune_adapters(connection, [adapter.user_id for adapter in adapters], keep=lora.keep)
        details = {"before": before, "after": name, "model": snapshot.manifest.name, "adapters": len(adapters)}
        record(
            connection, actor or Actor.on_this_machine(), Change(Action.ADAPTERS_TRAINED, "shared_tier", name, details)
        )
        connection.commit()
    counts = material.recency.counts
    skipped = {
        f"fewer than {lora.minimum_events} liked titles with times": int(
            np.count_nonzero(counts < lora.minimum_events)
        ),
        "held-out titles do not speak for it": int(np.count_nonzero(~supported)),
    }
    resumed = sum(adapter.user_id in there and not adapter.is_zero for adapter in adapters) if left_behind else None
    stored = int(np.count_nonzero(supported))
    groups = _described(support)
    return Trained(name, snapshot.manifest.name, lora.rank, stored, resumed, skipped, groups, support)


def train_since(
    connection: Connection[TupleRow],
    since: datetime,
    adapters: Adapters,
    columns: Mapping[str, int],
    progress: Progress = SILENT,
) -> dict[str, int]:
    """Train everybody with events since some time, by the shared tier that there is.

    Args:
        connection: to the database with the events, in no transaction.
        since: when.
        adapters: of the model in use.
        columns: the model's titles by the caller's ids.
        progress: where to report.

    Returns:
        How many users there are of each status of `online.TrainedUser`, and of `too few events`.
    """
    users = queries.adapters_users_since(connection, since=since)
    connection.commit()
    done: Counter[str] = Counter({"trained": 0})
    with progress.stage("Fitting adapters", total=len(users)) as stage:
        for user_id in users:
            try:
                done[train_user(connection, user_id, adapters, columns).status] += 1
            except TooFewEvents:
                done["too few events"] += 1
            stage.advance()
    return dict(done)


@contextmanager
def _only_trainer(connection: Connection[TupleRow]) -> Iterator[None]:
    """Hold the right to train everybody; who is killed loses it with the connection."""
    if not queries.adapters_begin_training(connection):
        connection.rollback()
        raise TrainingBusy(
            "somebody else trains adapters in this database", hint="wait for them; theirs are as good as yours"
        )
    connection.commit()
    try:
        yield
    finally:
        if not connection.closed:
            connection.rollback()
            queries.adapters_end_training(connection)
            connection.commit()


def _learn(store: ModelStore, material: _Material, progress: Progress) -> _Learnt:
    settings, recency, users, spaces = material.settings, material.recency, material.users, material.spaces
    with progress.stage("Learning what users share"):
        towers = Towers.fit(spaces, recency, settings.lora)
    support = measure_support(
        strength_matrix(material.events), recency, users, settings_of(material.snapshot), settings.lora,
        content=spaces[1], threads=settings.threads, progress=progress,
    )  # fmt: skip
    published = store.add(
        KIND,
        {
            **{name: tier.directions for name, tier in zip(DIRECTIONS, towers.tiers, strict=True)},
            "supported_groups": _supported_groups(support),
            "users": users.astype(np.int32),
            "gain": support.gain,
            "error": support.error,
        },
        parameters=material.parameters,
        data=material.described,
        metrics={"groups": _described(support)},
        versions=library_versions(),
    )
    return _Learnt(published, towers, support)


def _left_behind(store: ModelStore, material: _Material) -> _Learnt | None:
    """Find the shared tier of a training of the same data with the same settings, the latest; a damaged one is none."""
    for name in reversed(store.names()):
        try:
            published = store.open(name)
            manifest = published.manifest
            if (manifest.parameters, manifest.data) == (material.parameters, material.described):
                published.verify()
                counts = material.recency.counts[published.array("users")]
                support = Support(counts, published.array("gain"), published.array("error"))
                directions = [published.array(name) for name in DIRECTIONS]
                towers = Towers.of(directions, material.spaces, material.settings.lora)
                return _Learnt(published, towers, support)
        except ModelError:
            continue
    return None


def _fingerprint(data: TrainingData, recency: Recency) -> str:
    digest = hashlib.sha256()
    for array in (data.user_ids, data.content_ids, recency.indptr, recency.items, recency.strength):
        digest.update(f"{array.dtype} ".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"sha256:{digest.hexdigest()}"


def _on_titles_of(snapshot: Snapshot, data: TrainingData) -> Events:
    """Bring events to the columns of a snapshot; those on titles that it does not know are left out."""
    names = {name: column for column, name in enumerate(snapshot.array("content_ids").tolist())}
    columns = np.array([names.get(name, -1) for name in data.content_ids.tolist()], dtype=np.int32)
    items = columns[data.events.items]
    known = items >= 0
    part = data.events.where(known)
    return Events(part.users, items[known], part.at, part.engagement, part.user_ids, np.arange(len(names)))


def _supported_groups(support: Support) -> NDArray[np.bool_]:
    found = np.zeros(len(GROUPS), dtype=np.bool_)
    found[np.unique(length_groups(support.events)[support.supported])] = True
    return found


def _opposed(support: Support) -> NDArray[np.bool_]:
    in_group = _supported_groups(support)[length_groups(support.events)]
    return np.asarray(in_group & ~support.supported)


def _described(support: Support) -> dict[str, dict[str, Any]]:
    group = length_groups(support.events)
    return {
        GROUPS[each]: {
            "users": count,
            "gain": float(support.gain[group == each].mean()),
            "adapters": int(np.count_nonzero(support.supported[group == each])),
        }
        for each, count in sorted(Counter(group.tolist()).items())
    }
