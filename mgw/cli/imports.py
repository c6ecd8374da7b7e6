"""`mgw import`: a platform's own data, or a MovieLens folder, into the database."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session
from mgw.core.errors import SourceInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.progress import Progress
    from mgw.ingest.faults import Faults
    from mgw.ingest.importing import ImportReport

app = typer.Typer(name="import", help="Import viewing events and content.", no_args_is_help=True, rich_markup_mode=None)

OnErrorOption: TypeAlias = Annotated[
    Literal["stop", "skip"],
    typer.Option("--on-error", help="Rows that cannot be used: import nothing, or leave them out and count them."),
]
Rejects: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Keep the rows that cannot be used in this CSV file.")
]
Map: TypeAlias = Annotated[
    list[str] | None, typer.Option("--map", help="FIELD=COLUMN, where the column has another name; may be repeated.")
]
File: TypeAlias = Annotated[Path, typer.Argument(help="CSV, TSV (gzipped too) or Parquet.")]
Timezone: TypeAlias = Annotated[str, typer.Option(help="Zone of the times that are written without one.")]
Encoding: TypeAlias = Annotated[str, typer.Option(help="Encoding of a text file.")]
Delimiter: TypeAlias = Annotated[
    str | None, typer.Option(help="Between the values of a text file. Default: as the file has it.")
]


@app.command()
def movielens(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder with movies and ratings, as .dat, .csv or .csv.gz.")],
    on_error: OnErrorOption = "stop",
    rejects: Rejects = None,
    json: Json = False,
) -> None:
    """Import a MovieLens folder.

    A rating is a finished viewing with that many stars (half a star counts as one), tags become themes, and cast,
    directors and plots are taken where there are columns for them.
    """
    from mgw.ingest.movielens import import_movielens

    with _import(ctx, on_error, rejects) as (connection, faults, progress):
        report = import_movielens(connection, folder, faults, progress=progress)
        record_import(connection, "movielens", str(folder), report)
    show_report(report, json=json)


@app.command()
def events(
    ctx: typer.Context,
    file: File,
    columns: Map = None,
    on_error: OnErrorOption = "stop",
    rejects: Rejects = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    timezone: Timezone = "UTC",
    json: Json = False,
) -> None:
    """Import viewing events.

    Fields: user, content (both required), at (seconds since 1970, or ISO 8601), completion_rate (0 to 1), rating (1 to
    5), is_rewatch, dismissed, device (tv, phone, tablet, desktop). Users are added as they come; content must be there.
    An event that is there already stays as it is.
    """
    from mgw.ingest.importing import TextFormat, import_events

    text = TextFormat(encoding, delimiter, _zone(timezone))
    mapping = mapping_of(columns)
    with _import(ctx, on_error, rejects) as (connection, faults, progress):
        report = import_events(connection, file, mapping, faults, text=text, progress=progress)
        record_import(connection, "events", str(file), report)
    show_report(report, json=json)


@app.command()
def content(
    ctx: typer.Context,
    file: File,
    columns: Map = None,
    on_error: OnErrorOption = "stop",
    rejects: Rejects = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    json: Json = False,
) -> None:
    """Import content.

    Fields: id, title (both required), kind (film or series), year, runtime_minutes, plot, and lists separated by |:
    genres, themes, actors, directors, writers. A title that is there already is brought up to date.
    """
    from mgw.ingest.importing import TextFormat, import_content

    text = TextFormat(encoding, delimiter)
    mapping = mapping_of(columns)
    with _import(ctx, on_error, rejects) as (connection, faults, progress):
        report = import_content(connection, file, mapping, faults, text=text, progress=progress)
        record_import(connection, "content", str(file), report)
    show_report(report, json=json)


@app.command()
def availability(
    ctx: typer.Context,
    file: File,
    columns: Map = None,
    on_error: OnErrorOption = "stop",
    rejects: Rejects = None,
    encoding: Encoding = "utf-8",
    delimiter: Delimiter = None,
    timezone: Timezone = "UTC",
    json: Json = False,
) -> None:
    """Import when and where titles may be watched.

    Fields: content (required), region, starts_at, ends_at (seconds since 1970, or ISO 8601); what is empty is without
    bound. A title that the file names has the windows of the file from then on and no others, and is recommended while
    one is open; a title that no file ever named is available always and everywhere.
    """
    from mgw.ingest.importing import TextFormat, import_availability

    text = TextFormat(encoding, delimiter, _zone(timezone))
    mapping = mapping_of(columns)
    with _import(ctx, on_error, rejects) as (connection, faults, progress):
        report = import_availability(connection, file, mapping, faults, text=text, progress=progress)
        record_import(connection, "availability", str(file), report)
    show_report(report, json=json)


@contextmanager
def _import(
    ctx: typer.Context, on_error: Literal["stop", "skip"], rejects: Path | None
) -> Iterator[tuple[Connection[TupleRow], Faults, Progress]]:
    """Open what every import needs, and name what it left out once the rest is in the database."""
    from mgw.ingest.faults import Faults

    loaded = current_project(ctx)
    faults = Faults(on_error, rejects)
    with out.progress() as progress, project_session(loaded) as connection, faults:
        yield connection, faults, progress
    if faults.total:
        out.warn("\n  ".join(["left out:", *faults.lines()]))


def record_import(connection: Connection[TupleRow], kind: str, source: str, report: ImportReport) -> None:
    """Say in the audit trail, in the transaction of the import, what came in."""
    from mgw.core.audit import record
    from mgw.core.changes import Action, Actor, Change

    details = {"source": source, **dataclasses.asdict(report)}
    record(connection, Actor.on_this_machine(), Change(Action.DATA_IMPORTED, "data", kind, details))


def show_report(report: ImportReport, *, json: bool) -> None:
    """Print what an import did."""
    if json:
        out.json(dataclasses.asdict(report))
        return
    content, events, windows = report.content, report.events, report.availability
    rows = [
        ("titles", "new", content.new),
        ("titles", "changed", content.changed),
        ("titles", "unchanged", content.unchanged),
        ("titles", "rated but not listed, added under their id", report.untitled),
        ("events", "new", events.new),
        ("events", "there already", events.already_there),
        ("events", "there already with other values, which stay", events.conflicting),
        ("events", "repeated in the file, counted once", events.duplicates),
        ("users", "new", events.users_new),
        ("availability", "titles named", windows.titles),
        ("availability", "windows new", windows.new),
        ("availability", "windows removed", windows.removed),
        ("availability", "windows unchanged", windows.unchanged),
        *(("rows left out", kind, count) for kind, count in report.left_out.items()),
    ]
    out.table("Imported", ["", "", ">count"], [(a, b, f"{count:,}") for a, b, count in rows if count])
    if not any(count for _, _, count in rows):
        out.note("the file has no rows")


def mapping_of(columns: Sequence[str] | None) -> dict[str, str]:
    """Read FIELD=COLUMN entries.

    Raises:
        SourceInvalid: one is not of that form, or names a field again.
    """
    mapping: dict[str, str] = {}
    for entry in columns or ():
        field, separator, column = entry.partition("=")
        if not (field and separator and column):
            raise SourceInvalid(f"--map {entry}: not FIELD=COLUMN", hint="for example --map user=member_id")
        if field in mapping:
            raise SourceInvalid(f"--map {entry}: {field} is column {mapping[field]} already", hint="one column a field")
        mapping[field] = column
    return mapping


def _zone(name: str) -> tzinfo:
    from datetime import UTC
    from zoneinfo import ZoneInfo

    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise SourceInvalid(f"--timezone {name}: there is no such zone", hint="for example Europe/Berlin") from error
