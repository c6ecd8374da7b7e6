"""Rows into the database: COPY into a staging table, then merge, so that the same rows twice change nothing.

Nothing here commits: the caller's transaction holds the whole import, and an error leaves the database as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.database.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.ingest.content import ContentRow
    from mgw.ingest.events import EventRow

_LISTS = ("genres", "themes", "credits")


@dataclass(frozen=True, slots=True)
class ContentCounts:
    """What an import did to the catalogue, in titles."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class EventCounts:
    """What an import did to the events.

    Attributes:
        new: events that the database did not have.
        already_there: events that it had.
        conflicting: those of `already_there` that have other values in the database, where they stay as they are.
        duplicates: rows that repeat the user, title and time of a row before them.
        users_new: users whom the database did not know.
    """

    new: int = 0
    already_there: int = 0
    conflicting: int = 0
    duplicates: int = 0
    users_new: int = 0


def load_content(connection: Connection[TupleRow], rows: Iterable[ContentRow]) -> ContentCounts:
    """Add titles, and bring those that are there up to date; each id may come once."""
    connection.execute(statement("ingest/stage_content"))
    staged = _copy(connection, "ingest/copy_content", rows)
    connection.execute(statement("ingest/take_turns"))
    new = {row[0] for row in connection.execute(statement("ingest/insert_content"))}
    touched = {row[0] for row in connection.execute(statement("ingest/update_content"))}
    for name in _LISTS:
        for action in ("remove", "add"):
            touched.update(row[0] for row in connection.execute(statement(f"ingest/{action}_{name}")))
    connection.execute(statement("ingest/drop_staged_content"))
    if new or touched:
        connection.execute(statement("ingest/analyze_content"))
    changed = len(touched - new)
    return ContentCounts(len(new), changed, staged - len(new) - changed)


def load_events(connection: Connection[TupleRow], rows: Iterable[EventRow]) -> EventCounts:
    """Add events, and the users they name; their content must be there."""
    return merge_events(connection, stage_events(connection, rows))


def stage_events(connection: Connection[TupleRow], rows: Iterable[EventRow]) -> int:
    """Put events where `merge_events` finds them and return how many there are; until then nobody sees them."""
    connection.execute(statement("ingest/stage_events"))
    return _copy(connection, "ingest/copy_events", rows)


def staged_strangers(connection: Connection[TupleRow]) -> list[str]:
    """Return the ids of content that the staged events name and the database does not have."""
    return [row[0] for row in connection.execute(statement("ingest/staged_strangers"))]


def merge_events(connection: Connection[TupleRow], staged: int) -> EventCounts:
    """Add the events that were staged, and the users they name; their content must be there by now."""
    connection.execute(statement("ingest/take_turns"))
    connection.execute(statement("ingest/work_in_memory"))
    users_new = connection.execute(statement("ingest/merge_users")).rowcount
    unchecked = bool(_one(connection, "ingest/may_skip_checks")[0])
    if unchecked:
        _one(connection, "ingest/hold_users")
        _one(connection, "ingest/hold_content")
    connection.execute(statement("ingest/resolve_events"))
    (distinct,) = _one(connection, "ingest/count_resolved")
    known, conflicting = _one(connection, "ingest/count_known")
    new = _insert_events(connection, unchecked=unchecked) if known < distinct else 0
    connection.execute(statement("ingest/drop_staged_events"))
    if new:
        connection.execute(statement("ingest/analyze_events"))
    return EventCounts(new, distinct - new, conflicting, staged - distinct, users_new)


def _insert_events(connection: Connection[TupleRow], *, unchecked: bool) -> int:
    """Insert what was resolved.

    The user and the title of each event were joined and are held until the transaction ends, so its foreign keys are
    good. To have them checked again, event by event, takes longer than all the rest of an import; where PostgreSQL
    permits it, it is left out.
    """
    if not unchecked:
        return connection.execute(statement("ingest/merge_events")).rowcount
    connection.execute(statement("ingest/skip_checks"))
    new = connection.execute(statement("ingest/merge_events")).rowcount
    connection.execute(statement("ingest/restore_checks"))
    return new


def known_content(connection: Connection[TupleRow]) -> frozenset[str]:
    """Return the ids of all content."""
    return frozenset(row[0] for row in connection.execute(statement("ingest/known_content")))


def _copy(connection: Connection[TupleRow], name: str, rows: Iterable[tuple[object, ...]]) -> int:
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement(name)) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _one(connection: Connection[TupleRow], name: str) -> TupleRow:
    row = connection.execute(statement(name)).fetchone()
    assert row is not None
    return row
