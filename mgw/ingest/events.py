"""Rows of a table as viewing events, each value checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mgw.ingest.columns import check_width, column_places
from mgw.ingest.faults import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

T = TypeVar("T")

DEVICES = ("tv", "phone", "tablet", "desktop")
CLOCK_SKEW = timedelta(minutes=5)
_TRUE = {"1", "true", "t", "yes", "y"}
_FALSE = {"0", "false", "f", "no", "n", ""}


class EventRow(NamedTuple):
    """One viewing event as it goes into the database, users and titles by the caller's ids."""

    user_id: str
    content_id: str
    at: datetime | None
    completion_rate: float
    rating: float | None
    is_rewatch: bool
    dismissed: bool
    device: str | None


EVENT_FIELDS = {
    "user": "id of the user (required)",
    "content": "id of the title (required)",
    "at": "when: seconds since 1970, or ISO 8601",
    "completion_rate": "share that was watched, 0 to 1; without it 1, or 0 where dismissed",
    "rating": "stars, 1 to 5",
    "is_rewatch": "true or false",
    "dismissed": "true or false: the viewer said “not interested”",
    "device": "tv, phone, tablet or desktop",
}


class EventParser:
    """Turns the values of a row into an `EventRow`.

    Args:
        columns: of the table.
        mapping: the table's column for a field, where it has another name than the field.
        known_content: ids of the titles that there are.
        now: events later than this, by more than a clock's skew, are from the future.
        timezone: of times that are written without one.

    Raises:
        SourceInvalid: a column that is required, or that the mapping names, is missing.
    """

    def __init__(
        self,
        columns: Sequence[str],
        mapping: Mapping[str, str],
        *,
        known_content: Container[str],
        now: datetime,
        timezone: tzinfo = UTC,
    ) -> None:
        self._places = column_places(columns, mapping, fields=EVENT_FIELDS, required=("user", "content"))
        self._names = {field: columns[place] for field, place in self._places.items()}
        self._width = len(columns)
        self._known_content = known_content
        self._latest = now + CLOCK_SKEW
        self._timezone = timezone

    def parse(self, values: Sequence[str]) -> EventRow:
        """Check one row.

        Raises:
            Malformed: names the column and the reason.
        """
        check_width(values, self._width)
        user_id = self._required(values, "user")
        content_id = self._required(values, "content")
        if content_id not in self._known_content:
            raise Malformed(self._names["content"], "unknown content", f"there is no content {content_id!r}")
        rating = self._value(values, "rating", _rating)
        dismissed = self._value(values, "dismissed", _flag) or False
        completion = self._value(values, "completion_rate", _completion)
        if completion is None:
            completion = 0.0 if dismissed else 1.0
        return EventRow(
            user_id,
            content_id,
            self._value(values, "at", self._time),
            completion,
            rating,
            self._value(values, "is_rewatch", _flag) or False,
            dismissed,
            self._value(values, "device", _device),
        )

    def _required(self, values: Sequence[str], field: str) -> str:
        value = values[self._places[field]].strip()
        if not value or "\0" in value:
            raise Malformed(self._names[field], f"bad {field} id", "an id may not be empty or hold a NUL character")
        return value

    def _value(self, values: Sequence[str], field: str, convert: Callable[[str], T]) -> T | None:
        place = self._places.get(field)
        if place is None or not (text := values[place].strip()):
            return None
        try:
            return convert(text)
        except ValueError as error:
            kind = f"bad {field}" if not isinstance(error, _OutOfRange) else error.kind
            raise Malformed(self._names[field], kind, str(error)) from error

    def _time(self, text: str) -> datetime:
        at = _parse_time(text, self._timezone)
        if at > self._latest:
            hint = " (milliseconds?)" if at.year > 9000 or text.isdigit() and len(text) > 11 else ""
            raise _OutOfRange("event from the future", f"{text} is in the future{hint}")
        return at


class _OutOfRange(ValueError):
    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


def _completion(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        raise _OutOfRange("completion out of range", f"completion {text} is not between 0 and 1")
    return value


def _rating(text: str) -> float:
    value = _number(text)
    if not 1 <= value <= 5:
        raise _OutOfRange("rating out of range", f"rating {text} is not between 1 and 5")
    return value


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(f"{text!r} is neither true nor false")
    return word in _TRUE


def _device(text: str) -> str:
    word = text.lower()
    if word not in DEVICES:
        raise ValueError(f"{text!r} is none of {', '.join(DEVICES)}")
    return word


def _parse_time(text: str, timezone: tzinfo) -> datetime:
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        pass
    except (OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither seconds since 1970 nor ISO 8601") from None
    return at if at.tzinfo else at.replace(tzinfo=timezone)
