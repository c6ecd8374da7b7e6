"""Rows into the database: COPY into a staging table, then merge, so that the same rows twice change nothing.

Nothing here commits: the caller's transaction holds the whole import, and an error leaves the database as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from psycopg import Connection, Copy
    from psycopg.rows import TupleRow

    from mgw.ingest.availability import AvailabilityRow
    from mgw.ingest.content import ContentRow
    from mgw.ingest.events import EventRow

_CHANGES = (
    queries.ingest_update_content,
    queries.ingest_remove_genres,
    queries.ingest_add_genres,
    queries.ingest_remove_themes,
    queries.ingest_add_themes,
    queries.ingest_remove_credits,
    queries.ingest_add_credits,
)
"""What brings titles that are there up to date; each returns the ids of those that it touched."""


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


@dataclass(frozen=True, slots=True)
class AvailabilityCounts:
    """What an import did to the windows of availability.

    Attributes:
        titles: titles that the source names, whose windows are now those of the source.
        new: windows that the database did not have.
        removed: windows of these titles that the source does not have.
        unchanged: windows that were there already.
    """

    titles: int = 0
    new: int = 0
    removed: int = 0
    unchanged: int = 0


def load_content(connection: Connection[TupleRow], rows: Iterable[ContentRow]) -> ContentCounts:
    """Add titles, and bring those that are there up to date; each id may come once."""
    queries.ingest_stage_content(connection)
    staged = _fill(queries.ingest_copy_content(connection), rows)
    queries.ingest_take_turns(connection)
    new = set(queries.ingest_insert_content(connection))
    touched = {content_id for change in _CHANGES for content_id in change(connection)}
    queries.ingest_drop_staged_content(connection)
    if new or touched:
        queries.ingest_analyze_content(connection)
    changed = len(touched - new)
    return ContentCounts(len(new), changed, staged - len(new) - changed)


def load_events(connection: Connection[TupleRow], rows: Iterable[EventRow]) -> EventCounts:
    """Add events, and the users they name; their content must be there."""
    return merge_events(connection, stage_events(connection, rows))


def stage_events(connection: Connection[TupleRow], rows: Iterable[EventRow]) -> int:
    """Put events where `merge_events` finds them and return how many there are; until then nobody sees them."""
    queries.ingest_stage_events(connection)
    return _fill(queries.ingest_copy_events(connection), rows)


def staged_strangers(connection: Connection[TupleRow]) -> list[str]:
    """Return the ids of content that the staged events name and the database does not have."""
    return queries.ingest_staged_strangers(connection)


def merge_events(connection: Connection[TupleRow], staged: int) -> EventCounts:
    """Add the events that were staged, and the users they name; their content must be there by now."""
    queries.ingest_take_turns(connection)
    queries.ingest_work_in_memory(connection)
    users_new = queries.ingest_merge_users(connection)
    unchecked = bool(queries.ingest_may_skip_checks(connection))
    if unchecked:
        queries.ingest_hold_users(connection)
        queries.ingest_hold_content(connection)
    queries.ingest_resolve_events(connection)
    distinct = queries.ingest_count_resolved(connection)
    known, conflicting = queries.ingest_count_known(connection)
    new = _insert_events(connection, unchecked=unchecked) if known < distinct else 0
    queries.ingest_drop_staged_events(connection)
    if new:
        queries.ingest_analyze_events(connection)
    return EventCounts(new, distinct - new, conflicting, staged - distinct, users_new)


def _insert_events(connection: Connection[TupleRow], *, unchecked: bool) -> int:
    """Insert what was resolved.

    The user and the title of each event were joined and are held until the transaction ends, so its foreign keys are
    good. To have them checked again, event by event, takes longer than all the rest of an import; where PostgreSQL
    permits it, it is left out.
    """
    if not unchecked:
        return queries.ingest_merge_events(connection)
    queries.ingest_skip_checks(connection)
    new = queries.ingest_merge_events(connection)
    queries.ingest_restore_checks(connection)
    return new


def load_availability(connection: Connection[TupleRow], rows: Iterable[AvailabilityRow]) -> AvailabilityCounts:
    """Give each title that is named these windows and no others; their content must be there."""
    queries.ingest_stage_availability(connection)
    _fill(queries.ingest_copy_availability(connection), rows)
    queries.ingest_take_turns(connection)
    windows, titles = queries.ingest_count_staged_availability(connection)
    removed = queries.ingest_remove_availability(connection)
    new = queries.ingest_add_availability(connection)
    queries.ingest_drop_staged_availability(connection)
    if new or removed:
        queries.ingest_analyze_availability(connection)
    return AvailabilityCounts(titles, new, removed, windows - new)


def known_content(connection: Connection[TupleRow]) -> frozenset[str]:
    """Return the ids of all content."""
    return frozenset(queries.ingest_known_content(connection))


def _fill(copying: AbstractContextManager[Copy], rows: Iterable[tuple[object, ...]]) -> int:
    count = 0
    with copying as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
