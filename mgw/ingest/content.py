"""Rows of a table as content, each value checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mgw.ingest.columns import check_width, column_places
from mgw.ingest.faults import Malformed
from mgw.ingest.tables import LIST_SEPARATOR
from mgw.ingest.values import Unusable, check_name, check_text, number, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

FIRST_YEAR, LAST_YEAR = 1870, 2200
LONGEST_RUNTIME_MINUTES = 32_767
LONGEST_LIST = 32_767
"""Billing positions are small integers in the database."""

T = TypeVar("T")


class ContentRow(NamedTuple):
    """One title as it goes into the database; None means that the source does not say, and what is there stays."""

    content_id: str
    title: str
    kind: str | None = None
    year: int | None = None
    runtime_minutes: int | None = None
    plot: str | None = None
    genres: list[str] | None = None
    themes: list[str] | None = None
    actors: list[str] | None = None
    directors: list[str] | None = None
    writers: list[str] | None = None


CONTENT_FIELDS = {
    "id": "id of the title (required)",
    "title": "its name (required)",
    "kind": "film or series",
    "year": "of release",
    "runtime_minutes": "length in minutes",
    "plot": "what it is about",
    "genres": "list, separated by |",
    "themes": "list, separated by |",
    "actors": "list, separated by |, first billed first",
    "directors": "list, separated by |",
    "writers": "list, separated by |",
}


class ContentParser:
    """Turns the values of a row into a `ContentRow`; remembers the ids, because one may stand in a file only once.

    Args:
        columns: of the table.
        mapping: the table's column for a field, where it has another name than the field.

    Raises:
        SourceInvalid: a column that is required, or that the mapping names, is missing.
    """

    def __init__(self, columns: tuple[str, ...], mapping: Mapping[str, str]) -> None:
        self._places = column_places(columns, mapping, fields=CONTENT_FIELDS, required=("id", "title"))
        self._columns = columns
        self._seen: set[str] = set()

    def parse(self, values: Sequence[str]) -> ContentRow:
        """Check one row.

        Raises:
            Malformed: names the column and the reason.
        """
        check_width(values, self._columns)
        content_id = self._value(values, "id", self._new_id)
        title = self._value(values, "title", _title)
        assert content_id is not None
        assert title is not None
        row = ContentRow(
            content_id,
            title,
            self._value(values, "kind", _kind),
            self._value(values, "year", lambda text: _whole_number(text, "year", FIRST_YEAR, LAST_YEAR)),
            self._value(
                values, "runtime_minutes", lambda text: _whole_number(text, "runtime", 1, LONGEST_RUNTIME_MINUTES)
            ),
            self._value(values, "plot", _plot),
            *(self._value(values, field, _names) for field in ("genres", "themes", "actors", "directors", "writers")),
        )
        self._seen.add(content_id)
        return row

    def _value(self, values: Sequence[str], field: str, convert: Callable[[str], T]) -> T | None:
        place = self._places.get(field)
        if place is None:
            return None
        try:
            return convert(values[place].strip())
        except Unusable as fault:
            raise Malformed(self._columns[place], fault.kind, fault.reason) from fault

    def _new_id(self, text: str) -> str:
        check_name(text, "content id")
        if text in self._seen:
            raise Unusable("content given twice", f"content {shown(text)} stood in the file before")
        return text


def _title(text: str) -> str:
    if not text:
        raise Unusable("no title", "the title is empty")
    check_text(text, "title")
    return text


def _plot(text: str) -> str | None:
    check_text(text, "plot")
    return text or None


def _kind(text: str) -> str | None:
    word = text.lower()
    if word not in {"film", "series", ""}:
        raise Unusable("bad kind", f"{shown(text)} is neither film nor series")
    return word or None


def _whole_number(text: str, what: str, least: int, most: int) -> int | None:
    if not text:
        return None
    value = number(text, what)
    if not least <= value <= most or value != int(value):
        raise Unusable(f"{what} out of range", f"{shown(text)} is not a whole number from {least} to {most}")
    return int(value)


def _names(text: str) -> list[str]:
    parts = (part.strip() for part in text.split(LIST_SEPARATOR))
    names = list(dict.fromkeys(part for part in parts if part))
    if len(names) > LONGEST_LIST:
        raise Unusable("list too long", f"the list has {len(names):,} entries, {LONGEST_LIST:,} at most may be")
    for name in names:
        check_name(name, "entry")
    return names
