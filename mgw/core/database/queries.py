# fmt: off
# ruff: noqa: PGH004
# ruff: noqa
"""The queries as functions: written by `mgw prepare`, and not to be edited.

Each takes a connection and the parameters by name, and comes with an `_async` twin. A value that can be NULL says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from decimal import Decimal
    from ipaddress import (
        IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network,
    )
    from uuid import UUID

    from psycopg import AsyncConnection, AsyncCopy, Connection, Copy
    from psycopg.types import TypeInfo
    from psycopg.types.json import Json, Jsonb
    from psycopg.types.multirange import (
        DateMultirange, Int4Multirange, Int8Multirange, Multirange, NumericMultirange, TimestampMultirange,
        TimestamptzMultirange,
    )
    from psycopg.types.range import (
        DateRange, Int4Range, Int8Range, NumericRange, Range, TimestampRange, TimestamptzRange,
    )

    Inet: TypeAlias = IPv4Address | IPv6Address | IPv4Interface | IPv6Interface
    Cidr: TypeAlias = IPv4Network | IPv6Network

_T = TypeVar("_T")


def _into(make: Callable[[Sequence[Any]], _T]) -> Callable[[object], Callable[[Sequence[Any]], _T]]:
    return lambda _cursor: make


def _first(values: Sequence[Any]) -> Any:
    return values[0]


def _value(_cursor: object) -> Callable[[Sequence[Any]], Any]:
    return _first


def _one(name: str, rows: list[_T]) -> _T:
    if len(rows) != 1:
        msg = f"{name} gave {len(rows)} rows instead of one"
        raise LookupError(msg)
    return rows[0]


def _at_most_one(name: str, rows: list[_T]) -> _T | None:
    if len(rows) > 1:
        msg = f"{name} gave {len(rows)} rows instead of at most one"
        raise LookupError(msg)
    return rows[0] if rows else None


# ---- :types 41475046eeed5bca 41475046eeed5bca
# There are none.


# ---- adapters/begin_training 795c2383cbcc1396 159135a5db7e1d6a
_ADAPTERS_BEGIN_TRAINING: Final = """SELECT pg_try_advisory_lock(hashtext('mgw train lora')) AS is_free"""


def adapters_begin_training(connection: Connection[Any], /) -> bool | None:
    """Whether this connection may train everybody's adapters now: one may, until `adapters/end_training` or its end."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_ADAPTERS_BEGIN_TRAINING)
        rows: list[bool | None] = cursor.fetchall()
    return _one("adapters/begin_training", rows)


async def adapters_begin_training_async(connection: AsyncConnection[Any], /) -> bool | None:
    """Whether this connection may train everybody's adapters now: one may, until `adapters/end_training` or its end."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_ADAPTERS_BEGIN_TRAINING)
        rows: list[bool | None] = await cursor.fetchall()
    return _one("adapters/begin_training", rows)


# ---- adapters/count_of_base 0d2995da169f3eb3 13a61c5e53e97548
_ADAPTERS_COUNT_OF_BASE: Final = """SELECT count(DISTINCT a.user_id) AS users
FROM lora_adapters a
WHERE a.base_snapshot = (%(base_snapshot)s::text) AND a.name = (%(name)s::text) AND btrim(substr(a.weights, 11), '\\x00') <> ''"""


def adapters_count_of_base(
    connection: Connection[Any],
    /,
    *,
    base_snapshot: str,
    name: str,
) -> int:
    """How many users have an adapter of some name that belongs to a shared tier and is not zero.

    The numbers stand behind a header of 10 bytes (mgw/recommend/lora/payload.py).
    """
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_ADAPTERS_COUNT_OF_BASE, {"base_snapshot": base_snapshot, "name": name})
        rows: list[int] = cursor.fetchall()
    return _one("adapters/count_of_base", rows)


async def adapters_count_of_base_async(
    connection: AsyncConnection[Any],
    /,
    *,
    base_snapshot: str,
    name: str,
) -> int:
    """How many users have an adapter of some name that belongs to a shared tier and is not zero.

    The numbers stand behind a header of 10 bytes (mgw/recommend/lora/payload.py).
    """
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_ADAPTERS_COUNT_OF_BASE, {"base_snapshot": base_snapshot, "name": name})
        rows: list[int] = await cursor.fetchall()
    return _one("adapters/count_of_base", rows)


# ---- adapters/delete a07dc928e2c6890d 70decafa0724466c
_ADAPTERS_DELETE: Final = """DELETE FROM lora_adapters a
USING users u
WHERE u.id = a.user_id AND u.external_id = (%(user_id)s::text)"""


def adapters_delete(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> int:
    """Remove every adapter of a user."""
    return connection.execute(_ADAPTERS_DELETE, {"user_id": user_id}).rowcount


async def adapters_delete_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
) -> int:
    """Remove every adapter of a user."""
    return (await connection.execute(_ADAPTERS_DELETE, {"user_id": user_id})).rowcount


# ---- adapters/end_training 7b215b6a9d199bb5 08b87672be017a1b
_ADAPTERS_END_TRAINING: Final = """SELECT pg_advisory_unlock(hashtext('mgw train lora')) AS was_held"""


def adapters_end_training(connection: Connection[Any], /) -> bool | None:
    """Let others train everybody's adapters."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_ADAPTERS_END_TRAINING)
        rows: list[bool | None] = cursor.fetchall()
    return _one("adapters/end_training", rows)


async def adapters_end_training_async(connection: AsyncConnection[Any], /) -> bool | None:
    """Let others train everybody's adapters."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_ADAPTERS_END_TRAINING)
        rows: list[bool | None] = await cursor.fetchall()
    return _one("adapters/end_training", rows)


# ---- adapters/hold_users 93cf54360880e602 3d7c134a6d8dc2bd
_ADAPTERS_HOLD_USERS: Final = """SELECT id FROM users WHERE external_id = ANY((%(user_ids)s::text[])::text[]) ORDER BY id FOR NO KEY UPDATE"""


def adapters_hold_users(
    connection: Connection[Any],
    /,
    *,
    user_ids: list[str],
) -> list[int]:
    """Have those who save adapters of the same users take turns until their transactions end, before `adapters/save_many`."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_ADAPTERS_HOLD_USERS, {"user_ids": user_ids})
        rows: list[int] = cursor.fetchall()
    return rows


async def adapters_hold_users_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_ids: list[str],
) -> list[int]:
    """Have those who save adapters of the same users take turns until their transactions end, before `adapters/save_many`."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_ADAPTERS_HOLD_USERS, {"user_ids": user_ids})
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- adapters/list a67d58c998f2254a e8bedea5ca310082
_ADAPTERS_LIST: Final = """SELECT a.name, a.version, a.base_snapshot, a.rank, octet_length(a.weights) AS size_bytes, a.events_used, a.created_at
FROM lora_adapters a
JOIN users u ON u.id = a.user_id
WHERE u.external_id = (%(user_id)s::text)
ORDER BY a.name, a.version DESC"""


class AdaptersListRow(NamedTuple):
    """A row of `adapters/list`."""

    name: str
    version: int
    base_snapshot: str
    rank: int
    size_bytes: int
    events_used: int
    created_at: dt.datetime


def adapters_list(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> list[AdaptersListRow]:
    """All adapters of a user, the latest version of each name first: as many as are kept, which the settings say."""
    with connection.cursor(row_factory=_into(AdaptersListRow._make)) as cursor:
        cursor.execute(_ADAPTERS_LIST, {"user_id": user_id})
        rows: list[AdaptersListRow] = cursor.fetchall()
    return rows


async def adapters_list_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
) -> list[AdaptersListRow]:
    """All adapters of a user, the latest version of each name first: as many as are kept, which the settings say."""
    async with connection.cursor(row_factory=_into(AdaptersListRow._make)) as cursor:
        await cursor.execute(_ADAPTERS_LIST, {"user_id": user_id})
        rows: list[AdaptersListRow] = await cursor.fetchall()
    return rows


# ---- adapters/load f76db2757fd7ea02 255bc0707bbb498a
_ADAPTERS_LOAD: Final = """SELECT a.version, a.format_version, a.rank, a.weights, a.checksum, a.events_used, a.metrics, a.created_at
FROM lora_adapters a
JOIN users u ON u.id = a.user_id
WHERE u.external_id = (%(user_id)s::text) AND a.name = (%(name)s::text) AND a.base_snapshot = (%(base_snapshot)s::text)
ORDER BY a.version DESC
LIMIT 1"""


class AdaptersLoadRow(NamedTuple):
    """A row of `adapters/load`."""

    version: int
    format_version: int
    rank: int
    weights: bytes
    checksum: bytes
    events_used: int
    metrics: Any
    created_at: dt.datetime


def adapters_load(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
    name: str,
    base_snapshot: str,
) -> AdaptersLoadRow | None:
    """The latest adapter of a user and name for a base snapshot."""
    with connection.cursor(row_factory=_into(AdaptersLoadRow._make)) as cursor:
        cursor.execute(_ADAPTERS_LOAD, {"user_id": user_id, "name": name, "base_snapshot": base_snapshot})
        rows: list[AdaptersLoadRow] = cursor.fetchall()
    return _at_most_one("adapters/load", rows)


async def adapters_load_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
    name: str,
    base_snapshot: str,
) -> AdaptersLoadRow | None:
    """The latest adapter of a user and name for a base snapshot."""
    async with connection.cursor(row_factory=_into(AdaptersLoadRow._make)) as cursor:
        await cursor.execute(_ADAPTERS_LOAD, {"user_id": user_id, "name": name, "base_snapshot": base_snapshot})
        rows: list[AdaptersLoadRow] = await cursor.fetchall()
    return _at_most_one("adapters/load", rows)


def adapters_load_pipelined(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
    name: str,
    base_snapshot: str,
) -> Callable[[], AdaptersLoadRow | None]:
    """The latest adapter of a user and name for a base snapshot."""
    cursor = connection.cursor(row_factory=_into(AdaptersLoadRow._make))
    cursor.execute(_ADAPTERS_LOAD, {"user_id": user_id, "name": name, "base_snapshot": base_snapshot})
    return lambda: _at_most_one("adapters/load", cursor.fetchall())


# ---- adapters/prune 30d9dd4aee36de4f f0e393cf6d0e42d4
_ADAPTERS_PRUNE: Final = """DELETE FROM lora_adapters a
WHERE a.version <= (
    SELECT max(b.version) - (%(keep)s::integer)::integer FROM lora_adapters b WHERE b.user_id = a.user_id AND b.name = a.name
)
    AND a.version IS DISTINCT FROM (
        SELECT max(c.version)
        FROM lora_adapters c
        WHERE c.user_id = a.user_id AND c.name = a.name AND c.base_snapshot = (%(base_in_use)s::text)::text
    )"""


def adapters_prune(
    connection: Connection[Any],
    /,
    *,
    keep: int,
    base_in_use: str,
) -> int:
    """Remove all but the latest versions of each user and name, and never the one in use."""
    return connection.execute(_ADAPTERS_PRUNE, {"keep": keep, "base_in_use": base_in_use}).rowcount


async def adapters_prune_async(
    connection: AsyncConnection[Any],
    /,
    *,
    keep: int,
    base_in_use: str,
) -> int:
    """Remove all but the latest versions of each user and name, and never the one in use."""
    return (await connection.execute(_ADAPTERS_PRUNE, {"keep": keep, "base_in_use": base_in_use})).rowcount


# ---- adapters/prune_bases 2968a396675f57a5 77dae0edf7560188
_ADAPTERS_PRUNE_BASES: Final = """DELETE FROM lora_adapters WHERE base_snapshot = ANY((%(base_snapshots)s::text[])::text[])"""


def adapters_prune_bases(
    connection: Connection[Any],
    /,
    *,
    base_snapshots: list[str],
) -> int:
    """Remove the adapters of some shared tiers."""
    return connection.execute(_ADAPTERS_PRUNE_BASES, {"base_snapshots": base_snapshots}).rowcount


async def adapters_prune_bases_async(
    connection: AsyncConnection[Any],
    /,
    *,
    base_snapshots: list[str],
) -> int:
    """Remove the adapters of some shared tiers."""
    return (await connection.execute(_ADAPTERS_PRUNE_BASES, {"base_snapshots": base_snapshots})).rowcount


# ---- adapters/prune_users dbc5ea7edac6db3b 0aff623fd1750b63
_ADAPTERS_PRUNE_USERS: Final = """DELETE FROM lora_adapters a
USING users u
WHERE u.id = a.user_id
    AND u.external_id = ANY((%(user_ids)s::text[])::text[])
    AND a.version <= (
        SELECT max(b.version) - (%(keep)s::integer)::integer FROM lora_adapters b WHERE b.user_id = a.user_id AND b.name = a.name
    )"""


def adapters_prune_users(
    connection: Connection[Any],
    /,
    *,
    user_ids: list[str],
    keep: int,
) -> int:
    """Remove all but the latest versions of the adapters of some users."""
    return connection.execute(_ADAPTERS_PRUNE_USERS, {"user_ids": user_ids, "keep": keep}).rowcount


async def adapters_prune_users_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_ids: list[str],
    keep: int,
) -> int:
    """Remove all but the latest versions of the adapters of some users."""
    return (await connection.execute(_ADAPTERS_PRUNE_USERS, {"user_ids": user_ids, "keep": keep})).rowcount


# ---- adapters/save_many b01b051bf34ab7b4 ebb4715db92bed98
_ADAPTERS_SAVE_MANY: Final = """INSERT INTO lora_adapters (
    user_id, name, version, base_snapshot, format_version, rank, weights, checksum, events_used, metrics
)
SELECT
    u.id,
    (%(name)s::text),
    coalesce((SELECT max(a.version) FROM lora_adapters a WHERE a.user_id = u.id AND a.name = (%(name)s::text)), 0) + 1,
    (%(base_snapshot)s::text),
    (%(format_version)s::smallint),
    (%(rank)s::smallint),
    given.weights,
    given.checksum,
    given.events_used,
    jsonb_build_object('gain', given.gain, 'error', given.error)
FROM unnest(
    (%(user_ids)s::text[])::text[],
    (%(weights)s::bytea[])::bytea[],
    (%(checksums)s::bytea[])::bytea[],
    (%(events_used)s::integer[])::integer[],
    (%(gains)s::double precision[])::double precision[],
    (%(errors)s::double precision[])::double precision[]
) AS given (user_id, weights, checksum, events_used, gain, error)
JOIN users u ON u.external_id = given.user_id"""


def adapters_save_many(
    connection: Connection[Any],
    /,
    *,
    name: str,
    base_snapshot: str,
    format_version: int,
    rank: int,
    user_ids: list[str],
    weights: list[bytes],
    checksums: list[bytes],
    events_used: list[int],
    gains: list[float],
    errors: list[float],
) -> int:
    """Keep adapters of several users, each under the next version of its user and name, and return how many there are.

    The users are held by `adapters/hold_users`, a statement before this one: only a statement that begins after the locks
    are held sees the versions that another writer has just committed.
    """
    return connection.execute(_ADAPTERS_SAVE_MANY, {"name": name, "base_snapshot": base_snapshot, "format_version": format_version, "rank": rank, "user_ids": user_ids, "weights": weights, "checksums": checksums, "events_used": events_used, "gains": gains, "errors": errors}).rowcount


async def adapters_save_many_async(
    connection: AsyncConnection[Any],
    /,
    *,
    name: str,
    base_snapshot: str,
    format_version: int,
    rank: int,
    user_ids: list[str],
    weights: list[bytes],
    checksums: list[bytes],
    events_used: list[int],
    gains: list[float],
    errors: list[float],
) -> int:
    """Keep adapters of several users, each under the next version of its user and name, and return how many there are.

    The users are held by `adapters/hold_users`, a statement before this one: only a statement that begins after the locks
    are held sees the versions that another writer has just committed.
    """
    return (await connection.execute(_ADAPTERS_SAVE_MANY, {"name": name, "base_snapshot": base_snapshot, "format_version": format_version, "rank": rank, "user_ids": user_ids, "weights": weights, "checksums": checksums, "events_used": events_used, "gains": gains, "errors": errors})).rowcount


# ---- adapters/undo de943d6274255b2c c736302b210f21e0
_ADAPTERS_UNDO: Final = """DELETE FROM lora_adapters a
USING users u
WHERE u.id = a.user_id
    AND u.external_id = (%(user_id)s::text)
    AND a.name = (%(name)s::text)
    AND a.version = (
        SELECT max(b.version) FROM lora_adapters b
        WHERE b.user_id = u.id AND b.name = (%(name)s::text) AND b.base_snapshot = (%(base_snapshot)s::text)
    )"""


def adapters_undo(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
    name: str,
    base_snapshot: str,
) -> int:
    """Remove the latest adapter of a user and name that belongs to a shared tier."""
    return connection.execute(_ADAPTERS_UNDO, {"user_id": user_id, "name": name, "base_snapshot": base_snapshot}).rowcount


async def adapters_undo_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
    name: str,
    base_snapshot: str,
) -> int:
    """Remove the latest adapter of a user and name that belongs to a shared tier."""
    return (await connection.execute(_ADAPTERS_UNDO, {"user_id": user_id, "name": name, "base_snapshot": base_snapshot})).rowcount


# ---- adapters/users_of_base fe1ce25c187be6c3 47355660e02a94f8
_ADAPTERS_USERS_OF_BASE: Final = """SELECT DISTINCT u.external_id
FROM lora_adapters a
JOIN users u ON u.id = a.user_id
WHERE a.base_snapshot = (%(base_snapshot)s::text) AND a.name = (%(name)s::text)"""


def adapters_users_of_base(
    connection: Connection[Any],
    /,
    *,
    base_snapshot: str,
    name: str,
) -> list[str]:
    """Who has an adapter of some name that belongs to a shared tier."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_ADAPTERS_USERS_OF_BASE, {"base_snapshot": base_snapshot, "name": name})
        rows: list[str] = cursor.fetchall()
    return rows


async def adapters_users_of_base_async(
    connection: AsyncConnection[Any],
    /,
    *,
    base_snapshot: str,
    name: str,
) -> list[str]:
    """Who has an adapter of some name that belongs to a shared tier."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_ADAPTERS_USERS_OF_BASE, {"base_snapshot": base_snapshot, "name": name})
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- adapters/users_since f81f0ba7476d0d4e ec6592a3eebe304d
_ADAPTERS_USERS_SINCE: Final = """SELECT u.external_id
FROM users u
WHERE EXISTS (SELECT FROM viewing_events e WHERE e.user_id = u.id AND e.at >= (%(since)s::timestamp with time zone)::timestamptz)
ORDER BY u.id"""


def adapters_users_since(
    connection: Connection[Any],
    /,
    *,
    since: dt.datetime,
) -> list[str]:
    """Who has watched, rated or dismissed something since."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_ADAPTERS_USERS_SINCE, {"since": since})
        rows: list[str] = cursor.fetchall()
    return rows


async def adapters_users_since_async(
    connection: AsyncConnection[Any],
    /,
    *,
    since: dt.datetime,
) -> list[str]:
    """Who has watched, rated or dismissed something since."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_ADAPTERS_USERS_SINCE, {"since": since})
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- audit/begin_retention e3551e6bd5fa47c4 81cd7d0b2e0e7d5c
_AUDIT_BEGIN_RETENTION: Final = """SELECT set_config('mgw.audit_retention', 'on', true)"""


def audit_begin_retention(connection: Connection[Any], /) -> str:
    """Let this transaction take entries out."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_AUDIT_BEGIN_RETENTION)
        rows: list[str] = cursor.fetchall()
    return _one("audit/begin_retention", rows)


async def audit_begin_retention_async(connection: AsyncConnection[Any], /) -> str:
    """Let this transaction take entries out."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_AUDIT_BEGIN_RETENTION)
        rows: list[str] = await cursor.fetchall()
    return _one("audit/begin_retention", rows)


# ---- audit/end_retention d3b50e2db86bcd70 225afbcbf812568b
_AUDIT_END_RETENTION: Final = """SELECT set_config('mgw.audit_retention', 'off', true)"""


def audit_end_retention(connection: Connection[Any], /) -> str:
    """Let this transaction take no more out."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_AUDIT_END_RETENTION)
        rows: list[str] = cursor.fetchall()
    return _one("audit/end_retention", rows)


async def audit_end_retention_async(connection: AsyncConnection[Any], /) -> str:
    """Let this transaction take no more out."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_AUDIT_END_RETENTION)
        rows: list[str] = await cursor.fetchall()
    return _one("audit/end_retention", rows)


# ---- audit/ends 62b17548868a5ad1 5fab1d7096dfe16a
_AUDIT_ENDS: Final = """SELECT position, hash, purged_position, purged_hash FROM audit_ends"""


class AuditEndsRow(NamedTuple):
    """A row of `audit/ends`."""

    position: int
    hash: bytes
    purged_position: int
    purged_hash: bytes


def audit_ends(connection: Connection[Any], /) -> AuditEndsRow:
    """Where the chain ends, and where it begins behind what was purged."""
    with connection.cursor(row_factory=_into(AuditEndsRow._make)) as cursor:
        cursor.execute(_AUDIT_ENDS)
        rows: list[AuditEndsRow] = cursor.fetchall()
    return _one("audit/ends", rows)


async def audit_ends_async(connection: AsyncConnection[Any], /) -> AuditEndsRow:
    """Where the chain ends, and where it begins behind what was purged."""
    async with connection.cursor(row_factory=_into(AuditEndsRow._make)) as cursor:
        await cursor.execute(_AUDIT_ENDS)
        rows: list[AuditEndsRow] = await cursor.fetchall()
    return _one("audit/ends", rows)


# ---- audit/export 72e830c004c1b2cd cc025b1f192e23f4
_AUDIT_EXPORT: Final = """SELECT l.position, encode(l.hash, 'hex') AS hash, audit_content(l) AS content
FROM audit_logs l
WHERE l.position > (%(position)s::bigint) AND l.position <= (%(last)s::bigint)
ORDER BY l.position
LIMIT (%(top_k)s::bigint)"""


class AuditExportRow(NamedTuple):
    """A row of `audit/export`."""

    position: int
    hash: str
    content: str


def audit_export(
    connection: Connection[Any],
    /,
    *,
    position: int,
    last: int,
    top_k: int,
) -> list[AuditExportRow]:
    """Entries from the oldest on, as what was hashed: behind a position, up to a moment, as long as all before them are as old."""
    with connection.cursor(row_factory=_into(AuditExportRow._make)) as cursor:
        cursor.execute(_AUDIT_EXPORT, {"position": position, "last": last, "top_k": top_k})
        rows: list[AuditExportRow] = cursor.fetchall()
    return rows


async def audit_export_async(
    connection: AsyncConnection[Any],
    /,
    *,
    position: int,
    last: int,
    top_k: int,
) -> list[AuditExportRow]:
    """Entries from the oldest on, as what was hashed: behind a position, up to a moment, as long as all before them are as old."""
    async with connection.cursor(row_factory=_into(AuditExportRow._make)) as cursor:
        await cursor.execute(_AUDIT_EXPORT, {"position": position, "last": last, "top_k": top_k})
        rows: list[AuditExportRow] = await cursor.fetchall()
    return rows


# ---- audit/first_break 9afd1b2a4da0f906 24420154bf6738f7
_AUDIT_FIRST_BREAK: Final = """WITH part AS (
    SELECT
        l.position,
        l.hash,
        lag(l.position, 1, (%(position)s::bigint)::bigint) OVER (ORDER BY l.position) AS before,
        sha256(lag(l.hash, 1, (%(hash)s::bytea)::bytea) OVER (ORDER BY l.position) || convert_to(audit_content(l), 'UTF8')) AS expected
    FROM audit_logs l
    WHERE l.position > (%(position)s::bigint)::bigint AND l.position <= least((%(position)s::bigint)::bigint + (%(size)s::bigint)::bigint, (%(last)s::bigint)::bigint)
)
SELECT
    min(p.position) FILTER (WHERE p.hash <> p.expected OR p.position <> p.before + 1) AS broken,
    count(*) AS entries,
    max(p.position) AS last
FROM part p"""


class AuditFirstBreakRow(NamedTuple):
    """A row of `audit/first_break`."""

    broken: int | None
    entries: int
    last: int | None


def audit_first_break(
    connection: Connection[Any],
    /,
    *,
    position: int,
    hash: bytes,
    size: int,
    last: int,
) -> AuditFirstBreakRow:
    """The first entry of a part of the chain that is not what it was, or does not follow the one before; and how far the part
    goes. The part begins behind a position whose hash is known; what came after the last one is not looked at.
    """
    with connection.cursor(row_factory=_into(AuditFirstBreakRow._make)) as cursor:
        cursor.execute(_AUDIT_FIRST_BREAK, {"position": position, "hash": hash, "size": size, "last": last})
        rows: list[AuditFirstBreakRow] = cursor.fetchall()
    return _one("audit/first_break", rows)


async def audit_first_break_async(
    connection: AsyncConnection[Any],
    /,
    *,
    position: int,
    hash: bytes,
    size: int,
    last: int,
) -> AuditFirstBreakRow:
    """The first entry of a part of the chain that is not what it was, or does not follow the one before; and how far the part
    goes. The part begins behind a position whose hash is known; what came after the last one is not looked at.
    """
    async with connection.cursor(row_factory=_into(AuditFirstBreakRow._make)) as cursor:
        await cursor.execute(_AUDIT_FIRST_BREAK, {"position": position, "hash": hash, "size": size, "last": last})
        rows: list[AuditFirstBreakRow] = await cursor.fetchall()
    return _one("audit/first_break", rows)


# ---- audit/hash_at 052bce02debc09d3 0d8a37778e7f0cb0
_AUDIT_HASH_AT: Final = """SELECT hash FROM audit_logs WHERE position = (%(position)s::bigint)"""


def audit_hash_at(
    connection: Connection[Any],
    /,
    *,
    position: int,
) -> bytes | None:
    """The hash of an entry, if it is there."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_AUDIT_HASH_AT, {"position": position})
        rows: list[bytes] = cursor.fetchall()
    return _at_most_one("audit/hash_at", rows)


