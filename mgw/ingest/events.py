"""Rows of a table as viewing events, each value checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple

from mgw.ingest.columns import check_width, column_places
from mgw.ingest.faults import Malformed
from mgw.ingest.values import Unusable, check_known, check_name, number, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

DEVICES = ("tv", "phone", "tablet", "desktop")
CLOCK_SKEW = timedelta(minutes=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TRUE = {"1", "true", "t", "yes", "y"}
_FALSE = {"0", "false", "f", "no", "n"}
_REMEMBERED = 100_000


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


# In the order of `EventRow`.
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
_COMPLETION, _DISMISSED = 3, 6


def star_rating(text: str) -> float:
    """Read stars from 1 to 5.

    Raises:
        Unusable: they are something else.
    """
    stars = number(text, "rating")
    if not 1 <= stars <= 5:
        raise Unusable("rating out of range", f"rating {shown(text)} is not between 1 and 5")
    return stars


class EventParser:
    """Turns the values of a row into an `EventRow`.

    Args:
        columns: of the table.
        mapping: the table's column for a field, where it has another name than the field.
        known_content: ids of the titles that there are.
        now: events later than this, by more than a clock's skew, are from the future.
        timezone: of times that are written without one.
        rating: reads a rating.

    Raises:
        SourceInvalid: a column that is required, or that the mapping names, is missing.
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        mapping: Mapping[str, str],
        *,
        known_content: Container[str],
        now: datetime,
        timezone: tzinfo = UTC,
        rating: Callable[[str], float] = star_rating,
    ) -> None:
        converters: dict[str, tuple[Callable[[str], object], bool | None]] = {
            "user": (_user, None),
            "content": (_Content(known_content), None),
            "at": (_Time(now + CLOCK_SKEW, timezone), None),
            "completion_rate": (_completion, None),
            "rating": (rating, None),
            "is_rewatch": (_flag, False),
            "dismissed": (_flag, False),
            "device": (_device, None),
        }
        required = ("user", "content")
        places = column_places(columns, mapping, fields=EVENT_FIELDS, required=required)
        self._columns = columns
        self._absent = [absent for _, absent in converters.values()]
        self._present = [
            (index, places[field], _Column(columns[places[field]], convert, absent, required=field in required))
            for index, (field, (convert, absent)) in enumerate(converters.items())
            if field in places
        ]

    def parse(self, values: Sequence[str]) -> EventRow:
        """Check one row.

        Raises:
            Malformed: names the column and the reason.
        """
        check_width(values, self._columns)
        row: list[Any] = self._absent.copy()
        for index, place, column in self._present:
            row[index] = column[values[place]]
        if row[_COMPLETION] is None:
            row[_COMPLETION] = 0.0 if row[_DISMISSED] else 1.0
        return EventRow._make(row)


class _Column(dict[str, object]):
    """The values of a column by their text. Users, titles and ratings come again and again: each is read once."""

    def __init__(self, name: str, convert: Callable[[str], object], absent: object, *, required: bool) -> None:
        super().__init__()
        self._name = name
        self._convert = convert
        self._absent = absent
        self._required = required

    def __missing__(self, text: str) -> object:
        stripped = text.strip()
        try:
            value = self._convert(stripped) if stripped or self._required else self._absent
        except Unusable as fault:
            raise Malformed(self._name, fault.kind, fault.reason) from fault
        if len(self) < _REMEMBERED:
            self[text] = value
        return value


def _user(text: str) -> str:
    check_name(text, "user id")
    return text


class _Content:
    def __init__(self, known: Container[str]) -> None:
        self._known = known

    def __call__(self, text: str) -> str:
        check_known(text, self._known)
        return text


class _Time:
    def __init__(self, latest: datetime, timezone: tzinfo) -> None:
        self._latest = latest
        self._latest_s = latest.timestamp()
        self._timezone = timezone

    def __call__(self, text: str) -> datetime:
        try:
            seconds = float(text)
        except ValueError:
            return self._in_range(self._from_iso(text), text)
        if isnan(seconds) or "_" in text:
            raise Unusable("bad at", f"{shown(text)} is neither seconds since 1970 nor ISO 8601")
        if seconds < 0:
            raise Unusable("event before 1970", f"{shown(text)} is before 1970; leave an unknown time empty")
        if seconds > self._latest_s:
            units = {1e3: "milliseconds", 1e6: "microseconds", 1e9: "nanoseconds"}
            unit = next((name for factor, name in units.items() if seconds / factor <= self._latest_s), None)
            guess = f" (seconds since 1970 are wanted, are these {unit}?)" if unit else ""
            raise Unusable("event from the future", f"{shown(text)} is in the future{guess}")
        return datetime.fromtimestamp(seconds, UTC)

    def _from_iso(self, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise Unusable("bad at", f"{shown(text)} is neither seconds since 1970 nor ISO 8601") from None
        return at if at.tzinfo else at.replace(tzinfo=self._timezone)

    def _in_range(self, at: datetime, text: str) -> datetime:
        if at > self._latest:
            raise Unusable("event from the future", f"{shown(text)} is in the future")
        if at < _EPOCH:
            raise Unusable("event before 1970", f"{shown(text)} is before 1970; leave an unknown time empty")
        return at


def _completion(text: str) -> float:
    value = number(text, "completion_rate")
    if not 0 <= value <= 1:
        raise Unusable("completion out of range", f"completion {shown(text)} is not between 0 and 1")
    return value


def _flag(text: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise Unusable("bad flag", f"{shown(text)} is neither true nor false")
    return word in _TRUE


def _device(text: str) -> str:
    word = text.lower()
    if word not in DEVICES:
        raise Unusable("bad device", f"{shown(text)} is none of {', '.join(DEVICES)}")
    return word
