"""Looking through the audit trail: filters, and pages that begin where the last one ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mgw.core.database import queries
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.rows import TupleRow

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_AFTER_ALL = 2**62
_PAGE = 1_000
_CURSOR = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z),(\d{1,18})")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries are wanted; what is None says nothing.

    Attributes:
        since: from when on.
        until: before when.
        user_id: who acted.
        action: what was done.
        resource_type: to what kind of thing.
        resource_id: to which.
        text: words that the entry has, in any order, each known by its beginning.
    """

    since: datetime | None = None
    until: datetime | None = None
    user_id: str | None = None
    action: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the newest first.

    Attributes:
        entries: of the page.
        cursor: where the next page begins; None where there is none.
    """

    entries: list[dict[str, Any]]
    cursor: str | None


def page(connection: Connection[TupleRow], wanted: EntryFilter, *, limit: int, after: str | None = None) -> Page:
    """Read a page.

    Args:
        connection: to the database.
        wanted: which entries.
        limit: how many.
        after: the cursor of the page before.

    Raises:
        UsageInvalid: the cursor is none, or there is no word in the text.
    """
    before_at, before_position = _cursor(after) if after is not None else (wanted.until or _LAST, _before(wanted))
    rows = queries.audit_list(
        connection,
        before_at=before_at,
        before_position=before_position,
        start=wanted.since or _FIRST,
        user_id=wanted.user_id,
        action=wanted.action,
        resource_type=wanted.resource_type,
        resource_id=wanted.resource_id,
        words=None if wanted.text is None else _words(wanted.text),
        top_k=limit + 1,
    )
    entries = [
        {
            "position": row.position,
            "at": _moment(row.at),
            "user_id": row.user_id,
            "action": row.action,
            "resource_type": row.resource_type,
            "resource_id": row.resource_id,
            "details": row.details,
            "ip": None if row.ip is None else str(row.ip),
            "user_agent": row.user_agent,
        }
        for row in rows[:limit]
    ]
    cursor = f"{entries[-1]['at']},{entries[-1]['position']}" if len(rows) > limit else None
    return Page(entries, cursor)


def pages(connection: Connection[TupleRow], wanted: EntryFilter) -> Iterator[dict[str, Any]]:
    """Yield every entry that is wanted, the newest first, page by page."""
    after = None
    while True:
        read = page(connection, wanted, limit=_PAGE, after=after)
        yield from read.entries
        if read.cursor is None:
            return
        after = read.cursor


def _before(wanted: EntryFilter) -> int:
    """Return the position that no entry of the moment `until` is before: that moment itself is not wanted."""
    return 0 if wanted.until is not None else _AFTER_ALL


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _cursor(text: str) -> tuple[datetime, int]:
    match = _CURSOR.fullmatch(text)
    try:
        if match is not None:
            return datetime.fromisoformat(match[1]), int(match[2])
    except ValueError:
        pass
    raise UsageInvalid(f"{text!r} is no cursor", hint="take the one that the page before ends with")


def _words(text: str) -> str:
    """Return a text as PostgreSQL asks for words that begin so."""
    words = _WORD.findall(text.lower())
    if not words:
        raise UsageInvalid(f"there is no word in {text!r}", hint="letters and digits are looked for")
    return " & ".join(f"{word}:*" for word in words)