async def audit_hash_at_async(
    connection: AsyncConnection[Any],
    /,
    *,
    position: int,
) -> bytes | None:
    """The hash of an entry, if it is there."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_AUDIT_HASH_AT, {"position": position})
        rows: list[bytes] = await cursor.fetchall()
    return _at_most_one("audit/hash_at", rows)


# ---- audit/is_chained 7a9801db92e37eb1 7e8fe6f4939d392b
_AUDIT_IS_CHAINED: Final = """SELECT to_regclass('audit_ends') IS NOT NULL AS is_chained"""


def audit_is_chained(connection: Connection[Any], /) -> bool:
    """Whether there is a trail that an entry can be added to."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_AUDIT_IS_CHAINED)
        rows: list[bool] = cursor.fetchall()
    return _one("audit/is_chained", rows)


async def audit_is_chained_async(connection: AsyncConnection[Any], /) -> bool:
    """Whether there is a trail that an entry can be added to."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_AUDIT_IS_CHAINED)
        rows: list[bool] = await cursor.fetchall()
    return _one("audit/is_chained", rows)


# ---- audit/last_before d3bc39aef4a37b13 ae822bff40d71936
_AUDIT_LAST_BEFORE: Final = """SELECT coalesce(
    (SELECT min(l.position) - 1 FROM audit_logs l WHERE l.at >= (%(before)s::timestamp with time zone)::timestamptz),
    (SELECT e.position FROM audit_ends e)
) AS last"""


def audit_last_before(
    connection: Connection[Any],
    /,
    *,
    before: dt.datetime,
) -> int | None:
    """The last entry of those that may be purged: older than a moment, as are all before it."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_AUDIT_LAST_BEFORE, {"before": before})
        rows: list[int | None] = cursor.fetchall()
    return _one("audit/last_before", rows)


async def audit_last_before_async(
    connection: AsyncConnection[Any],
    /,
    *,
    before: dt.datetime,
) -> int | None:
    """The last entry of those that may be purged: older than a moment, as are all before it."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_AUDIT_LAST_BEFORE, {"before": before})
        rows: list[int | None] = await cursor.fetchall()
    return _one("audit/last_before", rows)


# ---- audit/list eae12c1d78313b0b c498bc683dee26a3
_AUDIT_LIST: Final = """SELECT l.position, l.at, l.user_id, l.action, l.resource_type, l.resource_id, l.details, l.ip, l.user_agent
FROM audit_logs l
WHERE (l.at, l.position) < ((%(before_at)s::timestamp with time zone)::timestamptz, (%(before_position)s::bigint)::bigint)
    AND l.at >= (%(start)s::timestamp with time zone)::timestamptz
    AND ((%(user_id)s::text) IS NULL OR l.user_id = (%(user_id)s::text))
    AND ((%(action)s::text) IS NULL OR l.action = (%(action)s::text))
    AND ((%(resource_type)s::text) IS NULL OR l.resource_type = (%(resource_type)s::text))
    AND ((%(resource_id)s::text) IS NULL OR l.resource_id = (%(resource_id)s::text))
    AND ((%(words)s::text) IS NULL OR l.words @@ to_tsquery('simple', (%(words)s::text)))
ORDER BY l.at DESC, l.position DESC
LIMIT (%(top_k)s::bigint)"""


class AuditListRow(NamedTuple):
    """A row of `audit/list`."""

    position: int
    at: dt.datetime
    user_id: str | None
    action: str
    resource_type: str
    resource_id: str | None
    details: Any
    ip: Inet | None
    user_agent: str | None


def audit_list(
    connection: Connection[Any],
    /,
    *,
    before_at: dt.datetime,
    before_position: int,
    start: dt.datetime,
    user_id: str | None,
    action: str | None,
    resource_type: str | None,
    resource_id: str | None,
    words: str | None,
    top_k: int,
) -> list[AuditListRow]:
    """A page of the trail, the newest first: entries before a key, under any of the filters that are given. A word is found
    by its beginning.
    """
    with connection.cursor(row_factory=_into(AuditListRow._make)) as cursor:
        cursor.execute(_AUDIT_LIST, {"before_at": before_at, "before_position": before_position, "start": start, "user_id": user_id, "action": action, "resource_type": resource_type, "resource_id": resource_id, "words": words, "top_k": top_k})
        rows: list[AuditListRow] = cursor.fetchall()
    return rows


async def audit_list_async(
    connection: AsyncConnection[Any],
    /,
    *,
    before_at: dt.datetime,
    before_position: int,
    start: dt.datetime,
    user_id: str | None,
    action: str | None,
    resource_type: str | None,
    resource_id: str | None,
    words: str | None,
    top_k: int,
) -> list[AuditListRow]:
    """A page of the trail, the newest first: entries before a key, under any of the filters that are given. A word is found
    by its beginning.
    """
    async with connection.cursor(row_factory=_into(AuditListRow._make)) as cursor:
        await cursor.execute(_AUDIT_LIST, {"before_at": before_at, "before_position": before_position, "start": start, "user_id": user_id, "action": action, "resource_type": resource_type, "resource_id": resource_id, "words": words, "top_k": top_k})
        rows: list[AuditListRow] = await cursor.fetchall()
    return rows


# ---- audit/purge a1aa6900bd63c8d5 e7b76f578dfc98d1
_AUDIT_PURGE: Final = """WITH purged AS (
    DELETE FROM audit_logs WHERE position <= (%(last)s::bigint) RETURNING position, hash
),
kept AS (
    UPDATE audit_ends e SET purged_position = p.position, purged_hash = p.hash
    FROM (SELECT position, hash FROM purged ORDER BY position DESC LIMIT 1) AS p
)
SELECT count(*) AS entries FROM purged"""


def audit_purge(
    connection: Connection[Any],
    /,
    *,
    last: int,
) -> int:
    """Take out the entries up to a position, and keep where the chain begins now."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_AUDIT_PURGE, {"last": last})
        rows: list[int] = cursor.fetchall()
    return _one("audit/purge", rows)


async def audit_purge_async(
    connection: AsyncConnection[Any],
    /,
    *,
    last: int,
) -> int:
    """Take out the entries up to a position, and keep where the chain begins now."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_AUDIT_PURGE, {"last": last})
        rows: list[int] = await cursor.fetchall()
    return _one("audit/purge", rows)


# ---- audit/record 4549a8ff6fb33a58 867580a4354a5b5a
_AUDIT_RECORD: Final = """INSERT INTO audit_logs (entry_id, at, user_id, action, resource_type, resource_id, details, ip, user_agent)
SELECT
    l.entry_id, l.at, nullif(l.user_id, ''), l.action, l.resource_type, nullif(l.resource_id, ''), l.details,
    nullif(l.ip, '')::inet, nullif(l.user_agent, '')
FROM unnest(
    (%(entry_ids)s::uuid[])::uuid[], (%(at)s::timestamp with time zone[])::timestamptz[], (%(user_ids)s::text[])::text[], (%(actions)s::text[])::text[], (%(resource_types)s::text[])::text[],
    (%(resource_ids)s::text[])::text[], (%(details)s::jsonb[])::jsonb[], (%(ips)s::text[])::text[], (%(user_agents)s::text[])::text[]
) WITH ORDINALITY AS l (
    entry_id, at, user_id, action, resource_type, resource_id, details, ip, user_agent, place
)
ORDER BY l.place
ON CONFLICT (entry_id) DO NOTHING"""


def audit_record(
    connection: Connection[Any],
    /,
    *,
    entry_ids: list[UUID],
    at: list[dt.datetime],
    user_ids: list[str],
    actions: list[str],
    resource_types: list[str],
    resource_ids: list[str],
    details: list[Json | Jsonb],
    ips: list[str],
    user_agents: list[str],
) -> int:
    """A batch of entries, in order; those that are there already change nothing. What nobody knows is empty."""
    return connection.execute(_AUDIT_RECORD, {"entry_ids": entry_ids, "at": at, "user_ids": user_ids, "actions": actions, "resource_types": resource_types, "resource_ids": resource_ids, "details": details, "ips": ips, "user_agents": user_agents}).rowcount


async def audit_record_async(
    connection: AsyncConnection[Any],
    /,
    *,
    entry_ids: list[UUID],
    at: list[dt.datetime],
    user_ids: list[str],
    actions: list[str],
    resource_types: list[str],
    resource_ids: list[str],
    details: list[Json | Jsonb],
    ips: list[str],
    user_agents: list[str],
) -> int:
    """A batch of entries, in order; those that are there already change nothing. What nobody knows is empty."""
    return (await connection.execute(_AUDIT_RECORD, {"entry_ids": entry_ids, "at": at, "user_ids": user_ids, "actions": actions, "resource_types": resource_types, "resource_ids": resource_ids, "details": details, "ips": ips, "user_agents": user_agents})).rowcount


# ---- catalogue/by_ids e5fdda7ec12da9a5 fd59e5cd5c0e32b9
_CATALOGUE_BY_IDS: Final = """SELECT
    c.external_id,
    c.title,
    c.year,
    c.kind,
    c.runtime_minutes,
    coalesce((SELECT array_agg(g.genre ORDER BY g.genre) FROM content_genres g WHERE g.content_id = c.id), '{}') AS genres
FROM content c
WHERE c.external_id = ANY((%(content_ids)s::text[]))"""


class CatalogueByIdsRow(NamedTuple):
    """A row of `catalogue/by_ids`."""

    external_id: str
    title: str
    year: int | None
    kind: str
    runtime_minutes: int | None
    genres: list[str]


def catalogue_by_ids(
    connection: Connection[Any],
    /,
    *,
    content_ids: list[str],
) -> list[CatalogueByIdsRow]:
    """What is shown of some titles."""
    with connection.cursor(row_factory=_into(CatalogueByIdsRow._make)) as cursor:
        cursor.execute(_CATALOGUE_BY_IDS, {"content_ids": content_ids})
        rows: list[CatalogueByIdsRow] = cursor.fetchall()
    return rows


async def catalogue_by_ids_async(
    connection: AsyncConnection[Any],
    /,
    *,
    content_ids: list[str],
) -> list[CatalogueByIdsRow]:
    """What is shown of some titles."""
    async with connection.cursor(row_factory=_into(CatalogueByIdsRow._make)) as cursor:
        await cursor.execute(_CATALOGUE_BY_IDS, {"content_ids": content_ids})
        rows: list[CatalogueByIdsRow] = await cursor.fetchall()
    return rows


# ---- catalogue/known_ids 4b9246f29b89fc39 04d20d04896e7472
_CATALOGUE_KNOWN_IDS: Final = """SELECT external_id FROM content WHERE external_id = ANY((%(content_ids)s::text[]))"""


def catalogue_known_ids(
    connection: Connection[Any],
    /,
    *,
    content_ids: list[str],
) -> list[str]:
    """Those of some ids that content has."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_CATALOGUE_KNOWN_IDS, {"content_ids": content_ids})
        rows: list[str] = cursor.fetchall()
    return rows


async def catalogue_known_ids_async(
    connection: AsyncConnection[Any],
    /,
    *,
    content_ids: list[str],
) -> list[str]:
    """Those of some ids that content has."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_CATALOGUE_KNOWN_IDS, {"content_ids": content_ids})
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- catalogue/names e1e47354823376e6 79c5fb8f9ff4c157
_CATALOGUE_NAMES: Final = """SELECT external_id, title FROM content"""


class CatalogueNamesRow(NamedTuple):
    """A row of `catalogue/names`."""

    external_id: str
    title: str


def catalogue_names(connection: Connection[Any], /) -> list[CatalogueNamesRow]:
    """The id and the name of all content, to suggest the nearest to one that does not exist."""
    with connection.cursor(row_factory=_into(CatalogueNamesRow._make)) as cursor:
        cursor.execute(_CATALOGUE_NAMES)
        rows: list[CatalogueNamesRow] = cursor.fetchall()
    return rows


async def catalogue_names_async(connection: AsyncConnection[Any], /) -> list[CatalogueNamesRow]:
    """The id and the name of all content, to suggest the nearest to one that does not exist."""
    async with connection.cursor(row_factory=_into(CatalogueNamesRow._make)) as cursor:
        await cursor.execute(_CATALOGUE_NAMES)
        rows: list[CatalogueNamesRow] = await cursor.fetchall()
    return rows


# ---- catalogue/only_read 1ae2051469db62ea b12f95d9666b010e
_CATALOGUE_ONLY_READ: Final = """SET TRANSACTION READ ONLY"""


def catalogue_only_read(connection: Connection[Any], /) -> None:
    """Nothing is written by what comes next, until the transaction or the block in it ends."""
    connection.execute(_CATALOGUE_ONLY_READ)


async def catalogue_only_read_async(connection: AsyncConnection[Any], /) -> None:
    """Nothing is written by what comes next, until the transaction or the block in it ends."""
    await connection.execute(_CATALOGUE_ONLY_READ)


# ---- catalogue/popular 64ff20cd7fdab5b3 8869cf05f7ed1da7
_CATALOGUE_POPULAR: Final = """SELECT c.external_id, c.title, sum(
    CASE WHEN e.at IS NULL THEN 1e-9
        ELSE 0.5 ^ least((extract(epoch FROM latest.at) - extract(epoch FROM e.at)) / (86400 * (%(half_life_days)s::double precision)::double precision), 30)::double precision
    END
) AS popularity
FROM viewing_events e
CROSS JOIN (SELECT max(at) AS at FROM viewing_events) AS latest
JOIN content c ON c.id = e.content_id
WHERE e.completion_rate >= (%(minimum_completion)s::real)::real AND NOT e.dismissed
GROUP BY c.id
ORDER BY popularity DESC, c.external_id
LIMIT (%(top_k)s::bigint)"""


class CataloguePopularRow(NamedTuple):
    """A row of `catalogue/popular`."""

    external_id: str
    title: str
    popularity: float


def catalogue_popular(
    connection: Connection[Any],
    /,
    *,
    half_life_days: float,
    minimum_completion: float,
    top_k: int,
) -> list[CataloguePopularRow]:
    """The titles that are watched most these days: each view counts half as much for every half-life of age before the
    latest. A view of unknown time is as old as can be, and counts as little.
    """
    with connection.cursor(row_factory=_into(CataloguePopularRow._make)) as cursor:
        cursor.execute(_CATALOGUE_POPULAR, {"half_life_days": half_life_days, "minimum_completion": minimum_completion, "top_k": top_k})
        rows: list[CataloguePopularRow] = cursor.fetchall()
    return rows


async def catalogue_popular_async(
    connection: AsyncConnection[Any],
    /,
    *,
    half_life_days: float,
    minimum_completion: float,
    top_k: int,
) -> list[CataloguePopularRow]:
    """The titles that are watched most these days: each view counts half as much for every half-life of age before the
    latest. A view of unknown time is as old as can be, and counts as little.
    """
    async with connection.cursor(row_factory=_into(CataloguePopularRow._make)) as cursor:
        await cursor.execute(_CATALOGUE_POPULAR, {"half_life_days": half_life_days, "minimum_completion": minimum_completion, "top_k": top_k})
        rows: list[CataloguePopularRow] = await cursor.fetchall()
    return rows


# ---- catalogue/regions 64e091900d6ff969 fc7b843475b87d49
_CATALOGUE_REGIONS: Final = """SELECT DISTINCT region FROM content_availability WHERE region IS NOT NULL ORDER BY region"""


def catalogue_regions(connection: Connection[Any], /) -> list[str]:
    """The regions that windows of availability name; there are as many as a platform serves."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_CATALOGUE_REGIONS)
        rows: list[str] = cursor.fetchall()
    return rows


async def catalogue_regions_async(connection: AsyncConnection[Any], /) -> list[str]:
    """The regions that windows of availability name; there are as many as a platform serves."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_CATALOGUE_REGIONS)
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- catalogue/unavailable df3ec15e7bc0aff8 d48df5136a17c163
_CATALOGUE_UNAVAILABLE: Final = """SELECT c.external_id
FROM content c
WHERE EXISTS (SELECT FROM content_availability a WHERE a.content_id = c.id)
    AND NOT EXISTS (
        SELECT
        FROM content_availability a
        WHERE a.content_id = c.id
            AND ((%(region)s::text)::text IS NULL OR a.region IS NULL OR a.region = (%(region)s::text)::text)
            AND (a.starts_at IS NULL OR a.starts_at <= (%(moment)s::timestamp with time zone))
            AND (a.ends_at IS NULL OR a.ends_at > (%(moment)s::timestamp with time zone))
    )"""


def catalogue_unavailable(
    connection: Connection[Any],
    /,
    *,
    region: str | None,
    moment: dt.datetime,
) -> list[str]:
    """Titles that have windows, but none that is open at a moment in a region; without a region, in any."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_CATALOGUE_UNAVAILABLE, {"region": region, "moment": moment})
        rows: list[str] = cursor.fetchall()
    return rows


