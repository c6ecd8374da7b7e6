"""Rows of a table as content, each value checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mgw.ingest.columns import check_width, column_places
from mgw.ingest.faults import Malformed
from mgw.ingest.tables import LIST_SEPARATOR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST_YEAR, LAST_YEAR = 1870, 2200
LONGEST_RUNTIME_MINUTES = 32_767


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

    def __init__(self, columns: Sequence[str], mapping: Mapping[str, str]) -> None:
        self._places = column_places(columns, mapping, fields=CONTENT_FIELDS, required=("id", "title"))
        self._names = {field: columns[place] for field, place in self._places.items()}
        self._width = len(columns)
        self._seen: set[str] = set()

    def parse(self, values: Sequence[str]) -> ContentRow:
        """Check one row.

        Raises:
            Malformed: names the column and the reason.
        """
        check_width(values, self._width)
        content_id = self._required(values, "id")
        if content_id in self._seen:
            raise Malformed(
                self._names["id"], "content given twice", f"content {content_id!r} stood in the file before"
            )
        row = ContentRow(
            content_id,
            self._required(values, "title"),
            self._kind(values),
            self._whole_number(values, "year", FIRST_YEAR, LAST_YEAR),
            self._whole_number(values, "runtime_minutes", 1, LONGEST_RUNTIME_MINUTES),
            self._text(values, "plot"),
            *(self._list(values, field) for field in ("genres", "themes", "actors", "directors", "writers")),
        )
        self._seen.add(content_id)
        return row

    def _required(self, values: Sequence[str], field: str) -> str:
        value = self._text(values, field)
        if value is None:
            raise Malformed(self._names[field], f"no {field}", f"the {field} is empty")
        return value

    def _text(self, values: Sequence[str], field: str) -> str | None:
        place = self._places.get(field)
        if place is None:
            return None
        value = values[place].strip()
        if "\0" in value:
            raise Malformed(self._names[field], f"bad {field}", "the text holds a NUL character")
        return value or None

    def _kind(self, values: Sequence[str]) -> str | None:
        value = self._text(values, "kind")
        if value is not None and value.lower() not in {"film", "series"}:
            raise Malformed(self._names["kind"], "bad kind", f"{value!r} is neither film nor series")
        return value.lower() if value else None

    def _whole_number(self, values: Sequence[str], field: str, least: int, most: int) -> int | None:
        text = self._text(values, field)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            raise Malformed(self._names[field], f"bad {field}", f"{text!r} is not a number") from None
        if not least <= value <= most or value != int(value):
            raise Malformed(
                self._names[field], f"{field} out of range", f"{text} is not a whole number from {least} to {most}"
            )
        return int(value)

    def _list(self, values: Sequence[str], field: str) -> list[str] | None:
        if field not in self._places:
            return None
        parts = (part.strip() for part in (self._text(values, field) or "").split(LIST_SEPARATOR))
        return list(dict.fromkeys(part for part in parts if part))
