"""Adapters in the database: versions of each B, each with its checksum and the shared tier that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.database import queries
from mgw.core.errors import AdapterDamaged
from mgw.core.progress import SILENT
from mgw.recommend.lora.payload import FORMAT_VERSION, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.progress import Progress

NAME = "default"
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Adapter:
    """A user's tier.

    Attributes:
        user_id: the caller's id.
        weights: B, `(1, numbers)`.
        events_used: how many titles it was made from.
        gain: what it did for the user's held-out titles; 0 where that was not measured.
        error: the standard error of that.
        version: of the user's adapters of its name; 0 before it is stored.
    """

    user_id: str
    weights: NDArray[np.float32]
    events_used: int
    gain: float = 0.0
    error: float = 0.0
    version: int = 0

    @property
    def is_zero(self) -> bool:
        """Whether it changes nothing: so it is kept of a user whose own held-out titles spoke against one."""
        return not self.weights.any()


def save_adapters(
    connection: Connection[TupleRow],
    base: str,
    adapters: Sequence[Adapter],
    *,
    name: str = NAME,
    progress: Progress = SILENT,
) -> int:
    """Store adapters, each as the next version of its user's, and return how many.

    Args:
        connection: to the database; in no transaction, what is stored is so some thousands at a time.
        base: the name of the shared tier.
        adapters: at most one for each user; of users who are not there, none is stored.
        name: of the adapters.
        progress: where to report.
    """
    stored = 0
    with progress.stage("Storing adapters", total=len(adapters)) as stage:
        for start in range(0, len(adapters), _AT_ONCE):
            part = adapters[start : start + _AT_ONCE]
            stored += _save_at_once(connection, base, part, name)
            stage.advance(len(part))
    return stored


def prune_adapters(connection: Connection[TupleRow], user_ids: Sequence[str], *, keep: int) -> int:
    """Remove all but so many of the latest versions of the adapters of some users, and return how many there were.

    Args:
        connection: to the database; in no transaction, what is removed is so some thousands at a time.
        user_ids: the caller's ids.
        keep: how many versions are kept of each user and name.
    """
    return sum(
        queries.adapters_prune_users(connection, user_ids=list(user_ids[start : start + _AT_ONCE]), keep=keep)
        for start in range(0, len(user_ids), _AT_ONCE)
    )


def _save_at_once(connection: Connection[TupleRow], base: str, adapters: Sequence[Adapter], name: str) -> int:
    packed = [pack(adapter.weights) for adapter in adapters]
    users = [adapter.user_id for adapter in adapters]
    with connection.transaction():
        queries.adapters_hold_users(connection, user_ids=users)
        return queries.adapters_save_many(
            connection,
            name=name,
            base_snapshot=base,
            format_version=FORMAT_VERSION,
            rank=adapters[0].weights.shape[1],
            user_ids=users,
            weights=[payload for payload, _ in packed],
            checksums=[checksum for _, checksum in packed],
            events_used=[adapter.events_used for adapter in adapters],
            gains=[adapter.gain for adapter in adapters],
            errors=[adapter.error for adapter in adapters],
        )


def load_adapter(
    connection: Connection[TupleRow], user_id: str, base: str, *, numbers: int, name: str = NAME
) -> Adapter | None:
    """Read the latest adapter of a user that belongs to a shared tier, of so many numbers; None where there is none.

    Raises:
        AdapterDamaged: it is not what was stored, or does not fit the shared tier.
    """
    row = queries.adapters_load(connection, user_id=user_id, name=name, base_snapshot=base)
    return None if row is None else _adapter_of(row, user_id, numbers)


def send_adapter(
    connection: Connection[TupleRow], user_id: str, base: str, *, numbers: int, name: str = NAME
) -> Callable[[], Adapter | None]:
    """Ask, in a pipeline, for what `load_adapter` reads; return what fetches it."""
    fetch = queries.adapters_load_pipelined(connection, user_id=user_id, name=name, base_snapshot=base)

    def read() -> Adapter | None:
        row = fetch()
        return None if row is None else _adapter_of(row, user_id, numbers)

    return read


def _adapter_of(row: queries.AdaptersLoadRow, user_id: str, numbers: int) -> Adapter:
    weights = unpack(row.weights, row.checksum)
    if weights.shape != (1, numbers) or row.rank != numbers:
        raise AdapterDamaged(
            f"the adapter of {user_id!r} is {weights.shape[0]} × {weights.shape[1]}, not 1 × {numbers}"
        )
    gain, error = (float(row.metrics.get(key, 0.0)) for key in ("gain", "error"))
    return Adapter(user_id, weights, row.events_used, gain, error, row.version)