async def catalogue_unavailable_async(
    connection: AsyncConnection[Any],
    /,
    *,
    region: str | None,
    moment: dt.datetime,
) -> list[str]:
    """Titles that have windows, but none that is open at a moment in a region; without a region, in any."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_CATALOGUE_UNAVAILABLE, {"region": region, "moment": moment})
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- evaluate/analyze_events 2f29cd19e03d515e 8393d7b670d26edc
_EVALUATE_ANALYZE_EVENTS: Final = """ANALYZE pg_temp.viewing_events"""


def evaluate_analyze_events(connection: Connection[Any], /) -> None:
    """Fresh statistics of what is not hidden."""
    connection.execute(_EVALUATE_ANALYZE_EVENTS)


async def evaluate_analyze_events_async(connection: AsyncConnection[Any], /) -> None:
    """Fresh statistics of what is not hidden."""
    await connection.execute(_EVALUATE_ANALYZE_EVENTS)


# ---- evaluate/copy_pairs 0cc5e66dd3331944 0e5fb180c55b1d03
_EVALUATE_COPY_PAIRS: Final = """COPY known_pairs (user_id, content_id, until) FROM STDIN"""


def evaluate_copy_pairs(connection: Connection[Any], /) -> AbstractContextManager[Copy]:
    """Fill the table of pairs."""
    return connection.cursor().copy(_EVALUATE_COPY_PAIRS)


def evaluate_copy_pairs_async(connection: AsyncConnection[Any], /) -> AbstractAsyncContextManager[AsyncCopy]:
    """Fill the table of pairs."""
    return connection.cursor().copy(_EVALUATE_COPY_PAIRS)


# ---- evaluate/hide_events b9684747264460d1 8eba3625eb44366b
_EVALUATE_HIDE_EVENTS: Final = """CREATE TEMP TABLE viewing_events ON COMMIT DROP AS
SELECT e.user_id, e.content_id, e.at, e.completion_rate, e.rating, e.dismissed
FROM viewing_events e
JOIN known_pairs k ON k.user_id = e.user_id AND k.content_id = e.content_id
WHERE e.at IS NULL OR e.at <= k.until"""


def evaluate_hide_events(connection: Connection[Any], /) -> None:
    """A table of the same name, which is found before the real one: the graph queries then see the events of the training."""
    connection.execute(_EVALUATE_HIDE_EVENTS)


async def evaluate_hide_events_async(connection: AsyncConnection[Any], /) -> None:
    """A table of the same name, which is found before the real one: the graph queries then see the events of the training."""
    await connection.execute(_EVALUATE_HIDE_EVENTS)


# ---- evaluate/hide_progress 917e0215e36d8fa8 c98e9d1e605e01fa
_EVALUATE_HIDE_PROGRESS: Final = """CREATE TEMP VIEW watch_progress AS
SELECT user_id, content_id, max(completion_rate) AS completion_rate, max(at) AS last_watched
FROM viewing_events
WHERE completion_rate > 0
GROUP BY user_id, content_id"""


def evaluate_hide_progress(connection: Connection[Any], /) -> None:
    """The view over the events that are not hidden."""
    connection.execute(_EVALUATE_HIDE_PROGRESS)


async def evaluate_hide_progress_async(connection: AsyncConnection[Any], /) -> None:
    """The view over the events that are not hidden."""
    await connection.execute(_EVALUATE_HIDE_PROGRESS)


# ---- evaluate/index_by_content 7af80d1a6bfcd494 a5dab268bc505649
_EVALUATE_INDEX_BY_CONTENT: Final = """CREATE INDEX ON pg_temp.viewing_events (content_id, at DESC NULLS LAST, user_id)"""


def evaluate_index_by_content(connection: Connection[Any], /) -> None:
    """As the real table has it."""
    connection.execute(_EVALUATE_INDEX_BY_CONTENT)


async def evaluate_index_by_content_async(connection: AsyncConnection[Any], /) -> None:
    """As the real table has it."""
    await connection.execute(_EVALUATE_INDEX_BY_CONTENT)


# ---- evaluate/index_by_user 239a98307480ae03 e8a0b89d962771b1
_EVALUATE_INDEX_BY_USER: Final = """CREATE INDEX ON pg_temp.viewing_events (user_id, at DESC NULLS LAST, content_id)"""


def evaluate_index_by_user(connection: Connection[Any], /) -> None:
    """As the real table has it."""
    connection.execute(_EVALUATE_INDEX_BY_USER)


async def evaluate_index_by_user_async(connection: AsyncConnection[Any], /) -> None:
    """As the real table has it."""
    await connection.execute(_EVALUATE_INDEX_BY_USER)


# ---- evaluate/stage_pairs b3c9c9a79385a013 4e8e1e72115cc6d6
_EVALUATE_STAGE_PAIRS: Final = """CREATE TEMP TABLE known_pairs (
    user_id bigint NOT NULL,
    content_id bigint NOT NULL,
    until timestamptz, -- null: the pair has no event with a time
    PRIMARY KEY (user_id, content_id)
) ON COMMIT DROP"""


def evaluate_stage_pairs(connection: Connection[Any], /) -> None:
    """The pairs that an evaluation may learn from, and until when."""
    connection.execute(_EVALUATE_STAGE_PAIRS)


async def evaluate_stage_pairs_async(connection: AsyncConnection[Any], /) -> None:
    """The pairs that an evaluation may learn from, and until when."""
    await connection.execute(_EVALUATE_STAGE_PAIRS)


# ---- experiments/add_events 3505fe62d37b9848 9f04dfea8cf57c2e
_EXPERIMENTS_ADD_EVENTS: Final = """INSERT INTO experiment_events (experiment_id, event)
SELECT (%(experiment_id)s::bigint), unnest((%(events)s::text[])::text[])
ON CONFLICT (experiment_id, event) DO NOTHING"""


def experiments_add_events(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    events: list[str],
) -> int:
    """The events that the metrics of an experiment count; those that are there stay."""
    return connection.execute(_EXPERIMENTS_ADD_EVENTS, {"experiment_id": experiment_id, "events": events}).rowcount


async def experiments_add_events_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    events: list[str],
) -> int:
    """The events that the metrics of an experiment count; those that are there stay."""
    return (await connection.execute(_EXPERIMENTS_ADD_EVENTS, {"experiment_id": experiment_id, "events": events})).rowcount


# ---- experiments/add_phase c0e2613d4af03aff 2b685b79c3c11606
_EXPERIMENTS_ADD_PHASE: Final = """INSERT INTO experiment_phases (experiment_id, phase, weights)
SELECT (%(experiment_id)s::bigint), coalesce(max(phase) + 1, 0), (%(weights)s::double precision[])
FROM experiment_phases
WHERE experiment_id = (%(experiment_id)s::bigint)"""


def experiments_add_phase(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    weights: list[float],
) -> int:
    """From now on users are assigned by these weights."""
    return connection.execute(_EXPERIMENTS_ADD_PHASE, {"experiment_id": experiment_id, "weights": weights}).rowcount


async def experiments_add_phase_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    weights: list[float],
) -> int:
    """From now on users are assigned by these weights."""
    return (await connection.execute(_EXPERIMENTS_ADD_PHASE, {"experiment_id": experiment_id, "weights": weights})).rowcount


# ---- experiments/add_users 526b70fe947c6eee 175a39dcd4d4b140
_EXPERIMENTS_ADD_USERS: Final = """INSERT INTO users (external_id)
SELECT DISTINCT x.user_id FROM unnest((%(user_ids)s::text[])::text[]) AS x (user_id) ORDER BY x.user_id
ON CONFLICT (external_id) DO NOTHING"""


def experiments_add_users(
    connection: Connection[Any],
    /,
    *,
    user_ids: list[str],
) -> int:
    """Make sure that there are these users."""
    return connection.execute(_EXPERIMENTS_ADD_USERS, {"user_ids": user_ids}).rowcount


async def experiments_add_users_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_ids: list[str],
) -> int:
    """Make sure that there are these users."""
    return (await connection.execute(_EXPERIMENTS_ADD_USERS, {"user_ids": user_ids})).rowcount


# ---- experiments/add_variants 3b527d850d173d28 0820dac7eb138d01
_EXPERIMENTS_ADD_VARIANTS: Final = """INSERT INTO experiment_variants (experiment_id, position, name)
SELECT (%(experiment_id)s::bigint), v.position - 1, v.name
FROM unnest((%(names)s::text[])::text[]) WITH ORDINALITY AS v (name, position)"""


def experiments_add_variants(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    names: list[str],
) -> int:
    """The variants of an experiment, all at once, the control first."""
    return connection.execute(_EXPERIMENTS_ADD_VARIANTS, {"experiment_id": experiment_id, "names": names}).rowcount


async def experiments_add_variants_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    names: list[str],
) -> int:
    """The variants of an experiment, all at once, the control first."""
    return (await connection.execute(_EXPERIMENTS_ADD_VARIANTS, {"experiment_id": experiment_id, "names": names})).rowcount


# ---- experiments/assign 66d4ae7690db995f 8a310118edb504c1
_EXPERIMENTS_ASSIGN: Final = """WITH RECURSIVE texts AS (
    SELECT given.user_id, 1 AS kind, (%(salt)s::text)::text || given.user_id AS text
    FROM unnest((%(user_ids)s::text[])::text[]) AS given (user_id)
    UNION ALL
    SELECT given.user_id, 2, given.user_id || '__' || (%(namespace)s::text)::text
    FROM unnest((%(user_ids)s::text[])::text[]) AS given (user_id)
    WHERE (%(namespace)s::text)::text IS NOT NULL
    UNION ALL
    SELECT given.user_id, 3, (%(holdout)s::text)::text || given.user_id
    FROM unnest((%(user_ids)s::text[])::text[]) AS given (user_id)
    WHERE (%(holdout)s::text)::text IS NOT NULL
),
hashing AS (
    SELECT t.user_id, t.kind, t.text, 0 AS done, 2166136261::bigint AS hash FROM texts t
    UNION ALL
    SELECT
        h.user_id, h.kind, h.text, h.done + 1,
        ((h.hash # ascii(substr(h.text, h.done + 1, 1))::bigint) * 16777619) & 4294967295
    FROM hashing h
    WHERE h.done < length(h.text)
),
hashed AS (
    SELECT h.user_id, h.kind, h.hash FROM hashing h WHERE h.done = length(h.text)
),
again AS (
    SELECT h.user_id, h.kind, h.hash::text AS text, 0 AS done, 2166136261::bigint AS hash
    FROM hashed h
    WHERE h.kind IN (1, 3)
    UNION ALL
    SELECT
        a.user_id, a.kind, a.text, a.done + 1,
        ((a.hash # ascii(substr(a.text, a.done + 1, 1))::bigint) * 16777619) & 4294967295
    FROM again a
    WHERE a.done < length(a.text)
)
SELECT a.user_id, r.position::integer - 1 AS position
FROM again a
JOIN unnest((%(starts)s::double precision[])::double precision[], (%(ends)s::double precision[])::double precision[]) WITH ORDINALITY AS r (from_place, to_place, position)
    ON (a.hash %% 10000) / 10000::double precision >= r.from_place
    AND (a.hash %% 10000) / 10000::double precision < r.to_place
WHERE a.kind = 1
    AND a.done = length(a.text)
    AND NOT EXISTS (
        SELECT FROM again o
        WHERE o.kind = 3
            AND o.user_id = a.user_id
            AND o.done = length(o.text)
            AND (o.hash %% 10000) / 10000::double precision < (%(holdout_share)s::double precision)::double precision
    )
    AND NOT EXISTS (
        SELECT FROM hashed n
        WHERE n.kind = 2
            AND n.user_id = a.user_id
            AND NOT (
                (n.hash %% 1000) / 1000::double precision >= (%(namespace_from)s::double precision)::double precision
                AND (n.hash %% 1000) / 1000::double precision < (%(namespace_to)s::double precision)::double precision
            )
    )"""


class ExperimentsAssignRow(NamedTuple):
    """A row of `experiments/assign`."""

    user_id: str | None
    position: int


def experiments_assign(
    connection: Connection[Any],
    /,
    *,
    salt: str,
    user_ids: list[str],
    namespace: str,
    holdout: str,
    starts: list[float],
    ends: list[float],
    holdout_share: float,
    namespace_from: float,
    namespace_to: float,
) -> list[ExperimentsAssignRow]:
    """The variant of each of some users in an experiment, by position from 0 on; those who take no part are left out.

    The same as `mgw.experiments.assignment`: FNV-1a of salt and id, hashed again as decimal digits, in 10,000 buckets;
    the namespace in 1,000, hashed once; the holdout as the salt, in a hash of its own. `ascii` gives the code point of a character.
    For analysts, who have a database and no Python; a test holds the two against each other.
    """
    with connection.cursor(row_factory=_into(ExperimentsAssignRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_ASSIGN, {"salt": salt, "user_ids": user_ids, "namespace": namespace, "holdout": holdout, "starts": starts, "ends": ends, "holdout_share": holdout_share, "namespace_from": namespace_from, "namespace_to": namespace_to})
        rows: list[ExperimentsAssignRow] = cursor.fetchall()
    return rows


async def experiments_assign_async(
    connection: AsyncConnection[Any],
    /,
    *,
    salt: str,
    user_ids: list[str],
    namespace: str,
    holdout: str,
    starts: list[float],
    ends: list[float],
    holdout_share: float,
    namespace_from: float,
    namespace_to: float,
) -> list[ExperimentsAssignRow]:
    """The variant of each of some users in an experiment, by position from 0 on; those who take no part are left out.

    The same as `mgw.experiments.assignment`: FNV-1a of salt and id, hashed again as decimal digits, in 10,000 buckets;
    the namespace in 1,000, hashed once; the holdout as the salt, in a hash of its own. `ascii` gives the code point of a character.
    For analysts, who have a database and no Python; a test holds the two against each other.
    """
    async with connection.cursor(row_factory=_into(ExperimentsAssignRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_ASSIGN, {"salt": salt, "user_ids": user_ids, "namespace": namespace, "holdout": holdout, "starts": starts, "ends": ends, "holdout_share": holdout_share, "namespace_from": namespace_from, "namespace_to": namespace_to})
        rows: list[ExperimentsAssignRow] = await cursor.fetchall()
    return rows


# ---- experiments/assigned 3195a2faa30cb6ce 2dc588b23116c277
_EXPERIMENTS_ASSIGNED: Final = """SELECT a.experiment_id, a.position
FROM experiment_assignments a
JOIN users u ON u.id = a.user_id
JOIN experiments e ON e.id = a.experiment_id
WHERE u.external_id = (%(user_id)s::text) AND e.status = 'running'"""


class ExperimentsAssignedRow(NamedTuple):
    """A row of `experiments/assigned`."""

    experiment_id: int
    position: int


def experiments_assigned(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> list[ExperimentsAssignedRow]:
    """The variants that a user was exposed to already, of running experiments."""
    with connection.cursor(row_factory=_into(ExperimentsAssignedRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_ASSIGNED, {"user_id": user_id})
        rows: list[ExperimentsAssignedRow] = cursor.fetchall()
    return rows


async def experiments_assigned_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
) -> list[ExperimentsAssignedRow]:
    """The variants that a user was exposed to already, of running experiments."""
    async with connection.cursor(row_factory=_into(ExperimentsAssignedRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_ASSIGNED, {"user_id": user_id})
        rows: list[ExperimentsAssignedRow] = await cursor.fetchall()
    return rows


def experiments_assigned_pipelined(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> Callable[[], list[ExperimentsAssignedRow]]:
    """The variants that a user was exposed to already, of running experiments."""
    cursor = connection.cursor(row_factory=_into(ExperimentsAssignedRow._make))
    cursor.execute(_EXPERIMENTS_ASSIGNED, {"user_id": user_id})
    return cursor.fetchall


# ---- experiments/balance f1d9f581edafce46 ec95ca98948c531e
_EXPERIMENTS_BALANCE: Final = """SELECT
    a.phase, a.position, count(*) FILTER (WHERE NOT a.is_mixed) AS users, count(*) FILTER (WHERE a.is_mixed) AS mixed
FROM experiment_assignments a
WHERE a.experiment_id = (%(experiment_id)s::bigint) AND a.exposed_at < (%(until)s::timestamp with time zone)
GROUP BY a.phase, a.position
ORDER BY a.phase, a.position"""


class ExperimentsBalanceRow(NamedTuple):
    """A row of `experiments/balance`."""

    phase: int
    position: int
    users: int
    mixed: int


def experiments_balance(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    until: dt.datetime,
) -> list[ExperimentsBalanceRow]:
    """How many users are in each variant, phase by phase, and how many were met in two."""
    with connection.cursor(row_factory=_into(ExperimentsBalanceRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_BALANCE, {"experiment_id": experiment_id, "until": until})
        rows: list[ExperimentsBalanceRow] = cursor.fetchall()
    return rows


async def experiments_balance_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    until: dt.datetime,
) -> list[ExperimentsBalanceRow]:
    """How many users are in each variant, phase by phase, and how many were met in two."""
    async with connection.cursor(row_factory=_into(ExperimentsBalanceRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_BALANCE, {"experiment_id": experiment_id, "until": until})
        rows: list[ExperimentsBalanceRow] = await cursor.fetchall()
    return rows


# ---- experiments/begin_guard 38204e942bfd9984 5e5af691a8ef69fd
_EXPERIMENTS_BEGIN_GUARD: Final = """SELECT pg_try_advisory_xact_lock(hashtext('mgw experiment guard')) AS is_free
FROM set_config('statement_timeout', ((%(timeout_s)s::integer)::integer * 1000)::text, true)"""


def experiments_begin_guard(
    connection: Connection[Any],
    /,
    *,
    timeout_s: int,
) -> list[bool | None]:
    """Whether this transaction may look at all running experiments for harm: one may at a time, and it may take a while."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_EXPERIMENTS_BEGIN_GUARD, {"timeout_s": timeout_s})
        rows: list[bool | None] = cursor.fetchall()
    return rows


async def experiments_begin_guard_async(
    connection: AsyncConnection[Any],
    /,
    *,
    timeout_s: int,
) -> list[bool | None]:
    """Whether this transaction may look at all running experiments for harm: one may at a time, and it may take a while."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_EXPERIMENTS_BEGIN_GUARD, {"timeout_s": timeout_s})
        rows: list[bool | None] = await cursor.fetchall()
    return rows


# ---- experiments/clear 1960bd839e451bc6 ab9b6dd7853bc9d6
_EXPERIMENTS_CLEAR: Final = """WITH variants AS (DELETE FROM experiment_variants WHERE experiment_id = (%(experiment_id)s::bigint))
DELETE FROM experiment_events WHERE experiment_id = (%(experiment_id)s::bigint)"""


def experiments_clear(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
) -> int:
    """Take the variants and events of a draft away, to be written anew. What hangs on a variant goes with it: a draft has none."""
    return connection.execute(_EXPERIMENTS_CLEAR, {"experiment_id": experiment_id}).rowcount


async def experiments_clear_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
) -> int:
    """Take the variants and events of a draft away, to be written anew. What hangs on a variant goes with it: a draft has none."""
    return (await connection.execute(_EXPERIMENTS_CLEAR, {"experiment_id": experiment_id})).rowcount


# ---- experiments/counted_events 2205e40d6ff5d587 33e19748052cf6d4
_EXPERIMENTS_COUNTED_EVENTS: Final = """SELECT e.name, v.event
FROM experiments e
JOIN experiment_events v ON v.experiment_id = e.id
WHERE e.status IN ('running', 'paused')
ORDER BY e.name, v.event"""


class ExperimentsCountedEventsRow(NamedTuple):
    """A row of `experiments/counted_events`."""

    name: str
    event: str


def experiments_counted_events(connection: Connection[Any], /) -> list[ExperimentsCountedEventsRow]:
    """The events that running and paused experiments count."""
    with connection.cursor(row_factory=_into(ExperimentsCountedEventsRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_COUNTED_EVENTS)
        rows: list[ExperimentsCountedEventsRow] = cursor.fetchall()
    return rows


async def experiments_counted_events_async(connection: AsyncConnection[Any], /) -> list[ExperimentsCountedEventsRow]:
    """The events that running and paused experiments count."""
    async with connection.cursor(row_factory=_into(ExperimentsCountedEventsRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_COUNTED_EVENTS)
        rows: list[ExperimentsCountedEventsRow] = await cursor.fetchall()
    return rows


# ---- experiments/create 7f3338f3851d382e 2a5cb4b218ea8c82
_EXPERIMENTS_CREATE: Final = """INSERT INTO experiments (name, definition) VALUES ((%(name)s::text), (%(definition)s::jsonb))
ON CONFLICT (name) DO NOTHING
RETURNING id"""


def experiments_create(
    connection: Connection[Any],
    /,
    *,
    name: str,
    definition: Json | Jsonb,
) -> int | None:
    """A new experiment as a draft; no row where there is one of this name."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_EXPERIMENTS_CREATE, {"name": name, "definition": definition})
        rows: list[int] = cursor.fetchall()
    return _at_most_one("experiments/create", rows)


async def experiments_create_async(
    connection: AsyncConnection[Any],
    /,
    *,
    name: str,
    definition: Json | Jsonb,
) -> int | None:
    """A new experiment as a draft; no row where there is one of this name."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_EXPERIMENTS_CREATE, {"name": name, "definition": definition})
        rows: list[int] = await cursor.fetchall()
    return _at_most_one("experiments/create", rows)


# ---- experiments/history fc6469f268140b4e ad92f057a1763706
_EXPERIMENTS_HISTORY: Final = """WITH subjects AS (
    SELECT v.user_id, min(v.at) AS exposed_at
    FROM viewing_events v
    WHERE v.at >= (%(start)s::timestamp with time zone) AND v.at < (%(until)s::timestamp with time zone)
    GROUP BY v.user_id
    ORDER BY min(v.at), v.user_id
    LIMIT (%(most)s::bigint)
),
occurrences AS (
    SELECT c.user_id, c.event, c.converted_at AS at, c.value
    FROM (
        SELECT DISTINCT ON (d.user_id, d.event, d.idempotency_key) d.user_id, d.event, d.converted_at, d.value
        FROM experiment_conversions d
        WHERE d.event IN ((%(event)s::text)::text, (%(per)s::text)::text) AND d.converted_at < (%(until)s::timestamp with time zone)
        ORDER BY d.user_id, d.event, d.idempotency_key
    ) AS c
    UNION ALL
    SELECT w.user_id, w.event, w.at, w.value
    FROM viewing_measures w
    WHERE ((%(event)s::text)::text LIKE 'viewing.%%' OR (%(per)s::text)::text LIKE 'viewing.%%')
        AND w.event IN ((%(event)s::text)::text, (%(per)s::text)::text)
        AND w.at < (%(until)s::timestamp with time zone)
),
summed AS (
    SELECT
        s.user_id,
        sum(o.value) FILTER (WHERE o.at >= s.exposed_at AND o.event = (%(event)s::text)::text) AS y_sum,
        count(*) FILTER (WHERE o.at >= s.exposed_at AND o.event = (%(event)s::text)::text) AS y_count,
        sum(o.value) FILTER (WHERE o.at >= s.exposed_at AND o.event = (%(per)s::text)::text) AS per_sum,
        sum(o.value) FILTER (WHERE o.at < s.exposed_at AND o.event = (%(event)s::text)::text) AS before_sum,
        count(*) FILTER (WHERE o.at < s.exposed_at AND o.event = (%(event)s::text)::text) AS before_count
    FROM subjects s
    JOIN occurrences o ON o.user_id = s.user_id
        AND o.at < s.exposed_at + (%(window_s)s::double precision)::double precision * interval '1 second'
        AND o.at >= s.exposed_at - (%(before_s)s::double precision)::double precision * interval '1 second'
    GROUP BY s.user_id
)
SELECT
    CASE (%(kind)s::text)::text
        WHEN 'binary' THEN (coalesce(t.y_count, 0) > 0)::integer
        WHEN 'count' THEN coalesce(t.y_count, 0)
        ELSE coalesce(t.y_sum, 0)
    END::double precision AS y,
    CASE (%(kind)s::text)::text
        WHEN 'ratio' THEN coalesce(t.per_sum, 0)
        WHEN 'binary' THEN (coalesce(t.before_count, 0) > 0)::integer
        WHEN 'count' THEN coalesce(t.before_count, 0)
        ELSE coalesce(t.before_sum, 0)
    END::double precision AS x
FROM subjects s
LEFT JOIN summed t ON t.user_id = s.user_id
ORDER BY s.exposed_at, s.user_id"""


class ExperimentsHistoryRow(NamedTuple):
    """A row of `experiments/history`."""

    y: float
    x: float


def experiments_history(
    connection: Connection[Any],
    /,
    *,
    start: dt.datetime,
    until: dt.datetime,
    most: int,
    event: str,
    per: str,
    window_s: float,
    before_s: float,
    kind: str,
) -> list[ExperimentsHistoryRow]:
    """Of each user who watched something in a time, a metric from then on, y, beside the denominator of a ratio or the same
    metric before, x: what an experiment of that time would have measured. The first users first.
    """
    with connection.cursor(row_factory=_into(ExperimentsHistoryRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_HISTORY, {"start": start, "until": until, "most": most, "event": event, "per": per, "window_s": window_s, "before_s": before_s, "kind": kind})
        rows: list[ExperimentsHistoryRow] = cursor.fetchall()
    return rows


async def experiments_history_async(
    connection: AsyncConnection[Any],
    /,
    *,
    start: dt.datetime,
    until: dt.datetime,
    most: int,
    event: str,
    per: str,
    window_s: float,
    before_s: float,
    kind: str,
) -> list[ExperimentsHistoryRow]:
    """Of each user who watched something in a time, a metric from then on, y, beside the denominator of a ratio or the same
    metric before, x: what an experiment of that time would have measured. The first users first.
    """
    async with connection.cursor(row_factory=_into(ExperimentsHistoryRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_HISTORY, {"start": start, "until": until, "most": most, "event": event, "per": per, "window_s": window_s, "before_s": before_s, "kind": kind})
        rows: list[ExperimentsHistoryRow] = await cursor.fetchall()
    return rows


# ---- experiments/hold 9dbc782d65f6d348 4a22f29f4c6c3853
_EXPERIMENTS_HOLD: Final = """SELECT id, name, status, definition, created_at, started_at, ended_at
FROM experiments
WHERE name = (%(name)s::text)
FOR UPDATE"""


class ExperimentsHoldRow(NamedTuple):
    """A row of `experiments/hold`."""

    id: int
    name: str
    status: str
    definition: Any
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


def experiments_hold(
    connection: Connection[Any],
    /,
    *,
    name: str,
) -> ExperimentsHoldRow | None:
    """An experiment, held until the transaction ends, so that nobody else changes it meanwhile."""
    with connection.cursor(row_factory=_into(ExperimentsHoldRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_HOLD, {"name": name})
        rows: list[ExperimentsHoldRow] = cursor.fetchall()
    return _at_most_one("experiments/hold", rows)


async def experiments_hold_async(
    connection: AsyncConnection[Any],
    /,
    *,
    name: str,
) -> ExperimentsHoldRow | None:
    """An experiment, held until the transaction ends, so that nobody else changes it meanwhile."""
    async with connection.cursor(row_factory=_into(ExperimentsHoldRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_HOLD, {"name": name})
        rows: list[ExperimentsHoldRow] = await cursor.fetchall()
    return _at_most_one("experiments/hold", rows)


# ---- experiments/interleaved 5b3955d9b89aefd9 0080805ab3e18085
_EXPERIMENTS_INTERLEAVED: Final = """WITH shown AS (
    SELECT x.user_id, t.content_id, min(x.exposed_at) AS exposed_at, (array_agg(t.team ORDER BY x.exposed_at))[1] AS team
    FROM experiment_exposures x
    CROSS JOIN LATERAL unnest(x.slate, x.teams) AS t (content_id, team)
    WHERE x.experiment_id = (%(experiment_id)s::bigint) AND x.exposed_at < (%(until)s::timestamp with time zone)
    GROUP BY x.user_id, t.content_id
),
points AS (
    SELECT s.user_id, count(*) FILTER (WHERE s.team = 1) AS second, count(*) FILTER (WHERE s.team = 0) AS first
    FROM shown s
    WHERE EXISTS (
        SELECT FROM viewing_events v
        WHERE v.user_id = s.user_id
            AND v.content_id = s.content_id
            AND v.at >= s.exposed_at
            AND v.at < s.exposed_at + (%(window_s)s::double precision)::double precision * interval '1 second'
            AND v.at < (%(until)s::timestamp with time zone)
            AND NOT v.dismissed
    )
    GROUP BY s.user_id
),
credited AS (
    SELECT coalesce((p.second - p.first)::double precision / (p.second + p.first), 0) AS credit, p.user_id IS NOT NULL AS is_any
    FROM experiment_assignments a
    LEFT JOIN points p ON p.user_id = a.user_id
    WHERE a.experiment_id = (%(experiment_id)s::bigint) AND a.exposed_at < (%(until)s::timestamp with time zone)
)
SELECT
    count(*) AS users,
    count(*) FILTER (WHERE c.is_any) AS with_credit,
    coalesce(sum(c.credit), 0) AS total,
    coalesce(regr_syy(c.credit, 0), 0) AS deviations
FROM credited c"""


class ExperimentsInterleavedRow(NamedTuple):
    """A row of `experiments/interleaved`."""

    users: int
    with_credit: int
    total: float
    deviations: float


def experiments_interleaved(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    until: dt.datetime,
    window_s: float,
) -> ExperimentsInterleavedRow:
    """Of the users of an interleaved experiment, the mean credit: of the titles that they were shown and then watched within
    the window, those of the second team less those of the first, as a share of both; 0 of who watched none.
    """
    with connection.cursor(row_factory=_into(ExperimentsInterleavedRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_INTERLEAVED, {"experiment_id": experiment_id, "until": until, "window_s": window_s})
        rows: list[ExperimentsInterleavedRow] = cursor.fetchall()
    return _one("experiments/interleaved", rows)


async def experiments_interleaved_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    until: dt.datetime,
    window_s: float,
) -> ExperimentsInterleavedRow:
    """Of the users of an interleaved experiment, the mean credit: of the titles that they were shown and then watched within
    the window, those of the second team less those of the first, as a share of both; 0 of who watched none.
    """
    async with connection.cursor(row_factory=_into(ExperimentsInterleavedRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_INTERLEAVED, {"experiment_id": experiment_id, "until": until, "window_s": window_s})
        rows: list[ExperimentsInterleavedRow] = await cursor.fetchall()
    return _one("experiments/interleaved", rows)


# ---- experiments/latest_viewing 773c68bd29e76bfe 7c23caef380c631b
_EXPERIMENTS_LATEST_VIEWING: Final = """SELECT max(v.at) AS at FROM viewing_events v"""


def experiments_latest_viewing(connection: Connection[Any], /) -> dt.datetime | None:
    """When something was watched last; nothing where nobody knows."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_EXPERIMENTS_LATEST_VIEWING)
        rows: list[dt.datetime | None] = cursor.fetchall()
    return _one("experiments/latest_viewing", rows)


async def experiments_latest_viewing_async(connection: AsyncConnection[Any], /) -> dt.datetime | None:
    """When something was watched last; nothing where nobody knows."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_EXPERIMENTS_LATEST_VIEWING)
        rows: list[dt.datetime | None] = await cursor.fetchall()
    return _one("experiments/latest_viewing", rows)


# ---- experiments/list 95dccc892ba25fe5 7a2b7768335cfc1b
_EXPERIMENTS_LIST: Final = """SELECT e.id, e.name, e.status, e.definition, e.created_at, e.started_at, e.ended_at, counted.users
FROM experiments e
CROSS JOIN LATERAL (
    SELECT count(*) AS users FROM experiment_assignments a WHERE a.experiment_id = e.id
) AS counted
WHERE (%(with_archived)s::boolean) OR e.status <> 'archived'
ORDER BY e.created_at DESC, e.id DESC
LIMIT (%(top_k)s::bigint)"""


class ExperimentsListRow(NamedTuple):
    """A row of `experiments/list`."""

    id: int
    name: str
    status: str
    definition: Any
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    users: int


def experiments_list(
    connection: Connection[Any],
    /,
    *,
    with_archived: bool,
    top_k: int,
) -> list[ExperimentsListRow]:
    """All experiments, the newest first, with the users exposed to each; archived ones if they are asked for."""
    with connection.cursor(row_factory=_into(ExperimentsListRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_LIST, {"with_archived": with_archived, "top_k": top_k})
        rows: list[ExperimentsListRow] = cursor.fetchall()
    return rows


async def experiments_list_async(
    connection: AsyncConnection[Any],
    /,
    *,
    with_archived: bool,
    top_k: int,
) -> list[ExperimentsListRow]:
    """All experiments, the newest first, with the users exposed to each; archived ones if they are asked for."""
    async with connection.cursor(row_factory=_into(ExperimentsListRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_LIST, {"with_archived": with_archived, "top_k": top_k})
        rows: list[ExperimentsListRow] = await cursor.fetchall()
    return rows


# ---- experiments/load f20f6f7d5bcd0627 e835ccc015d27e69
_EXPERIMENTS_LOAD: Final = """SELECT id, name, status, definition, created_at, started_at, ended_at
FROM experiments
WHERE name = (%(name)s::text)"""


class ExperimentsLoadRow(NamedTuple):
    """A row of `experiments/load`."""

    id: int
    name: str
    status: str
    definition: Any
    created_at: dt.datetime
    started_at: dt.datetime | None
    ended_at: dt.datetime | None


def experiments_load(
    connection: Connection[Any],
    /,
    *,
    name: str,
) -> ExperimentsLoadRow | None:
    """An experiment."""
    with connection.cursor(row_factory=_into(ExperimentsLoadRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_LOAD, {"name": name})
        rows: list[ExperimentsLoadRow] = cursor.fetchall()
    return _at_most_one("experiments/load", rows)


async def experiments_load_async(
    connection: AsyncConnection[Any],
    /,
    *,
    name: str,
) -> ExperimentsLoadRow | None:
    """An experiment."""
    async with connection.cursor(row_factory=_into(ExperimentsLoadRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_LOAD, {"name": name})
        rows: list[ExperimentsLoadRow] = await cursor.fetchall()
    return _at_most_one("experiments/load", rows)


# ---- experiments/models ba16e40b003c2057 5327022682b5ce5b
_EXPERIMENTS_MODELS: Final = """SELECT e.name AS experiment, e.status, v.variant ->> 'name' AS variant, v.variant #>> '{config,model}' AS model
FROM experiments e
CROSS JOIN LATERAL jsonb_array_elements(e.definition -> 'variants') AS v (variant)
WHERE e.status IN ('draft', 'running', 'paused') AND v.variant #>> '{config,model}' IS NOT NULL
ORDER BY e.id"""


class ExperimentsModelsRow(NamedTuple):
    """A row of `experiments/models`."""

    experiment: str
    status: str
    variant: str
    model: str


def experiments_models(connection: Connection[Any], /) -> list[ExperimentsModelsRow]:
    """The models that variants name, of the experiments that run and of those that still may."""
    with connection.cursor(row_factory=_into(ExperimentsModelsRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_MODELS)
        rows: list[ExperimentsModelsRow] = cursor.fetchall()
    return rows


async def experiments_models_async(connection: AsyncConnection[Any], /) -> list[ExperimentsModelsRow]:
    """The models that variants name, of the experiments that run and of those that still may."""
    async with connection.cursor(row_factory=_into(ExperimentsModelsRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_MODELS)
        rows: list[ExperimentsModelsRow] = await cursor.fetchall()
    return rows


# ---- experiments/phases 16afbb6c8fbdbbc3 66e43c246787eb6d
_EXPERIMENTS_PHASES: Final = """SELECT weights, began_at FROM experiment_phases WHERE experiment_id = (%(experiment_id)s::bigint) ORDER BY phase"""


class ExperimentsPhasesRow(NamedTuple):
    """A row of `experiments/phases`."""

    weights: list[float]
    began_at: dt.datetime


def experiments_phases(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
) -> list[ExperimentsPhasesRow]:
    """The phases of an experiment, the first one first."""
    with connection.cursor(row_factory=_into(ExperimentsPhasesRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_PHASES, {"experiment_id": experiment_id})
        rows: list[ExperimentsPhasesRow] = cursor.fetchall()
    return rows


async def experiments_phases_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
) -> list[ExperimentsPhasesRow]:
    """The phases of an experiment, the first one first."""
    async with connection.cursor(row_factory=_into(ExperimentsPhasesRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_PHASES, {"experiment_id": experiment_id})
        rows: list[ExperimentsPhasesRow] = await cursor.fetchall()
    return rows


# ---- experiments/quantiles 4028c2c27afced31 e7820ac985e11475
_EXPERIMENTS_QUANTILES: Final = """WITH subjects AS (
    SELECT a.user_id, a.exposed_at
    FROM experiment_assignments a
    WHERE a.experiment_id = (%(experiment_id)s::bigint) AND a.position = (%(position)s::smallint) AND a.exposed_at < (%(until)s::timestamp with time zone) AND NOT a.is_mixed
),
occurrences AS (
    SELECT c.user_id, c.converted_at AS at, c.value
    FROM experiment_conversions c
    WHERE c.experiment_id = (%(experiment_id)s::bigint) AND c.event = (%(event)s::text)::text AND c.converted_at < (%(until)s::timestamp with time zone)
    UNION ALL
    SELECT w.user_id, w.at, w.value
    FROM viewing_measures w
    WHERE (%(event)s::text)::text LIKE 'viewing.%%' AND w.event = (%(event)s::text)::text AND w.at < (%(until)s::timestamp with time zone)
),
summed AS (
    SELECT s.user_id, sum(o.value) AS y
    FROM subjects s
    JOIN occurrences o ON o.user_id = s.user_id
        AND o.at >= s.exposed_at
        AND o.at < s.exposed_at + (%(window_s)s::double precision)::double precision * interval '1 second'
    GROUP BY s.user_id
)
SELECT percentile_disc((%(probabilities)s::double precision[])::double precision[]) WITHIN GROUP (ORDER BY coalesce(t.y, 0)) AS quantiles
FROM subjects s
LEFT JOIN summed t ON t.user_id = s.user_id"""


def experiments_quantiles(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    position: int,
    until: dt.datetime,
    event: str,
    window_s: float,
    probabilities: list[float],
) -> list[float]:
    """Quantiles of a metric, the sum of an event's values, over the users of a variant."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_EXPERIMENTS_QUANTILES, {"experiment_id": experiment_id, "position": position, "until": until, "event": event, "window_s": window_s, "probabilities": probabilities})
        rows: list[list[float]] = cursor.fetchall()
    return _one("experiments/quantiles", rows)


async def experiments_quantiles_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    position: int,
    until: dt.datetime,
    event: str,
    window_s: float,
    probabilities: list[float],
) -> list[float]:
    """Quantiles of a metric, the sum of an event's values, over the users of a variant."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_EXPERIMENTS_QUANTILES, {"experiment_id": experiment_id, "position": position, "until": until, "event": event, "window_s": window_s, "probabilities": probabilities})
        rows: list[list[float]] = await cursor.fetchall()
    return _one("experiments/quantiles", rows)


# ---- experiments/record_conversions 808e185ac4b75880 2df525d143292668
_EXPERIMENTS_RECORD_CONVERSIONS: Final = """WITH given AS (
    SELECT x.experiment, x.event, x.user_id, x.idempotency_key, x.value, x.converted_at
    FROM unnest(
        (%(experiments)s::text[])::text[], (%(events)s::text[])::text[], (%(user_ids)s::text[])::text[], (%(keys)s::text[])::text[], (%(values)s::double precision[])::double precision[],
        (%(converted_at)s::timestamp with time zone[])::timestamptz[]
    ) AS x (experiment, event, user_id, idempotency_key, value, converted_at)
),
added AS (
    INSERT INTO experiment_conversions (experiment_id, event, user_id, idempotency_key, value, converted_at)
    SELECT e.id, g.event, u.id, g.idempotency_key, g.value, g.converted_at
    FROM given g
    JOIN users u ON u.external_id = g.user_id
    JOIN experiment_events v ON v.event = g.event
    JOIN experiments e ON e.id = v.experiment_id
    WHERE e.status IN ('running', 'paused') AND (g.experiment = '' OR e.name = g.experiment)
    ON CONFLICT (experiment_id, idempotency_key) DO NOTHING
    RETURNING experiment_id
)
SELECT count(*) AS added FROM added"""


def experiments_record_conversions(
    connection: Connection[Any],
    /,
    *,
    experiments: list[str],
    events: list[str],
    user_ids: list[str],
    keys: list[str],
    values: list[float],
    converted_at: list[dt.datetime],
) -> int:
    """A batch of conversions, to each experiment that is running or paused and counts the event; to one only, where it is
    named. Whether its user was exposed before is asked when it is analysed: the exposure may be on its way still. A key
    that was recorded before changes nothing.
    """
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_EXPERIMENTS_RECORD_CONVERSIONS, {"experiments": experiments, "events": events, "user_ids": user_ids, "keys": keys, "values": values, "converted_at": converted_at})
        rows: list[int] = cursor.fetchall()
    return _one("experiments/record_conversions", rows)


async def experiments_record_conversions_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiments: list[str],
    events: list[str],
    user_ids: list[str],
    keys: list[str],
    values: list[float],
    converted_at: list[dt.datetime],
) -> int:
    """A batch of conversions, to each experiment that is running or paused and counts the event; to one only, where it is
    named. Whether its user was exposed before is asked when it is analysed: the exposure may be on its way still. A key
    that was recorded before changes nothing.
    """
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_EXPERIMENTS_RECORD_CONVERSIONS, {"experiments": experiments, "events": events, "user_ids": user_ids, "keys": keys, "values": values, "converted_at": converted_at})
        rows: list[int] = await cursor.fetchall()
    return _one("experiments/record_conversions", rows)


# ---- experiments/record_exposures 423050b20895c4c2 04fd1c388292072f
_EXPERIMENTS_RECORD_EXPOSURES: Final = """WITH given AS (
    SELECT DISTINCT ON (x.experiment_id, x.user_id, x.window_start) x.*
    FROM unnest(
        (%(experiment_ids)s::bigint[])::bigint[], (%(positions)s::smallint[])::smallint[], (%(phases)s::smallint[])::smallint[], (%(user_ids)s::text[])::text[],
        (%(exposed_at)s::timestamp with time zone[])::timestamptz[], (%(window_starts)s::timestamp with time zone[])::timestamptz[], (%(slates)s::text[])::text[], (%(propensities)s::text[])::text[],
        (%(teams)s::text[])::text[]
    ) AS x (experiment_id, position, phase, user_id, exposed_at, window_start, slate, propensities, teams)
    JOIN experiment_variants v ON v.experiment_id = x.experiment_id AND v.position = x.position
    ORDER BY x.experiment_id, x.user_id, x.window_start, x.exposed_at
),
exposed AS (
    SELECT g.*, u.id AS user_number FROM given g JOIN users u ON u.external_id = g.user_id
),
assigned AS (
    INSERT INTO experiment_assignments AS a (experiment_id, user_id, position, phase, exposed_at, is_mixed)
    SELECT
        e.experiment_id, e.user_number, (array_agg(e.position ORDER BY e.exposed_at))[1],
        (array_agg(e.phase ORDER BY e.exposed_at))[1], min(e.exposed_at), min(e.position) <> max(e.position)
    FROM exposed e
    GROUP BY e.experiment_id, e.user_number
    ORDER BY e.experiment_id, e.user_number
    ON CONFLICT (experiment_id, user_id) DO UPDATE
    SET exposed_at = least(a.exposed_at, excluded.exposed_at),
        is_mixed = a.is_mixed OR excluded.is_mixed OR a.position <> excluded.position
    WHERE a.exposed_at > excluded.exposed_at OR (NOT a.is_mixed AND (excluded.is_mixed OR a.position <> excluded.position))
)
INSERT INTO experiment_exposures (
    experiment_id, user_id, window_start, position, exposed_at, slate, propensities, teams
)
SELECT
    e.experiment_id, e.user_number, e.window_start, e.position, e.exposed_at,
    ARRAY(
        SELECT coalesce(c.id, 0)
        FROM jsonb_array_elements_text(e.slate::jsonb) WITH ORDINALITY AS s (content_id, place)
        LEFT JOIN content c ON c.external_id = s.content_id
        ORDER BY s.place
    ),
    ARRAY(
        SELECT p.value::real
        FROM jsonb_array_elements_text(e.propensities::jsonb) WITH ORDINALITY AS p (value, place)
        ORDER BY p.place
    ),
    ARRAY(
        SELECT t.value::smallint
        FROM jsonb_array_elements_text(e.teams::jsonb) WITH ORDINALITY AS t (value, place)
        ORDER BY t.place
    )
FROM exposed e
ORDER BY e.experiment_id, e.user_number, e.window_start
ON CONFLICT (experiment_id, user_id, window_start) DO NOTHING"""


def experiments_record_exposures(
    connection: Connection[Any],
    /,
    *,
    experiment_ids: list[int],
    positions: list[int],
    phases: list[int],
    user_ids: list[str],
    exposed_at: list[dt.datetime],
    window_starts: list[dt.datetime],
    slates: list[str],
    propensities: list[str],
    teams: list[str],
) -> int:
    """A batch of exposures. The first of a user in a window is kept, and the first of all assigns the user. A user who is
    met in two variants is marked. What there is already changes nothing, so a batch may be sent again.
    """
    return connection.execute(_EXPERIMENTS_RECORD_EXPOSURES, {"experiment_ids": experiment_ids, "positions": positions, "phases": phases, "user_ids": user_ids, "exposed_at": exposed_at, "window_starts": window_starts, "slates": slates, "propensities": propensities, "teams": teams}).rowcount


async def experiments_record_exposures_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_ids: list[int],
    positions: list[int],
    phases: list[int],
    user_ids: list[str],
    exposed_at: list[dt.datetime],
    window_starts: list[dt.datetime],
    slates: list[str],
    propensities: list[str],
    teams: list[str],
) -> int:
    """A batch of exposures. The first of a user in a window is kept, and the first of all assigns the user. A user who is
    met in two variants is marked. What there is already changes nothing, so a batch may be sent again.
    """
    return (await connection.execute(_EXPERIMENTS_RECORD_EXPOSURES, {"experiment_ids": experiment_ids, "positions": positions, "phases": phases, "user_ids": user_ids, "exposed_at": exposed_at, "window_starts": window_starts, "slates": slates, "propensities": propensities, "teams": teams})).rowcount


# ---- experiments/redefine 597aa24c62e2bf84 57b09e35b9d0a81f
_EXPERIMENTS_REDEFINE: Final = """UPDATE experiments SET definition = (%(definition)s::jsonb) WHERE id = (%(experiment_id)s::bigint)"""


def experiments_redefine(
    connection: Connection[Any],
    /,
    *,
    definition: Json | Jsonb,
    experiment_id: int,
) -> int:
    """Give an experiment another definition."""
    return connection.execute(_EXPERIMENTS_REDEFINE, {"definition": definition, "experiment_id": experiment_id}).rowcount


async def experiments_redefine_async(
    connection: AsyncConnection[Any],
    /,
    *,
    definition: Json | Jsonb,
    experiment_id: int,
) -> int:
    """Give an experiment another definition."""
    return (await connection.execute(_EXPERIMENTS_REDEFINE, {"definition": definition, "experiment_id": experiment_id})).rowcount


# ---- experiments/running 86efeb745ccdf8a7 d5e31f53d8b00622
_EXPERIMENTS_RUNNING: Final = """SELECT e.id, e.definition, e.started_at, p.phase, p.weights
FROM experiments e
JOIN LATERAL (
    SELECT q.phase, q.weights FROM experiment_phases q WHERE q.experiment_id = e.id ORDER BY q.phase DESC LIMIT 1
) AS p ON true
WHERE e.status = 'running' AND e.started_at IS NOT NULL
ORDER BY e.id"""


class ExperimentsRunningRow(NamedTuple):
    """A row of `experiments/running`."""

    id: int
    definition: Any
    started_at: dt.datetime
    phase: int
    weights: list[float]


def experiments_running(connection: Connection[Any], /) -> list[ExperimentsRunningRow]:
    """Every running experiment, and the phase that it is in."""
    with connection.cursor(row_factory=_into(ExperimentsRunningRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_RUNNING)
        rows: list[ExperimentsRunningRow] = cursor.fetchall()
    return rows


async def experiments_running_async(connection: AsyncConnection[Any], /) -> list[ExperimentsRunningRow]:
    """Every running experiment, and the phase that it is in."""
    async with connection.cursor(row_factory=_into(ExperimentsRunningRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_RUNNING)
        rows: list[ExperimentsRunningRow] = await cursor.fetchall()
    return rows


# ---- experiments/set_status dd2420bc1ade397f ecb360583a57936e
_EXPERIMENTS_SET_STATUS: Final = """UPDATE experiments
SET
    status = (%(status)s::text),
    started_at = CASE WHEN (%(status)s::text)::text = 'running' THEN coalesce(started_at, now()) ELSE started_at END,
    ended_at = CASE WHEN (%(status)s::text)::text = 'completed' THEN now() ELSE ended_at END
WHERE id = (%(experiment_id)s::bigint)"""


def experiments_set_status(
    connection: Connection[Any],
    /,
    *,
    status: str,
    experiment_id: int,
) -> int:
    """Move an experiment to another status."""
    return connection.execute(_EXPERIMENTS_SET_STATUS, {"status": status, "experiment_id": experiment_id}).rowcount


async def experiments_set_status_async(
    connection: AsyncConnection[Any],
    /,
    *,
    status: str,
    experiment_id: int,
) -> int:
    """Move an experiment to another status."""
    return (await connection.execute(_EXPERIMENTS_SET_STATUS, {"status": status, "experiment_id": experiment_id})).rowcount


# ---- experiments/shown_titles 3ff67ccf73ff5267 e2ca33d9daf694c4
_EXPERIMENTS_SHOWN_TITLES: Final = """WITH page AS (
    SELECT x.experiment_id, x.user_id, x.window_start, x.position, x.exposed_at, x.slate, x.propensities, x.teams
    FROM experiment_exposures x
    WHERE x.experiment_id = (%(experiment_id)s::bigint)
        AND (x.user_id, x.window_start) > ((%(after_user)s::bigint)::bigint, (%(after_window)s::timestamp with time zone)::timestamptz)
    ORDER BY x.user_id, x.window_start
    LIMIT (%(top_k)s::bigint)
)
SELECT
    p.user_id AS user_number, p.window_start, u.external_id AS user_id, p.exposed_at, v.name AS variant,
    s.place::integer AS place, c.external_id AS content_id, p.propensities[s.place] AS propensity,
    CASE WHEN cardinality(p.teams) > 0 THEN (
        SELECT w.name FROM experiment_variants w
        WHERE w.experiment_id = p.experiment_id AND w.position = p.teams[s.place]
    ) END AS team,
    EXISTS (
        SELECT FROM viewing_events e
        WHERE e.user_id = p.user_id
            AND e.content_id = s.content_id
            AND e.at >= p.exposed_at
            AND e.at < p.exposed_at + (%(window_s)s::double precision)::double precision * interval '1 second'
            AND NOT e.dismissed
    ) AS watched
FROM page p
JOIN experiment_variants v ON v.experiment_id = p.experiment_id AND v.position = p.position
JOIN users u ON u.id = p.user_id
CROSS JOIN LATERAL unnest(p.slate) WITH ORDINALITY AS s (content_id, place)
LEFT JOIN content c ON c.id = s.content_id
ORDER BY p.user_id, p.window_start, s.place"""


class ExperimentsShownTitlesRow(NamedTuple):
    """A row of `experiments/shown_titles`."""

    user_number: int
    window_start: dt.datetime
    user_id: str
    exposed_at: dt.datetime
    variant: str
    place: int
    content_id: str | None
    propensity: float | None
    team: str | None
    watched: bool


def experiments_shown_titles(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    after_user: int,
    after_window: dt.datetime,
    top_k: int,
    window_s: float,
) -> list[ExperimentsShownTitlesRow]:
    """What users of an experiment were shown, title by title, with the chance that each was put on its place, and whether it
    was watched within so long. A page of exposures, those behind a key.
    """
    with connection.cursor(row_factory=_into(ExperimentsShownTitlesRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_SHOWN_TITLES, {"experiment_id": experiment_id, "after_user": after_user, "after_window": after_window, "top_k": top_k, "window_s": window_s})
        rows: list[ExperimentsShownTitlesRow] = cursor.fetchall()
    return rows


async def experiments_shown_titles_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    after_user: int,
    after_window: dt.datetime,
    top_k: int,
    window_s: float,
) -> list[ExperimentsShownTitlesRow]:
    """What users of an experiment were shown, title by title, with the chance that each was put on its place, and whether it
    was watched within so long. A page of exposures, those behind a key.
    """
    async with connection.cursor(row_factory=_into(ExperimentsShownTitlesRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_SHOWN_TITLES, {"experiment_id": experiment_id, "after_user": after_user, "after_window": after_window, "top_k": top_k, "window_s": window_s})
        rows: list[ExperimentsShownTitlesRow] = await cursor.fetchall()
    return rows


# ---- experiments/totals 505db3604e475498 a08d813c6bcbb1ca
_EXPERIMENTS_TOTALS: Final = """WITH occurrences AS (
    SELECT c.user_id, c.event, c.converted_at AS at, c.value
    FROM experiment_conversions c
    WHERE c.experiment_id = (%(experiment_id)s::bigint)
        AND c.event IN ((%(event)s::text)::text, (%(per)s::text)::text)
        AND c.converted_at < (%(until)s::timestamp with time zone)
    UNION ALL
    SELECT w.user_id, w.event, w.at, w.value
    FROM viewing_measures w
    WHERE ((%(event)s::text)::text LIKE 'viewing.%%' OR (%(per)s::text)::text LIKE 'viewing.%%')
        AND w.event IN ((%(event)s::text)::text, (%(per)s::text)::text)
        AND w.at < (%(until)s::timestamp with time zone)
),
summed AS (
    SELECT
        a.user_id,
        a.phase,
        a.position,
        sum(o.value) FILTER (WHERE o.at >= a.exposed_at AND o.event = (%(event)s::text)::text) AS y_sum,
        count(*) FILTER (WHERE o.at >= a.exposed_at AND o.event = (%(event)s::text)::text) AS y_count,
        sum(o.value) FILTER (WHERE o.at >= a.exposed_at AND o.event = (%(per)s::text)::text) AS per_sum,
        sum(o.value) FILTER (WHERE o.at < a.exposed_at AND o.event = (%(event)s::text)::text) AS before_sum,
        count(*) FILTER (WHERE o.at < a.exposed_at AND o.event = (%(event)s::text)::text) AS before_count
    FROM occurrences o
    JOIN experiment_assignments a ON a.experiment_id = (%(experiment_id)s::bigint)
        AND a.user_id = o.user_id
        AND a.exposed_at < (%(until)s::timestamp with time zone)
        AND NOT a.is_mixed
        AND o.at < a.exposed_at + (%(window_s)s::double precision)::double precision * interval '1 second'
        AND o.at >= a.exposed_at - (%(before_s)s::double precision)::double precision * interval '1 second'
    GROUP BY a.user_id, a.phase, a.position
),
valued AS (
    SELECT
        t.phase,
        t.position,
        CASE (%(kind)s::text)::text
            WHEN 'binary' THEN (t.y_count > 0)::integer
            WHEN 'count' THEN t.y_count
            ELSE coalesce(t.y_sum, 0)
        END::double precision AS y,
        CASE (%(kind)s::text)::text
            WHEN 'ratio' THEN coalesce(t.per_sum, 0)
            WHEN 'binary' THEN (t.before_count > 0)::integer
            WHEN 'count' THEN t.before_count
            ELSE coalesce(t.before_sum, 0)
        END::double precision AS x
    FROM summed t
),
caps AS (
    SELECT
        percentile_cont((%(winsorize)s::double precision)::double precision) WITHIN GROUP (ORDER BY nullif(v.y, 0)) AS y,
        percentile_cont((%(winsorize)s::double precision)::double precision) WITHIN GROUP (ORDER BY nullif(v.x, 0)) AS x
    FROM valued v
    WHERE (%(winsorize)s::double precision)::double precision < 1
),
capped AS (
    SELECT
        v.phase,
        v.position,
        least(v.y, c.y) AS y,
        CASE WHEN (%(kind)s::text)::text = 'ratio' THEN v.x ELSE least(v.x, c.x) END AS x
    FROM valued v
    CROSS JOIN caps c
)
SELECT
    c.phase,
    c.position,
    count(*) AS users,
    sum(c.y) AS y_total,
    regr_syy(c.y, c.x) AS y_deviations,
    sum(c.x) AS x_total,
    regr_sxx(c.y, c.x) AS x_deviations,
    regr_sxy(c.y, c.x) AS products
FROM capped c
GROUP BY c.phase, c.position
ORDER BY c.phase, c.position"""


class ExperimentsTotalsRow(NamedTuple):
    """A row of `experiments/totals`."""

    phase: int
    position: int
    users: int
    y_total: float
    y_deviations: float
    x_total: float
    x_deviations: float
    products: float


def experiments_totals(
    connection: Connection[Any],
    /,
    *,
    experiment_id: int,
    event: str,
    per: str,
    until: dt.datetime,
    window_s: float,
    before_s: float,
    kind: str,
    winsorize: float,
) -> list[ExperimentsTotalsRow]:
    """For each phase and variant a metric over the users who did something that it counts, y, beside what is known of them
    besides, x: the denominator of a ratio, or the same metric before the exposure. What the statistics need, and no row for
    each user; of those who are left out both are 0.

    Counted is what happened from the exposure on, within the window, before `until`. A value above the given share of the
    users who have one is taken as that one.
    """
    with connection.cursor(row_factory=_into(ExperimentsTotalsRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_TOTALS, {"experiment_id": experiment_id, "event": event, "per": per, "until": until, "window_s": window_s, "before_s": before_s, "kind": kind, "winsorize": winsorize})
        rows: list[ExperimentsTotalsRow] = cursor.fetchall()
    return rows


async def experiments_totals_async(
    connection: AsyncConnection[Any],
    /,
    *,
    experiment_id: int,
    event: str,
    per: str,
    until: dt.datetime,
    window_s: float,
    before_s: float,
    kind: str,
    winsorize: float,
) -> list[ExperimentsTotalsRow]:
    """For each phase and variant a metric over the users who did something that it counts, y, beside what is known of them
    besides, x: the denominator of a ratio, or the same metric before the exposure. What the statistics need, and no row for
    each user; of those who are left out both are 0.

    Counted is what happened from the exposure on, within the window, before `until`. A value above the given share of the
    users who have one is taken as that one.
    """
    async with connection.cursor(row_factory=_into(ExperimentsTotalsRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_TOTALS, {"experiment_id": experiment_id, "event": event, "per": per, "until": until, "window_s": window_s, "before_s": before_s, "kind": kind, "winsorize": winsorize})
        rows: list[ExperimentsTotalsRow] = await cursor.fetchall()
    return rows


# ---- experiments/uncounted a71fd1f053ddeb81 9ca2278fc4fe365b
_EXPERIMENTS_UNCOUNTED: Final = """SELECT
    c.event,
    count(*) FILTER (WHERE a.user_id IS NULL) AS without_exposure,
    count(*) FILTER (WHERE c.converted_at < a.exposed_at) AS before_exposure
FROM experiment_conversions c
LEFT JOIN experiment_assignments a ON a.experiment_id = c.experiment_id
    AND a.user_id = c.user_id
    AND a.exposed_at < (%(until)s::timestamp with time zone)
WHERE c.experiment_id = (%(experiment_id)s::bigint) AND c.converted_at < (%(until)s::timestamp with time zone)
GROUP BY c.event
ORDER BY c.event"""


class ExperimentsUncountedRow(NamedTuple):
    """A row of `experiments/uncounted`."""

    event: str
    without_exposure: int
    before_exposure: int


def experiments_uncounted(
    connection: Connection[Any],
    /,
    *,
    until: dt.datetime,
    experiment_id: int,
) -> list[ExperimentsUncountedRow]:
    """Conversions that no metric counts: of users who were never exposed, and of those who converted before."""
    with connection.cursor(row_factory=_into(ExperimentsUncountedRow._make)) as cursor:
        cursor.execute(_EXPERIMENTS_UNCOUNTED, {"until": until, "experiment_id": experiment_id})
        rows: list[ExperimentsUncountedRow] = cursor.fetchall()
    return rows


async def experiments_uncounted_async(
    connection: AsyncConnection[Any],
    /,
    *,
    until: dt.datetime,
    experiment_id: int,
) -> list[ExperimentsUncountedRow]:
    """Conversions that no metric counts: of users who were never exposed, and of those who converted before."""
    async with connection.cursor(row_factory=_into(ExperimentsUncountedRow._make)) as cursor:
        await cursor.execute(_EXPERIMENTS_UNCOUNTED, {"until": until, "experiment_id": experiment_id})
        rows: list[ExperimentsUncountedRow] = await cursor.fetchall()
    return rows


# ---- experiments/work_in_memory 243cf05fcc688630 b9d7230d71c53060
_EXPERIMENTS_WORK_IN_MEMORY: Final = """SET LOCAL work_mem = '256MB'"""


def experiments_work_in_memory(connection: Connection[Any], /) -> None:
    """Sum up a million users without temporary files; until the transaction ends."""
    connection.execute(_EXPERIMENTS_WORK_IN_MEMORY)


async def experiments_work_in_memory_async(connection: AsyncConnection[Any], /) -> None:
    """Sum up a million users without temporary files; until the transaction ends."""
    await connection.execute(_EXPERIMENTS_WORK_IN_MEMORY)


# ---- graph/cast_similar f988462fbe5ee2b1 8b17e79dc38dcc9a
_GRAPH_CAST_SIMILAR: Final = """SELECT t.content_id, sum(s.share) AS similarity
FROM unnest((%(persons)s::text[])::text[], (%(shares)s::double precision[])::double precision[]) AS s (person, share)
CROSS JOIN LATERAL (
    SELECT c.content_id
    FROM credits c
    WHERE c.person = s.person
        AND c.role = 'actor'
        AND c.billing_position <= (%(billed)s::smallint)
    OFFSET 0 -- person by person, by the index, however many credits there are
) AS t
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT (%(top_k)s::bigint)"""


class GraphCastSimilarRow(NamedTuple):
    """A row of `graph/cast_similar`."""

    content_id: int
    similarity: float


def graph_cast_similar(
    connection: Connection[Any],
    /,
    *,
    persons: list[str],
    shares: list[float],
    billed: int,
    top_k: int,
) -> list[GraphCastSimilarRow]:
    """Titles that share leading actors with the seeds, for all seeds at once.

    The caller gives each actor of the seeds its share of their votes: a seed's actors share one vote, a rare actor more
    of it. A title's similarity is what its actors have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    with connection.cursor(row_factory=_into(GraphCastSimilarRow._make)) as cursor:
        cursor.execute(_GRAPH_CAST_SIMILAR, {"persons": persons, "shares": shares, "billed": billed, "top_k": top_k})
        rows: list[GraphCastSimilarRow] = cursor.fetchall()
    return rows


async def graph_cast_similar_async(
    connection: AsyncConnection[Any],
    /,
    *,
    persons: list[str],
    shares: list[float],
    billed: int,
    top_k: int,
) -> list[GraphCastSimilarRow]:
    """Titles that share leading actors with the seeds, for all seeds at once.

    The caller gives each actor of the seeds its share of their votes: a seed's actors share one vote, a rare actor more
    of it. A title's similarity is what its actors have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    async with connection.cursor(row_factory=_into(GraphCastSimilarRow._make)) as cursor:
        await cursor.execute(_GRAPH_CAST_SIMILAR, {"persons": persons, "shares": shares, "billed": billed, "top_k": top_k})
        rows: list[GraphCastSimilarRow] = await cursor.fetchall()
    return rows


def graph_cast_similar_pipelined(
    connection: Connection[Any],
    /,
    *,
    persons: list[str],
    shares: list[float],
    billed: int,
    top_k: int,
) -> Callable[[], list[GraphCastSimilarRow]]:
    """Titles that share leading actors with the seeds, for all seeds at once.

    The caller gives each actor of the seeds its share of their votes: a seed's actors share one vote, a rare actor more
    of it. A title's similarity is what its actors have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    cursor = connection.cursor(row_factory=_into(GraphCastSimilarRow._make))
    cursor.execute(_GRAPH_CAST_SIMILAR, {"persons": persons, "shares": shares, "billed": billed, "top_k": top_k})
    return cursor.fetchall


# ---- graph/director_similar 673f38eaab54e8be 789ed01560fb0b63
_GRAPH_DIRECTOR_SIMILAR: Final = """SELECT t.content_id, sum(s.share) AS similarity
FROM unnest((%(persons)s::text[])::text[], (%(shares)s::double precision[])::double precision[]) AS s (person, share)
CROSS JOIN LATERAL (
    SELECT c.content_id
    FROM credits c
    WHERE c.person = s.person
        AND c.role = 'director'
    OFFSET 0 -- person by person, by the index, however many credits there are
) AS t
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT (%(top_k)s::bigint)"""


class GraphDirectorSimilarRow(NamedTuple):
    """A row of `graph/director_similar`."""

    content_id: int
    similarity: float


def graph_director_similar(
    connection: Connection[Any],
    /,
    *,
    persons: list[str],
    shares: list[float],
    top_k: int,
) -> list[GraphDirectorSimilarRow]:
    """Titles that share directors with the seeds, for all seeds at once.

    The caller gives each director of the seeds its share of their votes: a seed's directors share one vote, a rare
    director more of it. A title's similarity is what its directors have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    with connection.cursor(row_factory=_into(GraphDirectorSimilarRow._make)) as cursor:
        cursor.execute(_GRAPH_DIRECTOR_SIMILAR, {"persons": persons, "shares": shares, "top_k": top_k})
        rows: list[GraphDirectorSimilarRow] = cursor.fetchall()
    return rows


async def graph_director_similar_async(
    connection: AsyncConnection[Any],
    /,
    *,
    persons: list[str],
    shares: list[float],
    top_k: int,
) -> list[GraphDirectorSimilarRow]:
    """Titles that share directors with the seeds, for all seeds at once.

    The caller gives each director of the seeds its share of their votes: a seed's directors share one vote, a rare
    director more of it. A title's similarity is what its directors have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    async with connection.cursor(row_factory=_into(GraphDirectorSimilarRow._make)) as cursor:
        await cursor.execute(_GRAPH_DIRECTOR_SIMILAR, {"persons": persons, "shares": shares, "top_k": top_k})
        rows: list[GraphDirectorSimilarRow] = await cursor.fetchall()
    return rows


def graph_director_similar_pipelined(
    connection: Connection[Any],
    /,
    *,
    persons: list[str],
    shares: list[float],
    top_k: int,
) -> Callable[[], list[GraphDirectorSimilarRow]]:
    """Titles that share directors with the seeds, for all seeds at once.

    The caller gives each director of the seeds its share of their votes: a seed's directors share one vote, a rare
    director more of it. A title's similarity is what its directors have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    cursor = connection.cursor(row_factory=_into(GraphDirectorSimilarRow._make))
    cursor.execute(_GRAPH_DIRECTOR_SIMILAR, {"persons": persons, "shares": shares, "top_k": top_k})
    return cursor.fetchall


# ---- graph/genre_similar 72cbef0f2e5ecc40 ecee77148b192c0c
_GRAPH_GENRE_SIMILAR: Final = """SELECT t.content_id, sum(s.share) AS similarity
FROM unnest((%(genres)s::text[])::text[], (%(shares)s::double precision[])::double precision[]) AS s (genre, share)
JOIN content_genres t USING (genre)
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT (%(top_k)s::bigint)"""


class GraphGenreSimilarRow(NamedTuple):
    """A row of `graph/genre_similar`."""

    content_id: int
    similarity: float


def graph_genre_similar(
    connection: Connection[Any],
    /,
    *,
    genres: list[str],
    shares: list[float],
    top_k: int,
) -> list[GraphGenreSimilarRow]:
    """Titles that share genres with the seeds, for all seeds at once.

    The caller gives each genre of the seeds its share of their votes: a seed's genres share one vote, a rare genre more
    of it. A title's similarity is what its genres have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    with connection.cursor(row_factory=_into(GraphGenreSimilarRow._make)) as cursor:
        cursor.execute(_GRAPH_GENRE_SIMILAR, {"genres": genres, "shares": shares, "top_k": top_k})
        rows: list[GraphGenreSimilarRow] = cursor.fetchall()
    return rows


async def graph_genre_similar_async(
    connection: AsyncConnection[Any],
    /,
    *,
    genres: list[str],
    shares: list[float],
    top_k: int,
) -> list[GraphGenreSimilarRow]:
    """Titles that share genres with the seeds, for all seeds at once.

    The caller gives each genre of the seeds its share of their votes: a seed's genres share one vote, a rare genre more
    of it. A title's similarity is what its genres have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    async with connection.cursor(row_factory=_into(GraphGenreSimilarRow._make)) as cursor:
        await cursor.execute(_GRAPH_GENRE_SIMILAR, {"genres": genres, "shares": shares, "top_k": top_k})
        rows: list[GraphGenreSimilarRow] = await cursor.fetchall()
    return rows


def graph_genre_similar_pipelined(
    connection: Connection[Any],
    /,
    *,
    genres: list[str],
    shares: list[float],
    top_k: int,
) -> Callable[[], list[GraphGenreSimilarRow]]:
    """Titles that share genres with the seeds, for all seeds at once.

    The caller gives each genre of the seeds its share of their votes: a seed's genres share one vote, a rare genre more
    of it. A title's similarity is what its genres have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    cursor = connection.cursor(row_factory=_into(GraphGenreSimilarRow._make))
    cursor.execute(_GRAPH_GENRE_SIMILAR, {"genres": genres, "shares": shares, "top_k": top_k})
    return cursor.fetchall


# ---- graph/highly_rated b91a881536757375 db134d980238bd88
_GRAPH_HIGHLY_RATED: Final = """SELECT watched.content_id, sum(watched.vote) AS vote
FROM (
    SELECT best.content_id, max(u.weight * best.completion_rate) AS vote
    FROM unnest((%(user_ids)s::bigint[])::bigint[], (%(user_weights)s::double precision[])::double precision[]) AS u (user_id, weight)
    CROSS JOIN LATERAL (
        SELECT e.content_id, e.completion_rate
        FROM viewing_events e
        WHERE e.user_id = u.user_id
            AND e.completion_rate >= (%(minimum_completion)s::real)::real
            AND NOT e.dismissed
            AND (e.rating IS NULL OR e.rating >= (%(minimum_rating)s::real)::real)
        ORDER BY e.at DESC NULLS LAST, e.content_id
        LIMIT (%(per_user)s::bigint)
    ) AS best
    GROUP BY u.user_id, best.content_id
) AS watched
GROUP BY watched.content_id
ORDER BY vote DESC, watched.content_id
LIMIT (%(top_k)s::bigint)"""


class GraphHighlyRatedRow(NamedTuple):
    """A row of `graph/highly_rated`."""

    content_id: int
    vote: float


def graph_highly_rated(
    connection: Connection[Any],
    /,
    *,
    user_ids: list[int],
    user_weights: list[float],
    minimum_completion: float,
    minimum_rating: float,
    per_user: int,
    top_k: int,
) -> list[GraphHighlyRatedRow]:
    """What some users watched to the end and did not rate low, each user's latest, with the votes of all of them: a user's
    vote on a title is what the caller weighs the user with, times how far they watched it.
    """
    with connection.cursor(row_factory=_into(GraphHighlyRatedRow._make)) as cursor:
        cursor.execute(_GRAPH_HIGHLY_RATED, {"user_ids": user_ids, "user_weights": user_weights, "minimum_completion": minimum_completion, "minimum_rating": minimum_rating, "per_user": per_user, "top_k": top_k})
        rows: list[GraphHighlyRatedRow] = cursor.fetchall()
    return rows


async def graph_highly_rated_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_ids: list[int],
    user_weights: list[float],
    minimum_completion: float,
    minimum_rating: float,
    per_user: int,
    top_k: int,
) -> list[GraphHighlyRatedRow]:
    """What some users watched to the end and did not rate low, each user's latest, with the votes of all of them: a user's
    vote on a title is what the caller weighs the user with, times how far they watched it.
    """
    async with connection.cursor(row_factory=_into(GraphHighlyRatedRow._make)) as cursor:
        await cursor.execute(_GRAPH_HIGHLY_RATED, {"user_ids": user_ids, "user_weights": user_weights, "minimum_completion": minimum_completion, "minimum_rating": minimum_rating, "per_user": per_user, "top_k": top_k})
        rows: list[GraphHighlyRatedRow] = await cursor.fetchall()
    return rows


def graph_highly_rated_pipelined(
    connection: Connection[Any],
    /,
    *,
    user_ids: list[int],
    user_weights: list[float],
    minimum_completion: float,
    minimum_rating: float,
    per_user: int,
    top_k: int,
) -> Callable[[], list[GraphHighlyRatedRow]]:
    """What some users watched to the end and did not rate low, each user's latest, with the votes of all of them: a user's
    vote on a title is what the caller weighs the user with, times how far they watched it.
    """
    cursor = connection.cursor(row_factory=_into(GraphHighlyRatedRow._make))
    cursor.execute(_GRAPH_HIGHLY_RATED, {"user_ids": user_ids, "user_weights": user_weights, "minimum_completion": minimum_completion, "minimum_rating": minimum_rating, "per_user": per_user, "top_k": top_k})
    return cursor.fetchall


# ---- graph/similar_users 987cfc497d7b2bb8 11b0cb5132292f18
_GRAPH_SIMILAR_USERS: Final = """WITH seeds AS (
    SELECT s.content_id, s.weight
    FROM unnest((%(seed_ids)s::bigint[])::bigint[], (%(seed_weights)s::double precision[])::double precision[]) AS s (content_id, weight)
),
viewers AS (
    SELECT DISTINCT latest.user_id, s.content_id, s.weight
    FROM seeds s
    CROSS JOIN LATERAL (
        SELECT e.user_id
        FROM viewing_events e
        WHERE e.content_id = s.content_id AND e.completion_rate >= (%(minimum_completion)s::real)::real
        ORDER BY e.at DESC NULLS LAST, e.user_id
        LIMIT (%(viewers_per_seed)s::bigint)
    ) AS latest
)
SELECT v.user_id, count(*) AS in_common, sum(v.weight) / (SELECT sum(weight) FROM seeds) AS similarity
FROM viewers v
WHERE v.user_id <> (SELECT u.id FROM users u WHERE u.external_id = (%(user_id)s::text))
GROUP BY v.user_id
HAVING count(*) >= (%(minimum_in_common)s::bigint)
ORDER BY similarity DESC, v.user_id
LIMIT (%(top_k)s::bigint)"""


class GraphSimilarUsersRow(NamedTuple):
    """A row of `graph/similar_users`."""

    user_id: int
    in_common: int
    similarity: float


def graph_similar_users(
    connection: Connection[Any],
    /,
    *,
    seed_ids: list[int],
    seed_weights: list[float],
    minimum_completion: float,
    viewers_per_seed: int,
    user_id: str,
    minimum_in_common: int,
    top_k: int,
) -> list[GraphSimilarUsersRow]:
    """The users who watched most of the same titles, weighted by the caller: a title that few people watched should say more.

    Of each seed only the latest viewers count, so that a seed that everybody has seen costs no more than another.
    Similarity is the weight of the titles in common, as a share of the weight of all seeds, 0 to 1.
    """
    with connection.cursor(row_factory=_into(GraphSimilarUsersRow._make)) as cursor:
        cursor.execute(_GRAPH_SIMILAR_USERS, {"seed_ids": seed_ids, "seed_weights": seed_weights, "minimum_completion": minimum_completion, "viewers_per_seed": viewers_per_seed, "user_id": user_id, "minimum_in_common": minimum_in_common, "top_k": top_k})
        rows: list[GraphSimilarUsersRow] = cursor.fetchall()
    return rows


async def graph_similar_users_async(
    connection: AsyncConnection[Any],
    /,
    *,
    seed_ids: list[int],
    seed_weights: list[float],
    minimum_completion: float,
    viewers_per_seed: int,
    user_id: str,
    minimum_in_common: int,
    top_k: int,
) -> list[GraphSimilarUsersRow]:
    """The users who watched most of the same titles, weighted by the caller: a title that few people watched should say more.

    Of each seed only the latest viewers count, so that a seed that everybody has seen costs no more than another.
    Similarity is the weight of the titles in common, as a share of the weight of all seeds, 0 to 1.
    """
    async with connection.cursor(row_factory=_into(GraphSimilarUsersRow._make)) as cursor:
        await cursor.execute(_GRAPH_SIMILAR_USERS, {"seed_ids": seed_ids, "seed_weights": seed_weights, "minimum_completion": minimum_completion, "viewers_per_seed": viewers_per_seed, "user_id": user_id, "minimum_in_common": minimum_in_common, "top_k": top_k})
        rows: list[GraphSimilarUsersRow] = await cursor.fetchall()
    return rows


def graph_similar_users_pipelined(
    connection: Connection[Any],
    /,
    *,
    seed_ids: list[int],
    seed_weights: list[float],
    minimum_completion: float,
    viewers_per_seed: int,
    user_id: str,
    minimum_in_common: int,
    top_k: int,
) -> Callable[[], list[GraphSimilarUsersRow]]:
    """The users who watched most of the same titles, weighted by the caller: a title that few people watched should say more.

    Of each seed only the latest viewers count, so that a seed that everybody has seen costs no more than another.
    Similarity is the weight of the titles in common, as a share of the weight of all seeds, 0 to 1.
    """
    cursor = connection.cursor(row_factory=_into(GraphSimilarUsersRow._make))
    cursor.execute(_GRAPH_SIMILAR_USERS, {"seed_ids": seed_ids, "seed_weights": seed_weights, "minimum_completion": minimum_completion, "viewers_per_seed": viewers_per_seed, "user_id": user_id, "minimum_in_common": minimum_in_common, "top_k": top_k})
    return cursor.fetchall


# ---- graph/theme_similar 69469eb1099093f1 30a8214800f46c3c
_GRAPH_THEME_SIMILAR: Final = """SELECT t.content_id, sum(s.share) AS similarity
FROM unnest((%(themes)s::text[])::text[], (%(shares)s::double precision[])::double precision[]) AS s (theme, share)
JOIN content_themes t USING (theme)
GROUP BY t.content_id
ORDER BY similarity DESC, t.content_id
LIMIT (%(top_k)s::bigint)"""


class GraphThemeSimilarRow(NamedTuple):
    """A row of `graph/theme_similar`."""

    content_id: int
    similarity: float


def graph_theme_similar(
    connection: Connection[Any],
    /,
    *,
    themes: list[str],
    shares: list[float],
    top_k: int,
) -> list[GraphThemeSimilarRow]:
    """Titles that share themes with the seeds, for all seeds at once.

    The caller gives each theme of the seeds its share of their votes: a seed's themes share one vote, a rare theme more
    of it. A title's similarity is what its themes have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    with connection.cursor(row_factory=_into(GraphThemeSimilarRow._make)) as cursor:
        cursor.execute(_GRAPH_THEME_SIMILAR, {"themes": themes, "shares": shares, "top_k": top_k})
        rows: list[GraphThemeSimilarRow] = cursor.fetchall()
    return rows


async def graph_theme_similar_async(
    connection: AsyncConnection[Any],
    /,
    *,
    themes: list[str],
    shares: list[float],
    top_k: int,
) -> list[GraphThemeSimilarRow]:
    """Titles that share themes with the seeds, for all seeds at once.

    The caller gives each theme of the seeds its share of their votes: a seed's themes share one vote, a rare theme more
    of it. A title's similarity is what its themes have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    async with connection.cursor(row_factory=_into(GraphThemeSimilarRow._make)) as cursor:
        await cursor.execute(_GRAPH_THEME_SIMILAR, {"themes": themes, "shares": shares, "top_k": top_k})
        rows: list[GraphThemeSimilarRow] = await cursor.fetchall()
    return rows


def graph_theme_similar_pipelined(
    connection: Connection[Any],
    /,
    *,
    themes: list[str],
    shares: list[float],
    top_k: int,
) -> Callable[[], list[GraphThemeSimilarRow]]:
    """Titles that share themes with the seeds, for all seeds at once.

    The caller gives each theme of the seeds its share of their votes: a seed's themes share one vote, a rare theme more
    of it. A title's similarity is what its themes have together, 0 to 1.

    The seeds are among the answers: to leave them out here would be a join over all titles.
    """
    cursor = connection.cursor(row_factory=_into(GraphThemeSimilarRow._make))
    cursor.execute(_GRAPH_THEME_SIMILAR, {"themes": themes, "shares": shares, "top_k": top_k})
    return cursor.fetchall


# ---- graph/watch_history f60bfd89af297edd b2e77ae79a024cdf
_GRAPH_WATCH_HISTORY: Final = """SELECT p.content_id, p.completion_rate, p.last_watched
FROM watch_progress p
WHERE p.user_id = (SELECT u.id FROM users u WHERE u.external_id = (%(user_id)s::text)) -- not a join: it would not reach into the view
ORDER BY p.last_watched DESC NULLS LAST, hashint8(p.content_id), p.content_id
LIMIT (%(top_k)s::bigint)"""


class GraphWatchHistoryRow(NamedTuple):
    """A row of `graph/watch_history`."""

    content_id: int
    completion_rate: float
    last_watched: dt.datetime | None


def graph_watch_history(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
    top_k: int,
) -> list[GraphWatchHistoryRow]:
    """The titles that a user watched last, the latest first: the seeds of the graph.

    Where times are not known or equal, ids decide, but hashed: in their own order, old titles would always come first.
    """
    with connection.cursor(row_factory=_into(GraphWatchHistoryRow._make)) as cursor:
        cursor.execute(_GRAPH_WATCH_HISTORY, {"user_id": user_id, "top_k": top_k})
        rows: list[GraphWatchHistoryRow] = cursor.fetchall()
    return rows


async def graph_watch_history_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
    top_k: int,
) -> list[GraphWatchHistoryRow]:
    """The titles that a user watched last, the latest first: the seeds of the graph.

    Where times are not known or equal, ids decide, but hashed: in their own order, old titles would always come first.
    """
    async with connection.cursor(row_factory=_into(GraphWatchHistoryRow._make)) as cursor:
        await cursor.execute(_GRAPH_WATCH_HISTORY, {"user_id": user_id, "top_k": top_k})
        rows: list[GraphWatchHistoryRow] = await cursor.fetchall()
    return rows


def graph_watch_history_pipelined(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
    top_k: int,
) -> Callable[[], list[GraphWatchHistoryRow]]:
    """The titles that a user watched last, the latest first: the seeds of the graph.

    Where times are not known or equal, ids decide, but hashed: in their own order, old titles would always come first.
    """
    cursor = connection.cursor(row_factory=_into(GraphWatchHistoryRow._make))
    cursor.execute(_GRAPH_WATCH_HISTORY, {"user_id": user_id, "top_k": top_k})
    return cursor.fetchall


# ---- history/by_user 14b52a31da307bf3 e9e3d5f959594575
_HISTORY_BY_USER: Final = """SELECT
    c.external_id,
    extract(epoch FROM e.at)::float8 AS at,
    e.completion_rate,
    e.rating,
    e.is_rewatch,
    e.dismissed
FROM viewing_events e
JOIN users u ON u.id = e.user_id
JOIN content c ON c.id = e.content_id
WHERE u.external_id = (%(user_id)s::text)
ORDER BY e.at NULLS FIRST, c.external_id"""


class HistoryByUserRow(NamedTuple):
    """A row of `history/by_user`."""

    external_id: str
    at: float | None
    completion_rate: float
    rating: float | None
    is_rewatch: bool
    dismissed: bool


def history_by_user(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> list[HistoryByUserRow]:
    """Everything that a user watched, rated or dismissed, oldest first; events of unknown time come before the others."""
    with connection.cursor(row_factory=_into(HistoryByUserRow._make)) as cursor:
        cursor.execute(_HISTORY_BY_USER, {"user_id": user_id})
        rows: list[HistoryByUserRow] = cursor.fetchall()
    return rows


async def history_by_user_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
) -> list[HistoryByUserRow]:
    """Everything that a user watched, rated or dismissed, oldest first; events of unknown time come before the others."""
    async with connection.cursor(row_factory=_into(HistoryByUserRow._make)) as cursor:
        await cursor.execute(_HISTORY_BY_USER, {"user_id": user_id})
        rows: list[HistoryByUserRow] = await cursor.fetchall()
    return rows


def history_by_user_pipelined(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> Callable[[], list[HistoryByUserRow]]:
    """Everything that a user watched, rated or dismissed, oldest first; events of unknown time come before the others."""
    cursor = connection.cursor(row_factory=_into(HistoryByUserRow._make))
    cursor.execute(_HISTORY_BY_USER, {"user_id": user_id})
    return cursor.fetchall


# ---- history/user_exists 84b32d04f3f5fdf9 0e66d0efa7700ac1
_HISTORY_USER_EXISTS: Final = """SELECT EXISTS (SELECT FROM users WHERE external_id = (%(user_id)s::text)) AS is_there"""


def history_user_exists(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> bool:
    """Whether there is a user of this id."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_HISTORY_USER_EXISTS, {"user_id": user_id})
        rows: list[bool] = cursor.fetchall()
    return _one("history/user_exists", rows)


async def history_user_exists_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
) -> bool:
    """Whether there is a user of this id."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_HISTORY_USER_EXISTS, {"user_id": user_id})
        rows: list[bool] = await cursor.fetchall()
    return _one("history/user_exists", rows)


# ---- ingest/add_availability d8a0a4b12e2090d9 8893dacc68896226
_INGEST_ADD_AVAILABILITY: Final = """INSERT INTO content_availability (content_id, region, starts_at, ends_at)
SELECT c.id, s.region, s.starts_at, s.ends_at
FROM staged_availability s
JOIN content c ON c.external_id = s.content_id
ON CONFLICT DO NOTHING"""


def ingest_add_availability(connection: Connection[Any], /) -> int:
    """Windows that the staged titles have not had before."""
    return connection.execute(_INGEST_ADD_AVAILABILITY).rowcount


async def ingest_add_availability_async(connection: AsyncConnection[Any], /) -> int:
    """Windows that the staged titles have not had before."""
    return (await connection.execute(_INGEST_ADD_AVAILABILITY)).rowcount


# ---- ingest/add_credits 856c2f33f645647c a4150c7566f8cb86
_INGEST_ADD_CREDITS: Final = """INSERT INTO credits (content_id, person, role, billing_position)
SELECT c.id, p.person, p.role, p.billing_position
FROM staged_content s
JOIN content c ON c.external_id = s.content_id
CROSS JOIN LATERAL (
    SELECT person, 'actor' AS role, billing_position FROM unnest(s.actors) WITH ORDINALITY AS a (person, billing_position)
    UNION ALL
    SELECT person, 'director', billing_position FROM unnest(s.directors) WITH ORDINALITY AS d (person, billing_position)
    UNION ALL
    SELECT person, 'writer', billing_position FROM unnest(s.writers) WITH ORDINALITY AS w (person, billing_position)
) AS p
ON CONFLICT (content_id, role, person) DO UPDATE SET billing_position = excluded.billing_position
WHERE credits.billing_position <> excluded.billing_position
RETURNING content_id"""


def ingest_add_credits(connection: Connection[Any], /) -> list[int]:
    """Credits that a title has not had before, or at another billing position."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_ADD_CREDITS)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_add_credits_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Credits that a title has not had before, or at another billing position."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_ADD_CREDITS)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/add_genres 7e09732e92832e8a b594137dcd1b1bd0
_INGEST_ADD_GENRES: Final = """INSERT INTO content_genres (content_id, genre)
SELECT c.id, unnest(s.genres)
FROM staged_content s
JOIN content c ON c.external_id = s.content_id
ON CONFLICT DO NOTHING
RETURNING content_id"""


def ingest_add_genres(connection: Connection[Any], /) -> list[int]:
    """Genres that a title has not had before."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_ADD_GENRES)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_add_genres_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Genres that a title has not had before."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_ADD_GENRES)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/add_themes 9c9694d4dd408d61 c1e909e359fc18cf
_INGEST_ADD_THEMES: Final = """INSERT INTO content_themes (content_id, theme)
SELECT c.id, unnest(s.themes)
FROM staged_content s
JOIN content c ON c.external_id = s.content_id
ON CONFLICT DO NOTHING
RETURNING content_id"""


def ingest_add_themes(connection: Connection[Any], /) -> list[int]:
    """Themes that a title has not had before."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_ADD_THEMES)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_add_themes_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Themes that a title has not had before."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_ADD_THEMES)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/analyze_availability 7583f64d7bd3c346 939643fa71ecb758
_INGEST_ANALYZE_AVAILABILITY: Final = """ANALYZE content_availability"""


def ingest_analyze_availability(connection: Connection[Any], /) -> None:
    """Fresh statistics, so that the first queries after an import are planned well."""
    connection.execute(_INGEST_ANALYZE_AVAILABILITY)


async def ingest_analyze_availability_async(connection: AsyncConnection[Any], /) -> None:
    """Fresh statistics, so that the first queries after an import are planned well."""
    await connection.execute(_INGEST_ANALYZE_AVAILABILITY)


# ---- ingest/analyze_content 93102d54b5e74504 06c9bcc244028a00
_INGEST_ANALYZE_CONTENT: Final = """ANALYZE content, content_genres, content_themes, credits"""


def ingest_analyze_content(connection: Connection[Any], /) -> None:
    """Fresh statistics, so that the first queries after an import are planned well."""
    connection.execute(_INGEST_ANALYZE_CONTENT)


async def ingest_analyze_content_async(connection: AsyncConnection[Any], /) -> None:
    """Fresh statistics, so that the first queries after an import are planned well."""
    await connection.execute(_INGEST_ANALYZE_CONTENT)


# ---- ingest/analyze_events ceacb63ed1c48d77 7e15f8aa1e431963
_INGEST_ANALYZE_EVENTS: Final = """ANALYZE users, viewing_events"""


def ingest_analyze_events(connection: Connection[Any], /) -> None:
    """Fresh statistics, so that the first queries after an import are planned well."""
    connection.execute(_INGEST_ANALYZE_EVENTS)


async def ingest_analyze_events_async(connection: AsyncConnection[Any], /) -> None:
    """Fresh statistics, so that the first queries after an import are planned well."""
    await connection.execute(_INGEST_ANALYZE_EVENTS)


# ---- ingest/copy_availability d93edb59d9940c7b fa4067a716e071a7
_INGEST_COPY_AVAILABILITY: Final = """COPY staged_availability (content_id, region, starts_at, ends_at) FROM STDIN"""


def ingest_copy_availability(connection: Connection[Any], /) -> AbstractContextManager[Copy]:
    """Fill the staging table."""
    return connection.cursor().copy(_INGEST_COPY_AVAILABILITY)


def ingest_copy_availability_async(connection: AsyncConnection[Any], /) -> AbstractAsyncContextManager[AsyncCopy]:
    """Fill the staging table."""
    return connection.cursor().copy(_INGEST_COPY_AVAILABILITY)


# ---- ingest/copy_content 24c36361d19c0a56 3343f180161eea2a
_INGEST_COPY_CONTENT: Final = """COPY staged_content (
    content_id, title, kind, year, runtime_minutes, plot, genres, themes, actors, directors, writers
) FROM STDIN"""


def ingest_copy_content(connection: Connection[Any], /) -> AbstractContextManager[Copy]:
    """Fill the staging table."""
    return connection.cursor().copy(_INGEST_COPY_CONTENT)


def ingest_copy_content_async(connection: AsyncConnection[Any], /) -> AbstractAsyncContextManager[AsyncCopy]:
    """Fill the staging table."""
    return connection.cursor().copy(_INGEST_COPY_CONTENT)


# ---- ingest/copy_events e870a0ad2a1663ce 9ffd148dbf64b1b8
_INGEST_COPY_EVENTS: Final = """COPY staged_events (user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device) FROM STDIN"""


def ingest_copy_events(connection: Connection[Any], /) -> AbstractContextManager[Copy]:
    """Fill the staging table."""
    return connection.cursor().copy(_INGEST_COPY_EVENTS)


def ingest_copy_events_async(connection: AsyncConnection[Any], /) -> AbstractAsyncContextManager[AsyncCopy]:
    """Fill the staging table."""
    return connection.cursor().copy(_INGEST_COPY_EVENTS)


# ---- ingest/count_known dbf3f8042bc6c6d1 1b83e0adbaff9d62
_INGEST_COUNT_KNOWN: Final = """SELECT
    count(*) AS known,
    count(*) FILTER (
        WHERE (e.completion_rate, e.rating, e.is_rewatch, e.dismissed, e.device)
            IS DISTINCT FROM (r.completion_rate, r.rating, r.is_rewatch, r.dismissed, r.device)
    ) AS conflicting
FROM resolved_events r
JOIN viewing_events e ON e.user_id = r.user_id AND e.content_id = r.content_id AND e.at IS NOT DISTINCT FROM r.at"""


class IngestCountKnownRow(NamedTuple):
    """A row of `ingest/count_known`."""

    known: int
    conflicting: int


def ingest_count_known(connection: Connection[Any], /) -> IngestCountKnownRow:
    """How many of the events are in the database already, and how many of those with other values; what is there stays."""
    with connection.cursor(row_factory=_into(IngestCountKnownRow._make)) as cursor:
        cursor.execute(_INGEST_COUNT_KNOWN)
        rows: list[IngestCountKnownRow] = cursor.fetchall()
    return _one("ingest/count_known", rows)


async def ingest_count_known_async(connection: AsyncConnection[Any], /) -> IngestCountKnownRow:
    """How many of the events are in the database already, and how many of those with other values; what is there stays."""
    async with connection.cursor(row_factory=_into(IngestCountKnownRow._make)) as cursor:
        await cursor.execute(_INGEST_COUNT_KNOWN)
        rows: list[IngestCountKnownRow] = await cursor.fetchall()
    return _one("ingest/count_known", rows)


# ---- ingest/count_resolved 393d4e2fdf12e878 f14c4358dfd37c9f
_INGEST_COUNT_RESOLVED: Final = """SELECT count(*) AS events FROM resolved_events"""


def ingest_count_resolved(connection: Connection[Any], /) -> int:
    """How many different events were staged."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_COUNT_RESOLVED)
        rows: list[int] = cursor.fetchall()
    return _one("ingest/count_resolved", rows)


async def ingest_count_resolved_async(connection: AsyncConnection[Any], /) -> int:
    """How many different events were staged."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_COUNT_RESOLVED)
        rows: list[int] = await cursor.fetchall()
    return _one("ingest/count_resolved", rows)


# ---- ingest/count_staged_availability 85665c939f19f9f9 8c0a3969ea9b7d38
_INGEST_COUNT_STAGED_AVAILABILITY: Final = """SELECT count(DISTINCT (content_id, region, starts_at, ends_at)) AS windows, count(DISTINCT content_id) AS titles
FROM staged_availability"""


class IngestCountStagedAvailabilityRow(NamedTuple):
    """A row of `ingest/count_staged_availability`."""

    windows: int
    titles: int


def ingest_count_staged_availability(connection: Connection[Any], /) -> IngestCountStagedAvailabilityRow:
    """How many different windows there are to bring in, and of how many titles."""
    with connection.cursor(row_factory=_into(IngestCountStagedAvailabilityRow._make)) as cursor:
        cursor.execute(_INGEST_COUNT_STAGED_AVAILABILITY)
        rows: list[IngestCountStagedAvailabilityRow] = cursor.fetchall()
    return _one("ingest/count_staged_availability", rows)


async def ingest_count_staged_availability_async(connection: AsyncConnection[Any], /) -> IngestCountStagedAvailabilityRow:
    """How many different windows there are to bring in, and of how many titles."""
    async with connection.cursor(row_factory=_into(IngestCountStagedAvailabilityRow._make)) as cursor:
        await cursor.execute(_INGEST_COUNT_STAGED_AVAILABILITY)
        rows: list[IngestCountStagedAvailabilityRow] = await cursor.fetchall()
    return _one("ingest/count_staged_availability", rows)


# ---- ingest/drop_staged_availability 1c20b7754f7ceedd 19faa22b58caf424
_INGEST_DROP_STAGED_AVAILABILITY: Final = """DROP TABLE IF EXISTS staged_availability"""


def ingest_drop_staged_availability(connection: Connection[Any], /) -> None:
    """Room for the next file of the same transaction."""
    connection.execute(_INGEST_DROP_STAGED_AVAILABILITY)


async def ingest_drop_staged_availability_async(connection: AsyncConnection[Any], /) -> None:
    """Room for the next file of the same transaction."""
    await connection.execute(_INGEST_DROP_STAGED_AVAILABILITY)


# ---- ingest/drop_staged_content d027b77b3393d641 ec185af873854c07
_INGEST_DROP_STAGED_CONTENT: Final = """DROP TABLE IF EXISTS staged_content"""


def ingest_drop_staged_content(connection: Connection[Any], /) -> None:
    """Room for the next file of the same transaction."""
    connection.execute(_INGEST_DROP_STAGED_CONTENT)


async def ingest_drop_staged_content_async(connection: AsyncConnection[Any], /) -> None:
    """Room for the next file of the same transaction."""
    await connection.execute(_INGEST_DROP_STAGED_CONTENT)


# ---- ingest/drop_staged_events 89ac1dfa422cb17b a6875cb82169be17
_INGEST_DROP_STAGED_EVENTS: Final = """DROP TABLE IF EXISTS staged_events, resolved_events"""


def ingest_drop_staged_events(connection: Connection[Any], /) -> None:
    """Room for the next batch of the same transaction."""
    connection.execute(_INGEST_DROP_STAGED_EVENTS)


async def ingest_drop_staged_events_async(connection: AsyncConnection[Any], /) -> None:
    """Room for the next batch of the same transaction."""
    await connection.execute(_INGEST_DROP_STAGED_EVENTS)


# ---- ingest/hold_content f30f915ed255c823 0c2183de04f8eda3
_INGEST_HOLD_CONTENT: Final = """SELECT count(*) AS held
FROM (
    SELECT FROM content WHERE external_id IN (SELECT content_id FROM staged_events) FOR KEY SHARE
) AS held"""


def ingest_hold_content(connection: Connection[Any], /) -> int:
    """Nobody deletes these titles before the transaction ends: what a foreign key would do for each of their events."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_HOLD_CONTENT)
        rows: list[int] = cursor.fetchall()
    return _one("ingest/hold_content", rows)


async def ingest_hold_content_async(connection: AsyncConnection[Any], /) -> int:
    """Nobody deletes these titles before the transaction ends: what a foreign key would do for each of their events."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_HOLD_CONTENT)
        rows: list[int] = await cursor.fetchall()
    return _one("ingest/hold_content", rows)


# ---- ingest/hold_users 33c7082981ccda2b 8f040f90be42a0cc
_INGEST_HOLD_USERS: Final = """SELECT count(*) AS held
FROM (
    SELECT FROM users WHERE external_id IN (SELECT user_id FROM staged_events) FOR KEY SHARE
) AS held"""


def ingest_hold_users(connection: Connection[Any], /) -> int:
    """Nobody deletes these users before the transaction ends: what a foreign key would do for each of their events."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_HOLD_USERS)
        rows: list[int] = cursor.fetchall()
    return _one("ingest/hold_users", rows)


async def ingest_hold_users_async(connection: AsyncConnection[Any], /) -> int:
    """Nobody deletes these users before the transaction ends: what a foreign key would do for each of their events."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_HOLD_USERS)
        rows: list[int] = await cursor.fetchall()
    return _one("ingest/hold_users", rows)


# ---- ingest/insert_content 6e675cfa0243622f 76a0f72f53dcb8ab
_INGEST_INSERT_CONTENT: Final = """INSERT INTO content (external_id, title, kind, year, runtime_minutes, plot)
SELECT content_id, title, coalesce(kind, 'film'), year, runtime_minutes, plot
FROM staged_content
ORDER BY position
ON CONFLICT (external_id) DO NOTHING
RETURNING id"""


def ingest_insert_content(connection: Connection[Any], /) -> list[int]:
    """Titles that the database does not have yet."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_INSERT_CONTENT)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_insert_content_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Titles that the database does not have yet."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_INSERT_CONTENT)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/known_content e1b145c71cd182fe f028d9d01e786204
_INGEST_KNOWN_CONTENT: Final = """SELECT external_id FROM content"""


def ingest_known_content(connection: Connection[Any], /) -> list[str]:
    """The ids of all content, to tell events of unknown content from the others."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_KNOWN_CONTENT)
        rows: list[str] = cursor.fetchall()
    return rows


async def ingest_known_content_async(connection: AsyncConnection[Any], /) -> list[str]:
    """The ids of all content, to tell events of unknown content from the others."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_KNOWN_CONTENT)
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- ingest/may_skip_checks 43764d385d95b9e7 f53b445de85d6974
_INGEST_MAY_SKIP_CHECKS: Final = """SELECT
    has_parameter_privilege('session_replication_role', 'SET')
    AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'viewing_events'::regclass AND NOT tgisinternal) AS permitted"""


def ingest_may_skip_checks(connection: Connection[Any], /) -> bool | None:
    """May triggers be left out? Only with the privilege, and where foreign keys are all that they do."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_MAY_SKIP_CHECKS)
        rows: list[bool | None] = cursor.fetchall()
    return _one("ingest/may_skip_checks", rows)


async def ingest_may_skip_checks_async(connection: AsyncConnection[Any], /) -> bool | None:
    """May triggers be left out? Only with the privilege, and where foreign keys are all that they do."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_MAY_SKIP_CHECKS)
        rows: list[bool | None] = await cursor.fetchall()
    return _one("ingest/may_skip_checks", rows)


# ---- ingest/merge_events 1fd1452d17130ae8 e75bfce14d1d72ca
_INGEST_MERGE_EVENTS: Final = """INSERT INTO viewing_events (user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device)
SELECT user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device
FROM resolved_events
ON CONFLICT (user_id, content_id, at) DO NOTHING"""


def ingest_merge_events(connection: Connection[Any], /) -> int:
    """Events that the database does not have yet. They were resolved in the order of the index, which is filled faster so."""
    return connection.execute(_INGEST_MERGE_EVENTS).rowcount


async def ingest_merge_events_async(connection: AsyncConnection[Any], /) -> int:
    """Events that the database does not have yet. They were resolved in the order of the index, which is filled faster so."""
    return (await connection.execute(_INGEST_MERGE_EVENTS)).rowcount


# ---- ingest/merge_users 9cb9f2deae45ca26 f86aee19e5fd91f9
_INGEST_MERGE_USERS: Final = """INSERT INTO users (external_id)
SELECT user_id FROM staged_events GROUP BY user_id ORDER BY min(position)
ON CONFLICT (external_id) DO NOTHING"""


def ingest_merge_users(connection: Connection[Any], /) -> int:
    """Users whom the database does not know yet."""
    return connection.execute(_INGEST_MERGE_USERS).rowcount


async def ingest_merge_users_async(connection: AsyncConnection[Any], /) -> int:
    """Users whom the database does not know yet."""
    return (await connection.execute(_INGEST_MERGE_USERS)).rowcount


# ---- ingest/remove_availability a1c4fb02962af81f b5651f3c37c254d7
_INGEST_REMOVE_AVAILABILITY: Final = """DELETE FROM content_availability a
USING content c
WHERE c.id = a.content_id
    AND c.external_id IN (SELECT content_id FROM staged_availability)
    AND NOT EXISTS (
        SELECT
        FROM staged_availability s
        WHERE s.content_id = c.external_id
            AND (s.region, s.starts_at, s.ends_at) IS NOT DISTINCT FROM (a.region, a.starts_at, a.ends_at)
    )"""


def ingest_remove_availability(connection: Connection[Any], /) -> int:
    """Windows of the staged titles that the source does not have; those of other titles stay."""
    return connection.execute(_INGEST_REMOVE_AVAILABILITY).rowcount


async def ingest_remove_availability_async(connection: AsyncConnection[Any], /) -> int:
    """Windows of the staged titles that the source does not have; those of other titles stay."""
    return (await connection.execute(_INGEST_REMOVE_AVAILABILITY)).rowcount


# ---- ingest/remove_credits 219d01e858cdc030 93df3341a814991e
_INGEST_REMOVE_CREDITS: Final = """DELETE FROM credits t
USING staged_content s, content c
WHERE c.external_id = s.content_id
    AND t.content_id = c.id
    AND NOT t.person = ANY(
        CASE t.role WHEN 'actor' THEN s.actors WHEN 'director' THEN s.directors WHEN 'writer' THEN s.writers END
    )
RETURNING t.content_id"""


def ingest_remove_credits(connection: Connection[Any], /) -> list[int]:
    """Credits that a title no longer has, of the roles of which the source says something."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_REMOVE_CREDITS)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_remove_credits_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Credits that a title no longer has, of the roles of which the source says something."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_REMOVE_CREDITS)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/remove_genres fed4139bbbf2ade5 65d0338abc21db63
_INGEST_REMOVE_GENRES: Final = """DELETE FROM content_genres t
USING staged_content s, content c
WHERE c.external_id = s.content_id
    AND t.content_id = c.id
    AND s.genres IS NOT NULL
    AND NOT t.genre = ANY(s.genres)
RETURNING t.content_id"""


def ingest_remove_genres(connection: Connection[Any], /) -> list[int]:
    """Genres that a title no longer has."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_REMOVE_GENRES)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_remove_genres_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Genres that a title no longer has."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_REMOVE_GENRES)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/remove_themes 83fb20ece50a9319 17797ab4d8211cd8
