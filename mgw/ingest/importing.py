"""An import from beginning to end: open the file, check every row, load what is good, account for the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Protocol, TypeVar

from mgw.core.progress import SILENT
from mgw.ingest.availability import AvailabilityParser
from mgw.ingest.content import ContentParser
from mgw.ingest.events import EventParser
from mgw.ingest.faults import Fault, Faults, Malformed
from mgw.ingest.load import (
    AvailabilityCounts,
    ContentCounts,
    EventCounts,
    known_content,
    load_availability,
    load_content,
    load_events,
)
from mgw.ingest.tables import open_table, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.progress import Progress
    from mgw.ingest.tables import Table

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Parser(Protocol[T_co]):
    """Checks the values of a row."""

    def parse(self, values: Sequence[str]) -> T_co:
        """Return the row, or raise `Malformed`."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        content: titles.
        events: viewing events.
        availability: windows in which titles may be watched.
        left_out: rows that were left out, by kind of fault.
        untitled: titles that were rated but not listed, and so were added under their id.
    """

    content: ContentCounts = field(default_factory=ContentCounts)
    events: EventCounts = field(default_factory=EventCounts)
    availability: AvailabilityCounts = field(default_factory=AvailabilityCounts)
    left_out: dict[str, int] = field(default_factory=dict)
    untitled: int = 0


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a text file is written.

    Attributes:
        encoding: of its characters.
        delimiter: between values; None finds it from the file's ending.
        timezone: of times that are written without one.
    """

    encoding: str = "utf-8"
    delimiter: str | None = None
    timezone: tzinfo = UTC


def import_events(
    connection: Connection[TupleRow],
    path: Path,
    mapping: Mapping[str, str],
    faults: Faults,
    *,
    text: TextFormat | None = None,
    progress: Progress = SILENT,
) -> ImportReport:
    """Import a file of viewing events in the connection's transaction.

    Raises:
        SourceInvalid, FileUnreadable, ExtraMissing: the file cannot be read as a table of events.
        RowsInvalid: a row cannot be used, and the policy is to stop.
    """
    text = text or TextFormat()
    faults.read_from(path)
    with open_table(path, encoding=text.encoding, delimiter=text.delimiter) as table:
        parser = EventParser(
            table.columns,
            mapping,
            known_content=known_content(connection),
            now=datetime.now(UTC),
            timezone=text.timezone,
        )
        counts = load_events(connection, good_rows(table, parser, faults, progress))
    return ImportReport(events=counts, left_out=dict(faults.counts))


def import_content(
    connection: Connection[TupleRow],
    path: Path,
    mapping: Mapping[str, str],
    faults: Faults,
    *,
    text: TextFormat | None = None,
    progress: Progress = SILENT,
) -> ImportReport:
    """Import a file of content in the connection's transaction.

    Raises:
        SourceInvalid, FileUnreadable, ExtraMissing: the file cannot be read as a table of content.
        RowsInvalid: a row cannot be used, and the policy is to stop.
    """
    text = text or TextFormat()
    faults.read_from(path)
    with open_table(path, encoding=text.encoding, delimiter=text.delimiter) as table:
        parser = ContentParser(table.columns, mapping)
        counts = load_content(connection, good_rows(table, parser, faults, progress))
    return ImportReport(content=counts, left_out=dict(faults.counts))


def import_availability(
    connection: Connection[TupleRow],
    path: Path,
    mapping: Mapping[str, str],
    faults: Faults,
    *,
    text: TextFormat | None = None,
    progress: Progress = SILENT,
) -> ImportReport:
    """Import a file of windows in which titles may be watched, in the connection's transaction.

    Raises:
        SourceInvalid, FileUnreadable, ExtraMissing: the file cannot be read as a table of windows.
        RowsInvalid: a row cannot be used, and the policy is to stop.
    """
    text = text or TextFormat()
    faults.read_from(path)
    with open_table(path, encoding=text.encoding, delimiter=text.delimiter) as table:
        parser = AvailabilityParser(
            table.columns, mapping, known_content=known_content(connection), timezone=text.timezone
        )
        counts = load_availability(connection, good_rows(table, parser, faults, progress))
    return ImportReport(availability=counts, left_out=dict(faults.counts))


def good_rows(table: Table, parser: Parser[T], faults: Faults, progress: Progress) -> Iterator[T]:
    """Yield what the parser makes of each row; a row that it refuses goes to `faults`.

    Raises:
        RowsInvalid: at the end, if there was a fault and the policy is to stop; then nothing has been merged yet.
    """
    for line, values in read_rows(table, progress):
        try:
            row = parser.parse(values)
        except Malformed as malformed:
            fault = Fault(table.file, line, malformed.column, malformed.kind, malformed.reason)
            faults.add(fault, table.columns, values)
        else:
            if not faults.stopping:
                yield row
    faults.raise_if_stopping()
