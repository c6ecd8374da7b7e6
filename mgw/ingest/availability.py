"""Rows of a table as windows of availability, each value checked."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mgw.ingest.columns import check_width, column_places
from mgw.ingest.faults import Malformed
from mgw.ingest.values import Unusable, check_known, check_name, moment, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence

T = TypeVar("T")


class AvailabilityRow(NamedTuple):
    """One window as it goes into the database.

    Attributes:
        content_id: the caller's id of the title.
        region: where; None is everywhere.
        starts_at: from when; None is since ever.
        ends_at: until when, that moment not included; None is without end.
    """

    content_id: str
    region: str | None
    starts_at: datetime | None
    ends_at: datetime | None


AVAILABILITY_FIELDS = {
    "content": "id of the title (required)",
    "region": "where, as you name regions; empty is everywhere",
    "starts_at": "from when: seconds since 1970, or ISO 8601; empty is since ever",
    "ends_at": "until when; empty is without end",
}


class AvailabilityParser:
    """Turns the values of a row into an `AvailabilityRow`.

    Args:
        columns: of the table.
        mapping: the table's column for a field, where it has another name than the field.
        known_content: ids of the titles that there are.
        timezone: of times that are written without one.

    Raises:
        SourceInvalid: a column that is required, or that the mapping names, is missing.
    """

    def __init__(
        self,
        columns: tuple[str, ...],
        mapping: Mapping[str, str],
        *,
        known_content: Container[str],
        timezone: tzinfo = UTC,
    ) -> None:
        self._places = column_places(columns, mapping, fields=AVAILABILITY_FIELDS, required=("content",))
        self._columns = columns
        self._known = known_content
        self._timezone = timezone

    def parse(self, values: Sequence[str]) -> AvailabilityRow:
        """Check one row.

        Raises:
            Malformed: names the column and the reason.
        """
        check_width(values, self._columns)
        content_id = self._value(values, "content", self._content)
        starts_at = self._value(values, "starts_at", lambda text: self._moment(text, "starts_at"))
        return AvailabilityRow(
            content_id,
            self._value(values, "region", _region),
            starts_at,
            self._value(values, "ends_at", lambda text: self._end(text, starts_at)),
        )

    def _value(self, values: Sequence[str], field: str, convert: Callable[[str], T]) -> T:
        place = self._places.get(field)
        if place is None:
            return convert("")
        try:
            return convert(values[place].strip())
        except Unusable as fault:
            raise Malformed(self._columns[place], fault.kind, fault.reason) from fault

    def _content(self, text: str) -> str:
        check_known(text, self._known)
        return text

    def _moment(self, text: str, field: str) -> datetime | None:
        return moment(text, field, self._timezone) if text else None

    def _end(self, text: str, starts_at: datetime | None) -> datetime | None:
        ends_at = self._moment(text, "ends_at")
        if starts_at is not None and ends_at is not None and starts_at >= ends_at:
            raise Unusable("ends before it starts", f"{shown(text)} is not after the start, {starts_at.isoformat()}")
        return ends_at


def _region(text: str) -> str | None:
    if not text:
        return None
    check_name(text, "region")
    return text