_INGEST_REMOVE_THEMES: Final = """DELETE FROM content_themes t
USING staged_content s, content c
WHERE c.external_id = s.content_id
    AND t.content_id = c.id
    AND s.themes IS NOT NULL
    AND NOT t.theme = ANY(s.themes)
RETURNING t.content_id"""


def ingest_remove_themes(connection: Connection[Any], /) -> list[int]:
    """Themes that a title no longer has."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_REMOVE_THEMES)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_remove_themes_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Themes that a title no longer has."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_REMOVE_THEMES)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/resolve_events 074f281da4807148 1e5f97963fb6f5ff
_INGEST_RESOLVE_EVENTS: Final = """CREATE TEMP TABLE resolved_events ON COMMIT DROP AS
SELECT DISTINCT ON (u.id, c.id, s.at)
    u.id AS user_id,
    c.id AS content_id,
    s.at,
    s.completion_rate,
    s.rating,
    s.is_rewatch,
    s.dismissed,
    s.device
FROM staged_events s
JOIN users u ON u.external_id = s.user_id
JOIN content c ON c.external_id = s.content_id
ORDER BY u.id, c.id, s.at, s.position"""


def ingest_resolve_events(connection: Connection[Any], /) -> None:
    """The staged events under the database's own ids, one for each user, title and time: the first that was staged."""
    connection.execute(_INGEST_RESOLVE_EVENTS)


