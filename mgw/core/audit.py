"""The audit trail: who changed what. An entry is written in the transaction of the change, or neither is."""

from __future__ import annotations

import getpass
import socket
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import Connection
    from psycopg.rows import TupleRow


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts.

    Attributes:
        user_id: an account of the machine, `name@host`, or who the caller of the service says to be; None where nobody
            knows.
        ip: where a request came from.
        user_agent: what it said of its program.
    """

    user_id: str | None
    ip: str | None = None
    user_agent: str | None = None

    @classmethod
    def on_this_machine(cls) -> Actor:
        """Return the account that runs this program."""
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a user of a container may have a number only
            name = "unknown"
        return cls(f"{name}@{socket.gethostname()}")


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        action: what was done, such as `experiment.started`.
        resource_type: to what kind of thing.
        resource_id: to which.
        details: before and after, and what else there is to know.
    """

    action: str
    resource_type: str
    resource_id: str
    details: Mapping[str, Any] = field(default_factory=dict)


def record(connection: Connection[TupleRow], actor: Actor, change: Change) -> None:
    """Write an entry; to be called in the transaction of the change."""
    queries.audit_record(
        connection,
        at=[datetime.now(UTC)],
        user_ids=[actor.user_id or ""],
        actions=[change.action],
        resource_types=[change.resource_type],
        resource_ids=[change.resource_id],
        details=[Jsonb(dict(change.details))],
        ips=[actor.ip or ""],
        user_agents=[actor.user_agent or ""],
    )
