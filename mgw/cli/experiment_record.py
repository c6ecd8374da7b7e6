"""`mgw experiment record`: conversions from a file, or one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.options import At, Json, moment_of
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session
from mgw.core.errors import RowsInvalid, SourceInvalid, UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.experiments.conversions import Conversion

_REQUIRED = ("user", "event", "key")
_OPTIONAL = ("value", "at", "experiment")
_BATCH = 10_000
_SHOWN = 10


def record(
    ctx: typer.Context,
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV or Parquet: user, event, key, and value, at, experiment.", dir_okay=False),
    ] = None,
    user: Annotated[str | None, typer.Option(help="One conversion, of this user.")] = None,
    event: Annotated[str | None, typer.Option(help="What the user did.")] = None,
    key: Annotated[
        str | None, typer.Option(help="The same key is the same conversion, however often it comes.")
    ] = None,
    value: Annotated[float, typer.Option(help="What it is worth.")] = 1.0,
    at: At = None,
    experiment: Annotated[str, typer.Option(help="For this experiment alone. Default: all that count the event.")] = "",
    json: Json = False,
) -> None:
    """Record conversions: all of a file, or none where one of them cannot be.

    `key` tells one conversion from another: what is recorded again with the same key changes nothing. Events that begin
    with viewing. are read from the viewing events and need not be recorded.
    """
    from mgw.experiments.conversions import Conversion, conversion_faults, record_conversions

    now = datetime.now(UTC)
    if file is not None:
        if user is not None or event is not None or key is not None:
            raise UsageInvalid("a file and --user exclude each other", hint="leave one of them out")
        lines, given = _read(file, now)
    elif user and event and key:
        moment = now if at is None else moment_of(at, "--at")
        one = Conversion(
            user_id=user, event=event, idempotency_key=key, converted_at=moment, value=value, experiment=experiment
        )
        lines, given = [], [one]
    else:
        raise UsageInvalid("a conversion takes --user, --event and --key", hint="or a file with these columns")
    new = 0
    with project_session(current_project(ctx)) as connection, connection.transaction():
        faults = [
            f"line {lines[place]}, {key}: {problem}" if lines else f"{key}: {problem}"
            for place, key, problem in conversion_faults(connection, given, now)
        ]
        if faults:
            more = f"\n  and {len(faults) - _SHOWN:,} more" if len(faults) > _SHOWN else ""
            raise RowsInvalid(
                "nothing was recorded:\n  " + "\n  ".join(faults[:_SHOWN]) + more,
                hint="`mgw experiment show NAME` lists what is counted",
            )
        for start in range(0, len(given), _BATCH):
            new += record_conversions(connection, given[start : start + _BATCH])
    if json:
        out.json({"given": len(given), "new": new})
    else:
        out.print(f"{len(given):,} conversions, {new:,} new rows (one for each experiment that counts them)")


def _read(file: Path, now: datetime) -> tuple[list[int], list[Conversion]]:
    """Read a file; the lines are those that conversions are on."""
    from mgw.ingest.tables import open_table, read_rows

    lines: list[int] = []
    found: list[Conversion] = []
    with open_table(file) as table, out.progress() as progress:
        missing = [name for name in _REQUIRED if name not in table.columns]
        if missing:
            raise SourceInvalid(
                f"{file}: no column {', '.join(missing)}", hint=f"columns: {', '.join(_REQUIRED + _OPTIONAL)}"
            )
        places = {name: table.columns.index(name) for name in _REQUIRED + _OPTIONAL if name in table.columns}
        for line, values in read_rows(table, progress):
            if len(values) != len(table.columns):
                raise RowsInvalid(f"{file}, line {line}: {len(values)} values in {len(table.columns)} columns")
            row = {name: values[place].strip() for name, place in places.items()}
            found.extend(_conversion(row, f"{file}, line {line}", now))
            lines.append(line)
    return lines, found


def _conversion(row: dict[str, str], where: str, now: datetime) -> Iterator[Conversion]:
    from mgw.experiments.conversions import Conversion
    from mgw.ingest.values import Unusable, check_name, moment

    try:
        for name in _REQUIRED:
            check_name(row[name], name)
        yield Conversion(
            user_id=row["user"],
            event=row["event"],
            idempotency_key=row["key"],
            converted_at=(moment(row["at"], "at") or now) if row.get("at") else now,
            value=float(row.get("value") or 1.0),
            experiment=row.get("experiment", ""),
        )
    except Unusable as error:
        raise RowsInvalid(f"{where}: {error.reason}") from error
    except ValueError as error:
        raise RowsInvalid(f"{where}, column value: {row['value']!r} is not a number") from error