async def ingest_resolve_events_async(connection: AsyncConnection[Any], /) -> None:
    """The staged events under the database's own ids, one for each user, title and time: the first that was staged."""
    await connection.execute(_INGEST_RESOLVE_EVENTS)


# ---- ingest/restore_checks 49038d59cd5a8f39 cde828c0b332863b
_INGEST_RESTORE_CHECKS: Final = """SET LOCAL session_replication_role = origin"""


def ingest_restore_checks(connection: Connection[Any], /) -> None:
    """Triggers as usual again."""
    connection.execute(_INGEST_RESTORE_CHECKS)


async def ingest_restore_checks_async(connection: AsyncConnection[Any], /) -> None:
    """Triggers as usual again."""
    await connection.execute(_INGEST_RESTORE_CHECKS)


# ---- ingest/skip_checks 6eed25178fafe0ed 859e73349c3b73eb
_INGEST_SKIP_CHECKS: Final = """SET LOCAL session_replication_role = replica"""


def ingest_skip_checks(connection: Connection[Any], /) -> None:
    """No triggers, foreign keys among them, for the next statement."""
    connection.execute(_INGEST_SKIP_CHECKS)


async def ingest_skip_checks_async(connection: AsyncConnection[Any], /) -> None:
    """No triggers, foreign keys among them, for the next statement."""
    await connection.execute(_INGEST_SKIP_CHECKS)


