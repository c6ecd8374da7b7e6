"""Who changed what: the values of the audit trail, light enough for every process that changes something."""

from __future__ import annotations

import getpass
import math
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid4

from msgspec import Struct


class Action(StrEnum):
    """What can be done that changes something for others: all that the trail has."""

    EXPERIMENT_CREATED = "experiment.created"
    EXPERIMENT_REDEFINED = "experiment.redefined"
    EXPERIMENT_STARTED = "experiment.started"
    EXPERIMENT_RESUMED = "experiment.resumed"
    EXPERIMENT_PAUSED = "experiment.paused"
    EXPERIMENT_COMPLETED = "experiment.completed"
    EXPERIMENT_ARCHIVED = "experiment.archived"
    MODEL_TRAINED = "model.trained"
    MODEL_PROMOTED = "model.promoted"
    MODEL_DELETED = "model.deleted"
    TIER_PROMOTED = "shared_tier.promoted"
    TIER_DELETED = "shared_tier.deleted"
    ADAPTER_TRAINED = "adapter.trained"
    ADAPTER_IMPORTED = "adapter.imported"
    ADAPTER_ROLLED_BACK = "adapter.rolled_back"
    ADAPTER_DELETED = "adapter.deleted"
    ADAPTERS_TRAINED = "adapters.trained"
    ADAPTERS_PRUNED = "adapters.pruned"
    DATA_IMPORTED = "data.imported"
    SCHEMA_MIGRATED = "schema.migrated"
    GATEWAY_RELOADED = "gateway.reloaded"
    GATEWAY_RELOAD_REFUSED = "gateway.reload_refused"
    CACHE_PURGED = "gateway.cache_purged"
    BREAKER_SET = "gateway.breaker_set"
    TOKEN_MINTED = "token.minted"  # noqa: S105 - the name of an action
    AUDIT_PURGED = "audit.purged"


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
        action: what was done.
        resource_type: to what kind of thing.
        resource_id: to which.
        details: before and after, and what else there is to know; never what is secret.
    """

    action: Action
    resource_type: str
    resource_id: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Entry(Struct, frozen=True, kw_only=True):
    """A change as it is on its way to the trail.

    Attributes:
        entry_id: by which it is known however often it is sent.
        at: when it happened.
        action: as in `Change`, and so the rest.
        resource_type: of what.
        resource_id: which.
        details: before, after, and more.
        user_id: as in `Actor`, and so the rest.
        ip: where the request came from.
        user_agent: what it said.
    """

    entry_id: UUID
    at: datetime
    action: str
    resource_type: str
    resource_id: str
    details: dict[str, Any]
    user_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None


def entry_of(actor: Actor, change: Change) -> Entry:
    """Return the entry of a change that is made now, with nothing in it that a database could refuse."""
    return Entry(
        entry_id=uuid4(),
        at=datetime.now(UTC),
        action=change.action,
        resource_type=change.resource_type,
        resource_id=_storable(change.resource_id),
        details={_storable(name): _storable(value) for name, value in change.details.items()},
        user_id=None if actor.user_id is None else _storable(actor.user_id),
        ip=_address(actor.ip),
        user_agent=None if actor.user_agent is None else _storable(actor.user_agent),
    )


def _storable(value: Any) -> Any:  # noqa: ANN401 - whatever details have
    """Return a value as JSON that PostgreSQL keeps: texts of Unicode without zero bytes, numbers that are some."""
    if isinstance(value, str):
        return str(value).replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_storable(str(name)): _storable(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_storable(each) for each in value]
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _storable(str(value))


def _address(text: str | None) -> str | None:
    try:
        return None if text is None else str(ip_address(text))
    except ValueError:
        return None
