"""Entries of the audit trail on their way into the database, in the transaction of the change that they tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from mgw.core.changes import entry_of
from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.changes import Actor, Change, Entry


def record(connection: Connection[TupleRow], actor: Actor, *changes: Change) -> None:
    """Write entries; to be called in the transaction of the changes, as the last that it does.

    From then on until its end nobody else can add to the trail.
    """
    write(connection, [entry_of(actor, change) for change in changes])


def write(connection: Connection[TupleRow], entries: Sequence[Entry]) -> None:
    """Add entries to the trail, in order; those that are there already change nothing."""
    if not entries:
        return
    queries.audit_record(
        connection,
        entry_ids=[entry.entry_id for entry in entries],
        at=[entry.at for entry in entries],
        user_ids=[entry.user_id or "" for entry in entries],
        actions=[entry.action for entry in entries],
        resource_types=[entry.resource_type for entry in entries],
        resource_ids=[entry.resource_id for entry in entries],
        details=[Jsonb(entry.details) for entry in entries],
        ips=[entry.ip or "" for entry in entries],
        user_agents=[entry.user_agent or "" for entry in entries],
    )
