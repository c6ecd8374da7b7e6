"""One user's adapter, trained by the shared tier that there is, from the events up to now.

It is the exact fit that everybody's training makes, a system of r equations: there is nothing to go on from and no
iteration to watch. What new events change is known a moment later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from mgw.core.changes import Action, Actor, Change
from mgw.core.database import queries
from mgw.core.database.recording import record
from mgw.core.errors import AdapterDamaged, TooFewEvents, UserUnknown
from mgw.recommend.history import read_history
from mgw.recommend.interactions import Events
from mgw.recommend.lora.recency import Recency
from mgw.recommend.lora.store import Adapter, prune_adapters, save_adapters
from mgw.recommend.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import LoraSettings
    from mgw.recommend.history import History
    from mgw.recommend.lora.adapters import Adapters
    from mgw.recommend.lora.shared import SharedTier


_ROUNDED = 2e-3
"""How far what is stored, in float16, may be from the same numbers in float32."""


@dataclass(frozen=True, slots=True)
class TrainedUser:
    """What the training of one user did.

    Attributes:
        status: `unchanged` where the adapter that is stored is the same already; `unsupported` where held-out titles
            do not speak for it, by the shared tier's training, so that none was stored.
        events_used: how many titles it was made from.
        version: of the user's adapter; None where there is none.
    """

    status: Literal["trained", "unchanged", "unsupported"]
    events_used: int
    version: int | None


def train_user(
    connection: Connection[TupleRow],
    user_id: str,
    adapters: Adapters,
    columns: Mapping[str, int],
    *,
    force: bool = False,
    actor: Actor | None = None,
) -> TrainedUser:
    """Fit a user's tier and store it where it is another one than before.

    Those who train the same user at once take turns, from before the events are read: the last has seen all of them.

    Args:
        connection: to the database with the user's events.
        user_id: the caller's id.
        adapters: of the model in use.
        columns: the model's titles by the caller's ids.
        force: store it whatever held-out titles say, and as a new version though it is the same.
        actor: who has it trained, for the audit trail; None is the account of this machine.

    Raises:
        UserUnknown: nobody has this id.
        TooFewEvents: there are fewer than `lora.minimum_events` liked titles whose times are known.
    """
    with connection.transaction():
        if not queries.adapters_hold_users(connection, user_ids=[user_id]):
            raise UserUnknown(f"there is no user {user_id!r}", hint="the id is the one that was imported")
        weights, events = fit_history(adapters, read_history(connection, user_id), columns)
        before = _stored(connection, user_id, adapters)
        version = None if before is None else before.version
        opposed = before is not None and before.is_zero
        if not force and (opposed or not adapters.is_supported(events)):
            return TrainedUser("unsupported", events, version)
        if not force and before is not None and np.allclose(before.weights, weights, rtol=_ROUNDED, atol=_ROUNDED):
            return TrainedUser("unchanged", events, version)
        save_adapters(connection, adapters.name, [Adapter(user_id, weights, events)])
        prune_adapters(connection, [user_id], keep=adapters.settings.keep)
        stored = adapters.load(connection, user_id)
        details = {"events": events, "before": version, "after": stored and stored.version, "tier": adapters.name}
        change = Change(Action.ADAPTER_TRAINED, "adapter", user_id, details)
        record(connection, actor or Actor.on_this_machine(), change)
    return TrainedUser("trained", events, None if stored is None else stored.version)


def fit_history(adapters: Adapters, history: History, columns: Mapping[str, int]) -> tuple[NDArray[np.float32], int]:
    """Fit B to the history of one user, `(1, numbers)`, and return it with the number of titles that it was made from.

    Raises:
        TooFewEvents: there are fewer than `lora.minimum_events` liked titles whose times are known.
    """
    viewer, settings = Viewer.of_history(history, columns), adapters.settings
    users = np.zeros(len(viewer.items), dtype=np.int32)
    one = np.zeros(1, dtype=np.int64)
    titles = np.arange(len(adapters.towers.projected))
    recency = Recency.of(Events(users, viewer.items.astype(np.int32), viewer.at, viewer.label, one, titles))
    found = int(recency.counts[0])
    if found < settings.minimum_events:
        raise TooFewEvents(
            f"an adapter takes {settings.minimum_events} liked titles whose times are known, and there are {found}"
        )
    items, strength = recency.of_user(0)
    parts = [_solve(tier, settings, items, strength) for tier in adapters.towers.tiers]
    return adapters.towers.joined(parts), found


def _solve(
    shared: SharedTier, settings: LoraSettings, items: NDArray[np.int32], strength: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Fit B as `user.fit_tier` does, without the compiler that it brings into the process."""
    weights = strength * 0.5 ** (np.arange(len(items)) / settings.half_life)
    rows = shared.projected[items].astype(np.float64)
    system = shared.gram + (rows * weights[:, None]).T @ rows
    system[np.diag_indices_from(system)] += settings.regularization * shared.unobserved
    solution = np.linalg.solve(system, rows.T @ weights)
    deviation = np.sqrt(solution @ shared.spread @ solution)
    scale = settings.rank / settings.alpha / (deviation if deviation > 0 else 1.0)
    return (scale * solution[None]).astype(np.float32)


def _stored(connection: Connection[TupleRow], user_id: str, adapters: Adapters) -> Adapter | None:
    try:
        return adapters.load(connection, user_id)
    except AdapterDamaged:  # it is written anew
        return None
