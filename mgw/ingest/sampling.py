"""The generated sample into the database, as any other import."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isnan
from typing import TYPE_CHECKING

from mgw.core.errors import SampleWouldMix
from mgw.core.progress import SILENT
from mgw.ingest.content import ContentRow
from mgw.ingest.events import EventRow
from mgw.ingest.importing import ImportReport
from mgw.ingest.load import known_content, load_content, load_events
from mgw.ingest.sample import DEVICES, SampleSize, SampleTitle, generate_catalogue, generate_events

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.progress import Progress
    from mgw.ingest.sample import EventChunk

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
"""The end of the sample's two years: fixed, so that a seed gives the same sample on any day."""


def load_sample(
    connection: Connection[TupleRow], size: SampleSize, *, seed: int, progress: Progress = SILENT
) -> ImportReport:
    """Generate a sample and import it in the connection's transaction; the same sample twice changes nothing.

    Raises:
        SampleWouldMix: the database holds content that is not this sample's.
        ParametersInvalid: the seed is negative.
    """
    rows = [_content_row(title) for title in generate_catalogue(size, seed=seed)]
    if strangers := known_content(connection) - {row.content_id for row in rows}:
        raise SampleWouldMix(
            f"the database holds {len(strangers)} titles that are not this sample's, {min(strangers)!r} for one",
            hint="generate the sample in a project of its own: `mgw init DIR`, then there `mgw sample`",
        )
    content = load_content(connection, rows)
    chunks = generate_events(size, seed=seed, until=UNTIL, progress=progress)
    events = load_events(connection, (row for chunk in chunks for row in _event_rows(chunk, size)))
    return ImportReport(content, events)


def _content_row(title: SampleTitle) -> ContentRow:
    people = {
        role: [credit.person for credit in title.credits if credit.role == role]
        for role in ("actor", "director", "writer")
    }
    return ContentRow(
        title.external_id,
        title.title,
        title.kind,
        title.year,
        title.runtime_minutes,
        title.plot,
        list(title.genres),
        list(title.themes),
        people["actor"],
        people["director"],
        people["writer"],
    )


def _event_rows(chunk: EventChunk, size: SampleSize) -> Iterator[EventRow]:
    columns = (
        [size.user_id(user) for user in chunk.user.tolist()],
        [size.title_id(title) for title in chunk.title.tolist()],
        [datetime.fromtimestamp(at, UTC) for at in chunk.at.tolist()],
        chunk.completion_rate.tolist(),
        [None if isnan(stars) else stars for stars in chunk.rating.tolist()],
        chunk.is_rewatch.tolist(),
        chunk.dismissed.tolist(),
        [DEVICES[device] for device in chunk.device.tolist()],
    )
    return map(EventRow, *columns)