# ---- ingest/stage_availability ecf2c4e8500b7a8d 3a0162dab05ce8c3
_INGEST_STAGE_AVAILABILITY: Final = """CREATE TEMP TABLE staged_availability (
    content_id text NOT NULL,
    region text,
    starts_at timestamptz,
    ends_at timestamptz
) ON COMMIT DROP"""


def ingest_stage_availability(connection: Connection[Any], /) -> None:
    """Where windows of availability land first."""
    connection.execute(_INGEST_STAGE_AVAILABILITY)


async def ingest_stage_availability_async(connection: AsyncConnection[Any], /) -> None:
    """Where windows of availability land first."""
    await connection.execute(_INGEST_STAGE_AVAILABILITY)


# ---- ingest/stage_content 23a4f450000f3bdd 6becc6342f5603b0
_INGEST_STAGE_CONTENT: Final = """CREATE TEMP TABLE staged_content (
    position bigint GENERATED ALWAYS AS IDENTITY,
    content_id text NOT NULL,
    title text NOT NULL,
    kind text,
    year smallint,
    runtime_minutes smallint,
    plot text,
    genres text[],
    themes text[],
    actors text[],
    directors text[],
    writers text[]
) ON COMMIT DROP"""


def ingest_stage_content(connection: Connection[Any], /) -> None:
    """Where content lands first; a null is something that the source does not say."""
    connection.execute(_INGEST_STAGE_CONTENT)


async def ingest_stage_content_async(connection: AsyncConnection[Any], /) -> None:
    """Where content lands first; a null is something that the source does not say."""
    await connection.execute(_INGEST_STAGE_CONTENT)


# ---- ingest/stage_events cda899c796998b08 b5d42d92429e2aaf
_INGEST_STAGE_EVENTS: Final = """CREATE TEMP TABLE staged_events (
    position bigint GENERATED ALWAYS AS IDENTITY,
    user_id text NOT NULL,
    content_id text NOT NULL,
    at timestamptz,
    completion_rate real NOT NULL,
    rating real,
    is_rewatch boolean NOT NULL,
    dismissed boolean NOT NULL,
    device text
) ON COMMIT DROP"""


def ingest_stage_events(connection: Connection[Any], /) -> None:
    """Where events land first: as the caller names things, until the transaction ends."""
    connection.execute(_INGEST_STAGE_EVENTS)


async def ingest_stage_events_async(connection: AsyncConnection[Any], /) -> None:
    """Where events land first: as the caller names things, until the transaction ends."""
    await connection.execute(_INGEST_STAGE_EVENTS)


# ---- ingest/staged_strangers 101fd393dbb771b5 d4ee6ff2a70399bf
_INGEST_STAGED_STRANGERS: Final = """SELECT DISTINCT s.content_id
FROM staged_events s
WHERE NOT EXISTS (SELECT FROM content c WHERE c.external_id = s.content_id)
ORDER BY s.content_id"""


def ingest_staged_strangers(connection: Connection[Any], /) -> list[str]:
    """The ids that staged events name and that no content has."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_STAGED_STRANGERS)
        rows: list[str] = cursor.fetchall()
    return rows


async def ingest_staged_strangers_async(connection: AsyncConnection[Any], /) -> list[str]:
    """The ids that staged events name and that no content has."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_STAGED_STRANGERS)
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- ingest/take_turns 23c036e85c4803e8 215a58e8f8b3cca7
_INGEST_TAKE_TURNS: Final = """SELECT pg_advisory_xact_lock(hashtextextended('mgw import', 0))"""


def ingest_take_turns(connection: Connection[Any], /) -> int:
    """Imports merge one after the other: at once they could wait for each other's rows in a circle."""
    return connection.execute(_INGEST_TAKE_TURNS).rowcount


async def ingest_take_turns_async(connection: AsyncConnection[Any], /) -> int:
    """Imports merge one after the other: at once they could wait for each other's rows in a circle."""
    return (await connection.execute(_INGEST_TAKE_TURNS)).rowcount


# ---- ingest/update_content a0d370278128d7a2 d88deda7164d6a4b
_INGEST_UPDATE_CONTENT: Final = """UPDATE content c
SET
    title = s.title,
    kind = coalesce(s.kind, c.kind),
    year = coalesce(s.year, c.year),
    runtime_minutes = coalesce(s.runtime_minutes, c.runtime_minutes),
    plot = coalesce(s.plot, c.plot)
FROM staged_content s
WHERE c.external_id = s.content_id
    AND (c.title, c.kind, c.year, c.runtime_minutes, c.plot) IS DISTINCT FROM (
        s.title,
        coalesce(s.kind, c.kind),
        coalesce(s.year, c.year),
        coalesce(s.runtime_minutes, c.runtime_minutes),
        coalesce(s.plot, c.plot)
    )
RETURNING c.id"""


def ingest_update_content(connection: Connection[Any], /) -> list[int]:
    """Titles of which the source says something else than the database."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_INGEST_UPDATE_CONTENT)
        rows: list[int] = cursor.fetchall()
    return rows


async def ingest_update_content_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Titles of which the source says something else than the database."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_INGEST_UPDATE_CONTENT)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- ingest/work_in_memory e98536a50f97697e 0905f4e40fca50dc
_INGEST_WORK_IN_MEMORY: Final = """SET LOCAL work_mem = '128MB'"""


def ingest_work_in_memory(connection: Connection[Any], /) -> None:
    """Sort a million events without temporary files; until the transaction ends."""
    connection.execute(_INGEST_WORK_IN_MEMORY)


async def ingest_work_in_memory_async(connection: AsyncConnection[Any], /) -> None:
    """Sort a million events without temporary files; until the transaction ends."""
    await connection.execute(_INGEST_WORK_IN_MEMORY)


# ---- migrations/applied 78a8cdd23cccd88e 796a4e7d444ddf17
_MIGRATIONS_APPLIED: Final = """SELECT number, name, checksum, applied_at FROM mgw_migrations ORDER BY number"""


class MigrationsAppliedRow(NamedTuple):
    """A row of `migrations/applied`."""

    number: int
    name: str
    checksum: str
    applied_at: dt.datetime


def migrations_applied(connection: Connection[Any], /) -> list[MigrationsAppliedRow]:
    """The migrations that ran, in order."""
    with connection.cursor(row_factory=_into(MigrationsAppliedRow._make)) as cursor:
        cursor.execute(_MIGRATIONS_APPLIED)
        rows: list[MigrationsAppliedRow] = cursor.fetchall()
    return rows


async def migrations_applied_async(connection: AsyncConnection[Any], /) -> list[MigrationsAppliedRow]:
    """The migrations that ran, in order."""
    async with connection.cursor(row_factory=_into(MigrationsAppliedRow._make)) as cursor:
        await cursor.execute(_MIGRATIONS_APPLIED)
        rows: list[MigrationsAppliedRow] = await cursor.fetchall()
    return rows


# ---- migrations/create_table 5bb7f648142b8559 5ecd71a425b9e4c6
_MIGRATIONS_CREATE_TABLE: Final = """CREATE TABLE mgw_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


def migrations_create_table(connection: Connection[Any], /) -> None:
    """The record of what ran, with the checksum of the file as it was."""
    connection.execute(_MIGRATIONS_CREATE_TABLE)


async def migrations_create_table_async(connection: AsyncConnection[Any], /) -> None:
    """The record of what ran, with the checksum of the file as it was."""
    await connection.execute(_MIGRATIONS_CREATE_TABLE)


# ---- migrations/lock b3fdc9ca0a0e1663 1b7273f89c31bc8d
_MIGRATIONS_LOCK: Final = """SELECT pg_advisory_xact_lock(2946827134)"""


def migrations_lock(connection: Connection[Any], /) -> int:
    """Two processes that migrate take turns, a migration each, until its transaction ends; the number is the CRC-32 of
    "mgw_migrations".
    """
    return connection.execute(_MIGRATIONS_LOCK).rowcount


async def migrations_lock_async(connection: AsyncConnection[Any], /) -> int:
    """Two processes that migrate take turns, a migration each, until its transaction ends; the number is the CRC-32 of
    "mgw_migrations".
    """
    return (await connection.execute(_MIGRATIONS_LOCK)).rowcount


# ---- migrations/record 3199b70b35116958 dd9138ff92c5c665
_MIGRATIONS_RECORD: Final = """INSERT INTO mgw_migrations (number, name, checksum) VALUES ((%(number)s::integer), (%(name)s::text), (%(checksum)s::text))"""


def migrations_record(
    connection: Connection[Any],
    /,
    *,
    number: int,
    name: str,
    checksum: str,
) -> int:
    """Record a migration in the transaction that applied it."""
    return connection.execute(_MIGRATIONS_RECORD, {"number": number, "name": name, "checksum": checksum}).rowcount


async def migrations_record_async(
    connection: AsyncConnection[Any],
    /,
    *,
    number: int,
    name: str,
    checksum: str,
) -> int:
    """Record a migration in the transaction that applied it."""
    return (await connection.execute(_MIGRATIONS_RECORD, {"number": number, "name": name, "checksum": checksum})).rowcount


# ---- migrations/table_exists 4f78c1c91079928b 129051403d03be6c
_MIGRATIONS_TABLE_EXISTS: Final = """SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'mgw_migrations' AND pg_table_is_visible(oid)) AS is_there"""


def migrations_table_exists(connection: Connection[Any], /) -> bool:
    """Whether any migration has ever run on this database. Not to_regclass(), which within a transaction may answer from
    before another process made the table.
    """
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_MIGRATIONS_TABLE_EXISTS)
        rows: list[bool] = cursor.fetchall()
    return _one("migrations/table_exists", rows)


async def migrations_table_exists_async(connection: AsyncConnection[Any], /) -> bool:
    """Whether any migration has ever run on this database. Not to_regclass(), which within a transaction may answer from
    before another process made the table.
    """
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_MIGRATIONS_TABLE_EXISTS)
        rows: list[bool] = await cursor.fetchall()
    return _one("migrations/table_exists", rows)


# ---- migrations/wait_briefly a095b941e6129359 58fea228d834b3b0
_MIGRATIONS_WAIT_BRIEFLY: Final = """SELECT set_config('lock_timeout', (%(timeout)s::text), true)"""


def migrations_wait_briefly(
    connection: Connection[Any],
    /,
    *,
    timeout: str,
) -> str:
    """For how long a statement of this transaction waits for a table that others use: whoever comes after it waits as well."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_MIGRATIONS_WAIT_BRIEFLY, {"timeout": timeout})
        rows: list[str] = cursor.fetchall()
    return _one("migrations/wait_briefly", rows)


async def migrations_wait_briefly_async(
    connection: AsyncConnection[Any],
    /,
    *,
    timeout: str,
) -> str:
    """For how long a statement of this transaction waits for a table that others use: whoever comes after it waits as well."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_MIGRATIONS_WAIT_BRIEFLY, {"timeout": timeout})
        rows: list[str] = await cursor.fetchall()
    return _one("migrations/wait_briefly", rows)


# ---- prepare/columns cb937604e5ca980e cf975be2cd6f71ea
_PREPARE_COLUMNS: Final = """SELECT
    c.oid::int8 AS relation,
    a.attnum::int4 AS number,
    c.oid::regclass::text AS relation_name,
    a.attname::text AS name,
    a.atttypid::int8 AS type
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.oid, a.attnum"""


class PrepareColumnsRow(NamedTuple):
    """A row of `prepare/columns`."""

    relation: int
    number: int
    relation_name: str
    name: str
    type: int


def prepare_columns(connection: Connection[Any], /) -> list[PrepareColumnsRow]:
    """The columns of every relation that is not the server's own, by the numbers that a description of a query has."""
    with connection.cursor(row_factory=_into(PrepareColumnsRow._make)) as cursor:
        cursor.execute(_PREPARE_COLUMNS)
        rows: list[PrepareColumnsRow] = cursor.fetchall()
    return rows


async def prepare_columns_async(connection: AsyncConnection[Any], /) -> list[PrepareColumnsRow]:
    """The columns of every relation that is not the server's own, by the numbers that a description of a query has."""
    async with connection.cursor(row_factory=_into(PrepareColumnsRow._make)) as cursor:
        await cursor.execute(_PREPARE_COLUMNS)
        rows: list[PrepareColumnsRow] = await cursor.fetchall()
    return rows


# ---- prepare/domain_facts 71ea83a80f874da3 4f91e8cc5f3a206d
_PREPARE_DOMAIN_FACTS: Final = """WITH RECURSIVE bases (domain, base, not_null) AS (
    SELECT oid, typbasetype, typnotnull FROM pg_type WHERE oid = ANY ((%(oids)s::bigint[])::int8[]::oid[]) AND typtype = 'd'
    UNION ALL
    SELECT b.domain, t.typbasetype, t.typnotnull FROM bases b JOIN pg_type t ON t.oid = b.base AND t.typtype = 'd'
)
SELECT domain::int8 AS oid, format_type(domain, NULL) AS name, bool_or(not_null) AS not_null
FROM bases
GROUP BY domain"""


class PrepareDomainFactsRow(NamedTuple):
    """A row of `prepare/domain_facts`."""

    oid: int
    name: str
    not_null: bool


def prepare_domain_facts(
    connection: Connection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareDomainFactsRow]:
    """Domains by number: whether they, or domains that they are made from, are NOT NULL."""
    with connection.cursor(row_factory=_into(PrepareDomainFactsRow._make)) as cursor:
        cursor.execute(_PREPARE_DOMAIN_FACTS, {"oids": oids})
        rows: list[PrepareDomainFactsRow] = cursor.fetchall()
    return rows


async def prepare_domain_facts_async(
    connection: AsyncConnection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareDomainFactsRow]:
    """Domains by number: whether they, or domains that they are made from, are NOT NULL."""
    async with connection.cursor(row_factory=_into(PrepareDomainFactsRow._make)) as cursor:
        await cursor.execute(_PREPARE_DOMAIN_FACTS, {"oids": oids})
        rows: list[PrepareDomainFactsRow] = await cursor.fetchall()
    return rows


# ---- prepare/function_facts 3ff0e14094153b75 e8f240ba38984e39
_PREPARE_FUNCTION_FACTS: Final = """SELECT
    p.oid::int8 AS oid,
    n.nspname::text AS schema,
    p.proname::text AS name,
    oidvectortypes(p.proargtypes) AS arguments,
    p.proisstrict AS strict,
    p.provolatile <> 'v' AS steady
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid = ANY ((%(oids)s::bigint[])::int8[]::oid[])"""


class PrepareFunctionFactsRow(NamedTuple):
    """A row of `prepare/function_facts`."""

    oid: int
    schema: str
    name: str
    arguments: str
    strict: bool
    steady: bool


def prepare_function_facts(
    connection: Connection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareFunctionFactsRow]:
    """Functions by number: their names, and how they treat NULL and repetition."""
    with connection.cursor(row_factory=_into(PrepareFunctionFactsRow._make)) as cursor:
        cursor.execute(_PREPARE_FUNCTION_FACTS, {"oids": oids})
        rows: list[PrepareFunctionFactsRow] = cursor.fetchall()
    return rows


async def prepare_function_facts_async(
    connection: AsyncConnection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareFunctionFactsRow]:
    """Functions by number: their names, and how they treat NULL and repetition."""
    async with connection.cursor(row_factory=_into(PrepareFunctionFactsRow._make)) as cursor:
        await cursor.execute(_PREPARE_FUNCTION_FACTS, {"oids": oids})
        rows: list[PrepareFunctionFactsRow] = await cursor.fetchall()
    return rows


# ---- prepare/leading_keys 2a0dc071ec090da9 4a6380ea8a71b884
_PREPARE_LEADING_KEYS: Final = """SELECT c.relname::text AS name, CASE WHEN m.amname IN ('btree', 'hash') THEN pg_get_indexdef(c.oid, 1, true) ELSE '' END AS key
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid >= 16384"""


class PrepareLeadingKeysRow(NamedTuple):
    """A row of `prepare/leading_keys`."""

    name: str
    key: str


def prepare_leading_keys(connection: Connection[Any], /) -> list[PrepareLeadingKeysRow]:
    """What each index is ordered by first, as text; empty for one that any of its keys serves."""
    with connection.cursor(row_factory=_into(PrepareLeadingKeysRow._make)) as cursor:
        cursor.execute(_PREPARE_LEADING_KEYS)
        rows: list[PrepareLeadingKeysRow] = cursor.fetchall()
    return rows


async def prepare_leading_keys_async(connection: AsyncConnection[Any], /) -> list[PrepareLeadingKeysRow]:
    """What each index is ordered by first, as text; empty for one that any of its keys serves."""
    async with connection.cursor(row_factory=_into(PrepareLeadingKeysRow._make)) as cursor:
        await cursor.execute(_PREPARE_LEADING_KEYS)
        rows: list[PrepareLeadingKeysRow] = await cursor.fetchall()
    return rows


# ---- prepare/plain_tables 6a6f512c385db73f 506544b4e859e5e3
_PREPARE_PLAIN_TABLES: Final = """SELECT c.oid::int8 AS relation
FROM pg_class c
WHERE c.oid >= 16384
    AND c.relkind = 'r'
    AND NOT c.relhasrules
    AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)"""


def prepare_plain_tables(connection: Connection[Any], /) -> list[int]:
    """Tables in which an INSERT of one row always gives one: no trigger, rule or partition that could swallow it."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_PREPARE_PLAIN_TABLES)
        rows: list[int] = cursor.fetchall()
    return rows


async def prepare_plain_tables_async(connection: AsyncConnection[Any], /) -> list[int]:
    """Tables in which an INSERT of one row always gives one: no trigger, rule or partition that could swallow it."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_PREPARE_PLAIN_TABLES)
        rows: list[int] = await cursor.fetchall()
    return rows


# ---- prepare/plan_settings c7ba5565d97203cc 85cff4507b2c15d8
_PREPARE_PLAN_SETTINGS: Final = """SELECT set_config(s.name, s.value, (%(local)s::boolean)) FROM unnest((%(names)s::text[])::text[], (%(values)s::text[])::text[]) AS s (name, value)"""


def prepare_plan_settings(
    connection: Connection[Any],
    /,
    *,
    local: bool,
    names: list[str],
    values: list[str],
) -> list[str | None]:
    """Settings of the planner, for this transaction or for the session."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_PREPARE_PLAN_SETTINGS, {"local": local, "names": names, "values": values})
        rows: list[str | None] = cursor.fetchall()
    return rows


async def prepare_plan_settings_async(
    connection: AsyncConnection[Any],
    /,
    *,
    local: bool,
    names: list[str],
    values: list[str],
) -> list[str | None]:
    """Settings of the planner, for this transaction or for the session."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_PREPARE_PLAN_SETTINGS, {"local": local, "names": names, "values": values})
        rows: list[str | None] = await cursor.fetchall()
    return rows


# ---- prepare/probe_tree 976470466b1c89ec 661d7536e51f7d1f
_PREPARE_PROBE_TREE: Final = """WITH RECURSIVE probe AS (
    SELECT oid, prosqlbody FROM pg_proc WHERE proname = (%(name)s::name) AND pronamespace = pg_my_temp_schema()
), needed (class, object, part) AS (
    SELECT d.refclassid, d.refobjid, d.refobjsubid
    FROM probe p
    JOIN pg_depend d ON d.objid = p.oid
    WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'n'
    UNION
    SELECT d.refclassid, d.refobjid, d.refobjsubid
    FROM needed n
    JOIN pg_rewrite r ON r.ev_class = n.object AND r.ev_type = '1'
    JOIN pg_depend d ON d.objid = r.oid
    WHERE n.class = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass AND d.deptype = 'n'
), relations AS (
    SELECT c.oid, s.nspname, c.relname, n.part
    FROM needed n
    JOIN pg_class c ON c.oid = n.object
    JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE n.class = 'pg_class'::regclass
), called AS (
    SELECT object AS oid FROM needed WHERE class = 'pg_proc'::regclass
    UNION
    SELECT o.oprcode FROM needed n JOIN pg_operator o ON o.oid = n.object WHERE n.class = 'pg_operator'::regclass
)
SELECT
    (SELECT prosqlbody::text FROM probe) AS tree,
    (SELECT jsonb_agg(DISTINCT jsonb_build_array(nspname, relname)) FROM relations) AS relations,
    (
        SELECT jsonb_agg(DISTINCT jsonb_build_array(r.nspname, r.relname, a.attname))
        FROM relations r
        JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = r.part
        WHERE r.part <> 0
    ) AS columns,
    (
        SELECT jsonb_agg(DISTINCT s.nspname || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')')
        FROM called k
        JOIN pg_proc p ON p.oid = k.oid
        JOIN pg_namespace s ON s.oid = p.pronamespace
        WHERE s.nspname <> 'pg_catalog'
    ) AS functions,
    (
        SELECT jsonb_agg(DISTINCT s.nspname || '.' || t.typname)
        FROM needed n
        JOIN pg_type t ON t.oid = n.object
        JOIN pg_namespace s ON s.oid = t.typnamespace
        WHERE n.class = 'pg_type'::regclass
    ) AS types"""


class PrepareProbeTreeRow(NamedTuple):
    """A row of `prepare/probe_tree`."""

    tree: str | None
    relations: Any
    columns: Any
    functions: Any
    types: Any


def prepare_probe_tree(
    connection: Connection[Any],
    /,
    *,
    name: str,
) -> PrepareProbeTreeRow:
    """The analysed query in the body of a temporary function, and what it depends on, itself and through views: relations,
    columns, functions (those behind operators as well) and types, each a list in JSON.
    """
    with connection.cursor(row_factory=_into(PrepareProbeTreeRow._make)) as cursor:
        cursor.execute(_PREPARE_PROBE_TREE, {"name": name})
        rows: list[PrepareProbeTreeRow] = cursor.fetchall()
    return _one("prepare/probe_tree", rows)


async def prepare_probe_tree_async(
    connection: AsyncConnection[Any],
    /,
    *,
    name: str,
) -> PrepareProbeTreeRow:
    """The analysed query in the body of a temporary function, and what it depends on, itself and through views: relations,
    columns, functions (those behind operators as well) and types, each a list in JSON.
    """
    async with connection.cursor(row_factory=_into(PrepareProbeTreeRow._make)) as cursor:
        await cursor.execute(_PREPARE_PROBE_TREE, {"name": name})
        rows: list[PrepareProbeTreeRow] = await cursor.fetchall()
    return _one("prepare/probe_tree", rows)


# ---- prepare/relation_facts b877c893631bc664 441a916d84a10b2b
_PREPARE_RELATION_FACTS: Final = """WITH RECURSIVE family (root, member) AS (
    SELECT oid, oid FROM pg_class WHERE oid = ANY ((%(oids)s::bigint[])::int8[]::oid[])
    UNION
    SELECT f.root, i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.member
)
SELECT
    f.root::int8 AS root,
    n.nspname::text AS schema,
    c.relname::text AS name,
    c.relkind::text AS kind,
    c.relhasrules AND c.relkind <> 'v' AS rewritten,
    EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype::int & 3 = 3) AS triggered,
    coalesce(a.columns, '[]') AS columns,
    coalesce(k.checks, '[]') AS checks
FROM family f
JOIN pg_class c ON c.oid = f.member
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(
        a.attnum,
        a.attname,
        a.attnotnull AND NOT EXISTS (
            SELECT FROM pg_constraint v
            WHERE v.conrelid = c.oid AND v.contype = 'n' AND v.conkey = ARRAY[a.attnum] AND NOT v.convalidated
        ),
        a.attgenerated <> ''
    ) ORDER BY a.attnum) AS columns
    FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
) a
CROSS JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_array(k.conname, k.conbin::text) ORDER BY k.conname) AS checks
    FROM pg_constraint k
    WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
        AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
) k
ORDER BY f.root, f.member <> f.root, f.member"""


class PrepareRelationFactsRow(NamedTuple):
    """A row of `prepare/relation_facts`."""

    root: int
    schema: str
    name: str
    kind: str
    rewritten: bool
    triggered: bool
    columns: Any
    checks: Any


def prepare_relation_facts(
    connection: Connection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareRelationFactsRow]:
    """Tables, views and what else can stand in FROM, each followed by all that inherits from it: what keeps NULL out of
    their columns, and what may change or redirect a row on its way in. A NOT NULL that was never checked does not count
    (version 18 has such); nor does a CHECK that was not, or that is not enforced.
    """
    with connection.cursor(row_factory=_into(PrepareRelationFactsRow._make)) as cursor:
        cursor.execute(_PREPARE_RELATION_FACTS, {"oids": oids})
        rows: list[PrepareRelationFactsRow] = cursor.fetchall()
    return rows


async def prepare_relation_facts_async(
    connection: AsyncConnection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareRelationFactsRow]:
    """Tables, views and what else can stand in FROM, each followed by all that inherits from it: what keeps NULL out of
    their columns, and what may change or redirect a row on its way in. A NOT NULL that was never checked does not count
    (version 18 has such); nor does a CHECK that was not, or that is not enforced.
    """
    async with connection.cursor(row_factory=_into(PrepareRelationFactsRow._make)) as cursor:
        await cursor.execute(_PREPARE_RELATION_FACTS, {"oids": oids})
        rows: list[PrepareRelationFactsRow] = await cursor.fetchall()
    return rows


# ---- prepare/shadows f0f4235ef7529b62 d55123156d5b0050
_PREPARE_SHADOWS: Final = """SELECT datname::text AS name FROM pg_database WHERE datname ~ (%(pattern)s::text)"""


def prepare_shadows(
    connection: Connection[Any],
    /,
    *,
    pattern: str,
) -> list[str]:
    """The databases that were made to describe queries on, to find those that a killed process left."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_PREPARE_SHADOWS, {"pattern": pattern})
        rows: list[str] = cursor.fetchall()
    return rows


async def prepare_shadows_async(
    connection: AsyncConnection[Any],
    /,
    *,
    pattern: str,
) -> list[str]:
    """The databases that were made to describe queries on, to find those that a killed process left."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_PREPARE_SHADOWS, {"pattern": pattern})
        rows: list[str] = await cursor.fetchall()
    return rows


# ---- prepare/type_by_name 78d8cf9ebb7c2345 14e6feeedca6449b
_PREPARE_TYPE_BY_NAME: Final = """SELECT to_regtype((%(name)s::text))::oid::int8 AS oid, format_type(to_regtype((%(name)s::text))::oid, NULL) AS name"""


class PrepareTypeByNameRow(NamedTuple):
    """A row of `prepare/type_by_name`."""

    oid: int | None
    name: str | None


def prepare_type_by_name(
    connection: Connection[Any],
    /,
    *,
    name: str,
) -> PrepareTypeByNameRow:
    """A type that is named in words, as PostgreSQL writes it; null where there is none."""
    with connection.cursor(row_factory=_into(PrepareTypeByNameRow._make)) as cursor:
        cursor.execute(_PREPARE_TYPE_BY_NAME, {"name": name})
        rows: list[PrepareTypeByNameRow] = cursor.fetchall()
    return _one("prepare/type_by_name", rows)


async def prepare_type_by_name_async(
    connection: AsyncConnection[Any],
    /,
    *,
    name: str,
) -> PrepareTypeByNameRow:
    """A type that is named in words, as PostgreSQL writes it; null where there is none."""
    async with connection.cursor(row_factory=_into(PrepareTypeByNameRow._make)) as cursor:
        await cursor.execute(_PREPARE_TYPE_BY_NAME, {"name": name})
        rows: list[PrepareTypeByNameRow] = await cursor.fetchall()
    return _one("prepare/type_by_name", rows)


# ---- prepare/type_by_oid fdd78628d4b22d3a 59ec5a0a0c80addb
_PREPARE_TYPE_BY_OID: Final = """SELECT oid::int8 AS oid, format_type(oid, NULL) AS name FROM pg_type WHERE oid = (%(oid)s::bigint)::int8::oid"""


class PrepareTypeByOidRow(NamedTuple):
    """A row of `prepare/type_by_oid`."""

    oid: int
    name: str | None


def prepare_type_by_oid(
    connection: Connection[Any],
    /,
    *,
    oid: int,
) -> PrepareTypeByOidRow | None:
    """A type by its number, as PostgreSQL writes it."""
    with connection.cursor(row_factory=_into(PrepareTypeByOidRow._make)) as cursor:
        cursor.execute(_PREPARE_TYPE_BY_OID, {"oid": oid})
        rows: list[PrepareTypeByOidRow] = cursor.fetchall()
    return _at_most_one("prepare/type_by_oid", rows)


async def prepare_type_by_oid_async(
    connection: AsyncConnection[Any],
    /,
    *,
    oid: int,
) -> PrepareTypeByOidRow | None:
    """A type by its number, as PostgreSQL writes it."""
    async with connection.cursor(row_factory=_into(PrepareTypeByOidRow._make)) as cursor:
        await cursor.execute(_PREPARE_TYPE_BY_OID, {"oid": oid})
        rows: list[PrepareTypeByOidRow] = await cursor.fetchall()
    return _at_most_one("prepare/type_by_oid", rows)


# ---- prepare/type_of_name f0bb0c15ba322fc4 8ea1d34ff6f4ce36
_PREPARE_TYPE_OF_NAME: Final = """SELECT to_regtype((%(name)s::text))::oid::int8 AS oid"""


def prepare_type_of_name(
    connection: Connection[Any],
    /,
    *,
    name: str,
) -> int | None:
    """The type that a name in a header means; null where there is none."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_PREPARE_TYPE_OF_NAME, {"name": name})
        rows: list[int | None] = cursor.fetchall()
    return _one("prepare/type_of_name", rows)


async def prepare_type_of_name_async(
    connection: AsyncConnection[Any],
    /,
    *,
    name: str,
) -> int | None:
    """The type that a name in a header means; null where there is none."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_PREPARE_TYPE_OF_NAME, {"name": name})
        rows: list[int | None] = await cursor.fetchall()
    return _one("prepare/type_of_name", rows)


# ---- prepare/types 822ce6fc8feb1cb3 4292b76c8f1f1827
_PREPARE_TYPES: Final = """SELECT
    t.oid::int8 AS oid,
    format_type(t.oid, NULL) AS name,
    CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN 'A' ELSE t.typtype::text END AS kind,
    CASE
        WHEN t.typtype = 'd' THEN t.typbasetype::int8
        WHEN t.typtype = 'r' THEN r.rngsubtype::int8
        WHEN t.typtype = 'm' THEN m.rngsubtype::int8
        ELSE t.typelem::int8
    END AS of_type,
    (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
    t.typrelid::int8 AS relation
FROM pg_type t
LEFT JOIN pg_range r ON r.rngtypid = t.oid
LEFT JOIN pg_range m ON m.rngmultitypid = t.oid"""


class PrepareTypesRow(NamedTuple):
    """A row of `prepare/types`."""

    oid: int
    name: str
    kind: str
    of_type: int | None
    labels: list[str]
    relation: int


def prepare_types(connection: Connection[Any], /) -> list[PrepareTypesRow]:
    """Every type that a value can have: what it is called, what kind it is, and what it is made of. Arrays have an element,
    domains a base, ranges a subtype, enums labels, and composite types attributes.
    """
    with connection.cursor(row_factory=_into(PrepareTypesRow._make)) as cursor:
        cursor.execute(_PREPARE_TYPES)
        rows: list[PrepareTypesRow] = cursor.fetchall()
    return rows


async def prepare_types_async(connection: AsyncConnection[Any], /) -> list[PrepareTypesRow]:
    """Every type that a value can have: what it is called, what kind it is, and what it is made of. Arrays have an element,
    domains a base, ranges a subtype, enums labels, and composite types attributes.
    """
    async with connection.cursor(row_factory=_into(PrepareTypesRow._make)) as cursor:
        await cursor.execute(_PREPARE_TYPES)
        rows: list[PrepareTypesRow] = await cursor.fetchall()
    return rows


# ---- prepare/unique_keys 3ef6b8eb2d5a763b 4c2150de1a99fa3f
_PREPARE_UNIQUE_KEYS: Final = """SELECT
    i.indrelid::int8 AS relation,
    i.indexrelid::int8 AS index,
    k.number::int4 AS column,
    (
        SELECT array_agg(o.amopopr::int8 ORDER BY o.amopopr)
        FROM pg_amop o
        WHERE o.amopfamily = c.opcfamily AND o.amopstrategy = 3
    ) AS equalities
FROM pg_index i
JOIN pg_class r ON r.oid = i.indrelid
CROSS JOIN LATERAL unnest(i.indkey, i.indclass, i.indcollation) WITH ORDINALITY AS k (number, class, coll, at)
JOIN pg_opclass c ON c.oid = k.class
JOIN pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree'
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
WHERE i.indrelid >= 16384
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
    AND k.at <= i.indnkeyatts
    AND k.coll = a.attcollation
    AND (
        r.relkind = 'p'
        OR NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = r.oid)
    )
    AND NOT EXISTS (
        SELECT FROM unnest(i.indkey, i.indcollation) WITH ORDINALITY AS o (number, coll, at)
        LEFT JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = o.number AND o.number > 0
        WHERE o.at <= i.indnkeyatts AND o.coll IS DISTINCT FROM b.attcollation
    )
ORDER BY relation, index, k.at"""


class PrepareUniqueKeysRow(NamedTuple):
    """A row of `prepare/unique_keys`."""

    relation: int
    index_: int
    column: int
    equalities: list[int]


def prepare_unique_keys(connection: Connection[Any], /) -> list[PrepareUniqueKeysRow]:
    """The unique keys of tables: valid ones without a condition, over plain columns under the columns' own collations, and
    held in the whole table: not where others inherit from it. With the operators that are equality for each column.
    """
    with connection.cursor(row_factory=_into(PrepareUniqueKeysRow._make)) as cursor:
        cursor.execute(_PREPARE_UNIQUE_KEYS)
        rows: list[PrepareUniqueKeysRow] = cursor.fetchall()
    return rows


async def prepare_unique_keys_async(connection: AsyncConnection[Any], /) -> list[PrepareUniqueKeysRow]:
    """The unique keys of tables: valid ones without a condition, over plain columns under the columns' own collations, and
    held in the whole table: not where others inherit from it. With the operators that are equality for each column.
    """
    async with connection.cursor(row_factory=_into(PrepareUniqueKeysRow._make)) as cursor:
        await cursor.execute(_PREPARE_UNIQUE_KEYS)
        rows: list[PrepareUniqueKeysRow] = await cursor.fetchall()
    return rows


# ---- prepare/view_rules 0d1a43527f9eb39c f6f0a2b9c95be5d6
_PREPARE_VIEW_RULES: Final = """SELECT ev_class::int8 AS oid, ev_action::text AS action
FROM pg_rewrite
WHERE ev_class = ANY ((%(oids)s::bigint[])::int8[]::oid[]) AND ev_type = '1'"""


class PrepareViewRulesRow(NamedTuple):
    """A row of `prepare/view_rules`."""

    oid: int
    action: str


def prepare_view_rules(
    connection: Connection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareViewRulesRow]:
    """The analysed queries of views."""
    with connection.cursor(row_factory=_into(PrepareViewRulesRow._make)) as cursor:
        cursor.execute(_PREPARE_VIEW_RULES, {"oids": oids})
        rows: list[PrepareViewRulesRow] = cursor.fetchall()
    return rows


async def prepare_view_rules_async(
    connection: AsyncConnection[Any],
    /,
    *,
    oids: list[int],
) -> list[PrepareViewRulesRow]:
    """The analysed queries of views."""
    async with connection.cursor(row_factory=_into(PrepareViewRulesRow._make)) as cursor:
        await cursor.execute(_PREPARE_VIEW_RULES, {"oids": oids})
        rows: list[PrepareViewRulesRow] = await cursor.fetchall()
    return rows


# ---- profile/add_events cae7826ff7a45dd2 4ccfd3362b8936d5
_PROFILE_ADD_EVENTS: Final = """WITH added AS (
    INSERT INTO viewing_events (user_id, content_id, at, completion_rate, rating, is_rewatch, dismissed, device)
    SELECT
        (%(user_id)s::bigint), c.id, e.at, e.completion_rate, nullif(e.rating, 0), e.is_rewatch, e.dismissed, nullif(e.device, '')
    FROM unnest(
        (%(content_ids)s::text[])::text[],
        (%(at)s::timestamp with time zone[])::timestamptz[],
        (%(completion_rates)s::real[])::real[],
        (%(ratings)s::real[])::real[],
        (%(are_rewatched)s::boolean[])::boolean[],
        (%(are_dismissed)s::boolean[])::boolean[],
        (%(devices)s::text[])::text[]
    ) AS e (content_id, at, completion_rate, rating, is_rewatch, dismissed, device)
    JOIN content c ON c.external_id = e.content_id
    ON CONFLICT (user_id, content_id, at) DO NOTHING
    RETURNING content_id, at, completion_rate, rating, is_rewatch, dismissed
)
SELECT
    c.external_id,
    extract(epoch FROM a.at)::double precision AS at,
    a.completion_rate,
    a.rating,
    a.is_rewatch,
    a.dismissed
FROM added a
JOIN content c ON c.id = a.content_id
ORDER BY a.at NULLS FIRST, c.external_id"""


class ProfileAddEventsRow(NamedTuple):
    """A row of `profile/add_events`."""

    external_id: str
    at: float | None
    completion_rate: float
    rating: float | None
    is_rewatch: bool
    dismissed: bool


def profile_add_events(
    connection: Connection[Any],
    /,
    *,
    user_id: int,
    content_ids: list[str],
    at: list[dt.datetime],
    completion_rates: list[float],
    ratings: list[float],
    are_rewatched: list[bool],
    are_dismissed: list[bool],
    devices: list[str],
) -> list[ProfileAddEventsRow]:
    """Add events of one user on titles that there are, and return those that were not there yet. No rating is 0, no device is
    empty.
    """
    with connection.cursor(row_factory=_into(ProfileAddEventsRow._make)) as cursor:
        cursor.execute(_PROFILE_ADD_EVENTS, {"user_id": user_id, "content_ids": content_ids, "at": at, "completion_rates": completion_rates, "ratings": ratings, "are_rewatched": are_rewatched, "are_dismissed": are_dismissed, "devices": devices})
        rows: list[ProfileAddEventsRow] = cursor.fetchall()
    return rows


async def profile_add_events_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: int,
    content_ids: list[str],
    at: list[dt.datetime],
    completion_rates: list[float],
    ratings: list[float],
    are_rewatched: list[bool],
    are_dismissed: list[bool],
    devices: list[str],
) -> list[ProfileAddEventsRow]:
    """Add events of one user on titles that there are, and return those that were not there yet. No rating is 0, no device is
    empty.
    """
    async with connection.cursor(row_factory=_into(ProfileAddEventsRow._make)) as cursor:
        await cursor.execute(_PROFILE_ADD_EVENTS, {"user_id": user_id, "content_ids": content_ids, "at": at, "completion_rates": completion_rates, "ratings": ratings, "are_rewatched": are_rewatched, "are_dismissed": are_dismissed, "devices": devices})
        rows: list[ProfileAddEventsRow] = await cursor.fetchall()
    return rows


# ---- profile/add_user 96c549b1bf6d87c1 4ca9d20e7f4bb6b2
_PROFILE_ADD_USER: Final = """INSERT INTO users (external_id) VALUES ((%(user_id)s::text)) ON CONFLICT (external_id) DO NOTHING"""


def profile_add_user(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> int:
    """Make sure that there is a user."""
    return connection.execute(_PROFILE_ADD_USER, {"user_id": user_id}).rowcount


async def profile_add_user_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
) -> int:
    """Make sure that there is a user."""
    return (await connection.execute(_PROFILE_ADD_USER, {"user_id": user_id})).rowcount


# ---- profile/hold_user 85d9449f9548247a c10a2870e50cfa1a
_PROFILE_HOLD_USER: Final = """SELECT id FROM users WHERE external_id = (%(user_id)s::text) FOR UPDATE"""


def profile_hold_user(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
) -> int:
    """Hold a user until the transaction ends, so that two who add events for the same user take turns."""
    with connection.cursor(row_factory=_value) as cursor:
        cursor.execute(_PROFILE_HOLD_USER, {"user_id": user_id})
        rows: list[int] = cursor.fetchall()
    return _one("profile/hold_user", rows)


async def profile_hold_user_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
) -> int:
    """Hold a user until the transaction ends, so that two who add events for the same user take turns."""
    async with connection.cursor(row_factory=_value) as cursor:
        await cursor.execute(_PROFILE_HOLD_USER, {"user_id": user_id})
        rows: list[int] = await cursor.fetchall()
    return _one("profile/hold_user", rows)


# ---- profile/load_sums 2089a3173edb20d8 3457cf15d08204b9
_PROFILE_LOAD_SUMS: Final = """SELECT
    extract(epoch FROM p.as_of)::double precision AS as_of,
    p.preference,
    p.preference_length,
    p.genre_sums,
    p.liked_sum,
    p.hours,
    p.weekdays,
    p.events_seen
FROM user_profiles p
JOIN users u ON u.id = p.user_id
WHERE u.external_id = (%(user_id)s::text)
    AND p.snapshot = (%(snapshot)s::text)
    AND p.basis = (%(basis)s::text)
    AND p.as_of IS NOT NULL
    AND p.events_stored = (SELECT count(*) FROM viewing_events e WHERE e.user_id = p.user_id)"""


class ProfileLoadSumsRow(NamedTuple):
    """A row of `profile/load_sums`."""

    as_of: float
    preference: list[float]
    preference_length: float
    genre_sums: list[float]
    liked_sum: float
    hours: list[float]
    weekdays: list[float]
    events_seen: int


def profile_load_sums(
    connection: Connection[Any],
    /,
    *,
    user_id: str,
    snapshot: str,
    basis: str,
) -> ProfileLoadSumsRow | None:
    """What the profile of a user was made from, if nothing but what is added now has changed since: neither the snapshot, nor
    the settings that weigh events, nor how many events there are.
    """
    with connection.cursor(row_factory=_into(ProfileLoadSumsRow._make)) as cursor:
        cursor.execute(_PROFILE_LOAD_SUMS, {"user_id": user_id, "snapshot": snapshot, "basis": basis})
        rows: list[ProfileLoadSumsRow] = cursor.fetchall()
    return _at_most_one("profile/load_sums", rows)


async def profile_load_sums_async(
    connection: AsyncConnection[Any],
    /,
    *,
    user_id: str,
    snapshot: str,
    basis: str,
) -> ProfileLoadSumsRow | None:
    """What the profile of a user was made from, if nothing but what is added now has changed since: neither the snapshot, nor
    the settings that weigh events, nor how many events there are.
    """
    async with connection.cursor(row_factory=_into(ProfileLoadSumsRow._make)) as cursor:
        await cursor.execute(_PROFILE_LOAD_SUMS, {"user_id": user_id, "snapshot": snapshot, "basis": basis})
        rows: list[ProfileLoadSumsRow] = await cursor.fetchall()
    return _at_most_one("profile/load_sums", rows)


# ---- profile/save 71ff60fc10c2fdca 2349a7364338c539
_PROFILE_SAVE: Final = """INSERT INTO user_profiles (
    user_id, snapshot, preference, genre_affinities, hours, weekdays, events_seen,
    as_of, preference_length, genre_sums, liked_sum, basis, events_stored
)
SELECT
    u.id, (%(snapshot)s::text), (%(preference)s::real[]), (%(genre_affinities)s::jsonb), (%(hours)s::real[]), (%(weekdays)s::real[]), (%(events_seen)s::integer),
    to_timestamp(nullif((%(as_of)s::double precision)::double precision, 'NaN')), (%(preference_length)s::double precision), (%(genre_sums)s::double precision[]), (%(liked_sum)s::double precision), (%(basis)s::text),
    (SELECT count(*) FROM viewing_events e WHERE e.user_id = u.id)
FROM users u
WHERE u.external_id = (%(user_id)s::text)
ON CONFLICT (user_id) DO UPDATE SET
    snapshot = excluded.snapshot,
    preference = excluded.preference,
    genre_affinities = excluded.genre_affinities,
    hours = excluded.hours,
    weekdays = excluded.weekdays,
    events_seen = excluded.events_seen,
    as_of = excluded.as_of,
    preference_length = excluded.preference_length,
    genre_sums = excluded.genre_sums,
    liked_sum = excluded.liked_sum,
    basis = excluded.basis,
    events_stored = excluded.events_stored,
    updated_at = now()"""


def profile_save(
    connection: Connection[Any],
    /,
    *,
    snapshot: str,
    preference: list[float],
    genre_affinities: Json | Jsonb,
    hours: list[float],
    weekdays: list[float],
    events_seen: int,
    as_of: float,
    preference_length: float,
    genre_sums: list[float],
    liked_sum: float,
    basis: str,
    user_id: str,
) -> int:
    """Keep a user's profile and what it was made from, in place of the one before. No as_of is NaN."""
    return connection.execute(_PROFILE_SAVE, {"snapshot": snapshot, "preference": preference, "genre_affinities": genre_affinities, "hours": hours, "weekdays": weekdays, "events_seen": events_seen, "as_of": as_of, "preference_length": preference_length, "genre_sums": genre_sums, "liked_sum": liked_sum, "basis": basis, "user_id": user_id}).rowcount


async def profile_save_async(
    connection: AsyncConnection[Any],
    /,
    *,
    snapshot: str,
    preference: list[float],
    genre_affinities: Json | Jsonb,
    hours: list[float],
    weekdays: list[float],
    events_seen: int,
    as_of: float,
    preference_length: float,
    genre_sums: list[float],
    liked_sum: float,
    basis: str,
    user_id: str,
) -> int:
    """Keep a user's profile and what it was made from, in place of the one before. No as_of is NaN."""
    return (await connection.execute(_PROFILE_SAVE, {"snapshot": snapshot, "preference": preference, "genre_affinities": genre_affinities, "hours": hours, "weekdays": weekdays, "events_seen": events_seen, "as_of": as_of, "preference_length": preference_length, "genre_sums": genre_sums, "liked_sum": liked_sum, "basis": basis, "user_id": user_id})).rowcount


# ---- training/content 6f93a4da4a63e9a7 7155e375802e040a
_TRAINING_CONTENT: Final = """SELECT id, external_id FROM content ORDER BY id"""


class TrainingContentRow(NamedTuple):
    """A row of `training/content`."""

    id: int
    external_id: str


def training_content(connection: Connection[Any], /) -> list[TrainingContentRow]:
    """All content: the columns of the training matrix."""
    with connection.cursor(row_factory=_into(TrainingContentRow._make)) as cursor:
        cursor.execute(_TRAINING_CONTENT)
        rows: list[TrainingContentRow] = cursor.fetchall()
    return rows


async def training_content_async(connection: AsyncConnection[Any], /) -> list[TrainingContentRow]:
    """All content: the columns of the training matrix."""
    async with connection.cursor(row_factory=_into(TrainingContentRow._make)) as cursor:
        await cursor.execute(_TRAINING_CONTENT)
        rows: list[TrainingContentRow] = await cursor.fetchall()
    return rows


# ---- training/devices 06a8fdf35187d0d4 3420b4ba7e03ce1f
_TRAINING_DEVICES: Final = """SELECT
    e.device,
    CASE WHEN c.runtime_minutes < (%(short_minutes)s::smallint) THEN 0 WHEN c.runtime_minutes <= (%(long_minutes)s::smallint) THEN 1 ELSE 2 END AS length,
    count(*) AS views
FROM viewing_events e
JOIN content c ON c.id = e.content_id
WHERE e.device IS NOT NULL
    AND c.runtime_minutes IS NOT NULL
    AND e.completion_rate >= (%(minimum_completion)s::real)::real
    AND NOT e.dismissed
GROUP BY e.device, length
ORDER BY e.device, length"""


class TrainingDevicesRow(NamedTuple):
    """A row of `training/devices`."""

    device: str
    length: int
    views: int


def training_devices(
    connection: Connection[Any],
    /,
    *,
    short_minutes: int,
    long_minutes: int,
    minimum_completion: float,
) -> list[TrainingDevicesRow]:
    """How often titles of each length were watched on each device: short, medium and long ones are 0, 1 and 2."""
    with connection.cursor(row_factory=_into(TrainingDevicesRow._make)) as cursor:
        cursor.execute(_TRAINING_DEVICES, {"short_minutes": short_minutes, "long_minutes": long_minutes, "minimum_completion": minimum_completion})
        rows: list[TrainingDevicesRow] = cursor.fetchall()
    return rows


async def training_devices_async(
    connection: AsyncConnection[Any],
    /,
    *,
    short_minutes: int,
    long_minutes: int,
    minimum_completion: float,
) -> list[TrainingDevicesRow]:
    """How often titles of each length were watched on each device: short, medium and long ones are 0, 1 and 2."""
    async with connection.cursor(row_factory=_into(TrainingDevicesRow._make)) as cursor:
        await cursor.execute(_TRAINING_DEVICES, {"short_minutes": short_minutes, "long_minutes": long_minutes, "minimum_completion": minimum_completion})
        rows: list[TrainingDevicesRow] = await cursor.fetchall()
    return rows


# ---- training/events ff577160fd2e79af c6abc159a641df1c
_TRAINING_EVENTS: Final = """COPY (
SELECT
    string_agg(
        int8send(user_id)
        || int8send(content_id)
        || float8send(coalesce(extract(epoch FROM at)::float8, 'NaN'))
        || float4send(completion_rate)
        || float4send(coalesce(rating, 'NaN'))
        || boolsend(is_rewatch)
        || boolsend(dismissed),
        ''
    ) AS events
FROM viewing_events
GROUP BY user_id
) TO STDOUT (FORMAT binary)"""


def training_events(connection: Connection[Any], /) -> Iterator[memoryview]:
    """Every viewing event as PostgreSQL's binary form of its values, one behind the other, a row for each user.

    All values are of fixed width, so a row is an array as it stands (see mgw.recommend.source), and a million events
    come in as many rows as there are users.
    """
    with connection.cursor() as cursor, cursor.copy(_TRAINING_EVENTS) as copy:
        for block in copy:
            yield memoryview(block)


async def training_events_async(connection: AsyncConnection[Any], /) -> AsyncIterator[memoryview]:
    """Every viewing event as PostgreSQL's binary form of its values, one behind the other, a row for each user.

    All values are of fixed width, so a row is an array as it stands (see mgw.recommend.source), and a million events
    come in as many rows as there are users.
    """
    async with connection.cursor() as cursor, cursor.copy(_TRAINING_EVENTS) as copy:
        async for block in copy:
            yield memoryview(block)


# ---- training/features c0f1949ac7eeb9a4 0c93d995143b793a
_TRAINING_FEATURES: Final = """SELECT c.id, array_agg(f.feature ORDER BY f.feature) AS features
FROM content c
CROSS JOIN LATERAL (
    SELECT 'kind ' || c.kind AS feature
    UNION ALL
    SELECT 'year ' || c.year WHERE c.year IS NOT NULL
    UNION ALL
    SELECT 'decade ' || c.year / 10 WHERE c.year IS NOT NULL
    UNION ALL
    SELECT 'genre ' || g.genre FROM content_genres g WHERE g.content_id = c.id
    UNION ALL
    SELECT 'theme ' || t.theme FROM content_themes t WHERE t.content_id = c.id
    UNION ALL
    SELECT p.role || ' ' || p.person FROM credits p WHERE p.content_id = c.id
) AS f
GROUP BY c.id
ORDER BY c.id"""


class TrainingFeaturesRow(NamedTuple):
    """A row of `training/features`."""

    id: int
    features: list[str]


def training_features(connection: Connection[Any], /) -> list[TrainingFeaturesRow]:
    """What the catalogue says of each title, as words: what titles with the same word have in common."""
    with connection.cursor(row_factory=_into(TrainingFeaturesRow._make)) as cursor:
        cursor.execute(_TRAINING_FEATURES)
        rows: list[TrainingFeaturesRow] = cursor.fetchall()
    return rows


async def training_features_async(connection: AsyncConnection[Any], /) -> list[TrainingFeaturesRow]:
    """What the catalogue says of each title, as words: what titles with the same word have in common."""
    async with connection.cursor(row_factory=_into(TrainingFeaturesRow._make)) as cursor:
        await cursor.execute(_TRAINING_FEATURES)
        rows: list[TrainingFeaturesRow] = await cursor.fetchall()
    return rows


# ---- training/titles aa2ba701bc003392 0dd8354cc7645af6
_TRAINING_TITLES: Final = """SELECT id, title, plot, runtime_minutes FROM content ORDER BY id"""


class TrainingTitlesRow(NamedTuple):
    """A row of `training/titles`."""

    id: int
    title: str
    plot: str | None
    runtime_minutes: int | None


def training_titles(connection: Connection[Any], /) -> list[TrainingTitlesRow]:
    """What embeddings and explanations are made from, besides `training/features`."""
    with connection.cursor(row_factory=_into(TrainingTitlesRow._make)) as cursor:
        cursor.execute(_TRAINING_TITLES)
        rows: list[TrainingTitlesRow] = cursor.fetchall()
    return rows


async def training_titles_async(connection: AsyncConnection[Any], /) -> list[TrainingTitlesRow]:
    """What embeddings and explanations are made from, besides `training/features`."""
    async with connection.cursor(row_factory=_into(TrainingTitlesRow._make)) as cursor:
        await cursor.execute(_TRAINING_TITLES)
        rows: list[TrainingTitlesRow] = await cursor.fetchall()
    return rows


# ---- training/users a01197f30183a3e1 7174baf52e7d139b
_TRAINING_USERS: Final = """SELECT u.id, u.external_id
FROM users u
WHERE EXISTS (SELECT FROM viewing_events e WHERE e.user_id = u.id)
ORDER BY u.id"""


class TrainingUsersRow(NamedTuple):
    """A row of `training/users`."""

    id: int
    external_id: str


def training_users(connection: Connection[Any], /) -> list[TrainingUsersRow]:
    """The users with viewing events: the rows of the training matrix."""
    with connection.cursor(row_factory=_into(TrainingUsersRow._make)) as cursor:
        cursor.execute(_TRAINING_USERS)
        rows: list[TrainingUsersRow] = cursor.fetchall()
    return rows


async def training_users_async(connection: AsyncConnection[Any], /) -> list[TrainingUsersRow]:
    """The users with viewing events: the rows of the training matrix."""
    async with connection.cursor(row_factory=_into(TrainingUsersRow._make)) as cursor:
        await cursor.execute(_TRAINING_USERS)
        rows: list[TrainingUsersRow] = await cursor.fetchall()
    return rows
