"""`mgw audit`: who changed what; whether the trail is as it was written; and taking out what is old."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgw.cli.options import TIME, Json, Since, Until, moment_of
from mgw.cli.output import counted, out
from mgw.cli.project import current_project, project_session, project_trail
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from mgw.core.audit import EntryFilter, Verdict

app = typer.Typer(
    help="Look through, verify and thin out the audit trail.", no_args_is_help=True, rich_markup_mode=None
)

Anchor = Annotated[
    list[str] | None,
    typer.Option("--anchor", help="POSITION:HASH, an end of the chain that was kept; may be repeated."),
]
_FIELDS = ("position", "at", "user_id", "action", "resource_type", "resource_id", "details", "ip", "user_agent")
_DETAILS = 60


@app.command("list", short_help="List entries, the newest first, all or filtered.")
def list_entries(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    user: Annotated[str | None, typer.Option(help="Who acted.")] = None,
    action: Annotated[str | None, typer.Option(help="What was done, such as experiment.started.")] = None,
    resource_type: Annotated[str | None, typer.Option(help="To what kind of thing.")] = None,
    resource: Annotated[str | None, typer.Option(help="To which.")] = None,
    text: Annotated[str | None, typer.Option(help="Words that the entry has, each known by its beginning.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Entries at most.")] = 50,
    after: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on where a list has ended.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Without a limit; with --csv.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for other programs.")] = False,
    json: Json = False,
) -> None:
    """List entries, the newest first, under all of the filters that are given."""
    from mgw.core.audit import EntryFilter, page

    if everything and not as_csv:
        raise UsageInvalid("--all is for --csv", hint="--json has pages: --after takes the cursor of the one before")
    if as_csv and json:
        raise UsageInvalid("--csv and --json exclude each other")
    wanted = EntryFilter(
        None if since is None else moment_of(since, "--since"),
        None if until is None else moment_of(until, "--until"),
        user, action, resource_type, resource, text,
    )  # fmt: skip
    loaded = current_project(ctx)
    with project_session(loaded) as connection:
        if everything:
            _print_all(connection, wanted)
            return
        found = page(connection, wanted, limit=limit, after=after)
    if json:
        out.json({"entries": found.entries, "cursor": found.cursor})
    elif as_csv:
        out.print(_csv([dict(zip(_FIELDS, _FIELDS, strict=True)), *found.entries]))
    else:
        _show(found.entries)
    if found.cursor is not None and not json:
        out.note(f"there are more: --after {found.cursor}")


def _print_all(connection: Any, wanted: EntryFilter) -> None:  # noqa: ANN401 - psycopg is not loaded for its type
    from mgw.core.audit import pages

    out.print(_csv([dict(zip(_FIELDS, _FIELDS, strict=True))]))
    for entry in pages(connection, wanted):
        out.print(_csv([entry]))


def _csv(entries: list[dict[str, Any]]) -> str:
    import json as library

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for entry in entries:
        values = (entry[field] for field in _FIELDS)
        writer.writerow(library.dumps(each, sort_keys=True) if isinstance(each, dict) else each for each in values)
    return text.getvalue().rstrip("\n")


def _show(entries: list[dict[str, Any]]) -> None:
    import json as library

    if not entries:
        out.note("there is no such entry")
        return
    rows = []
    for entry in entries:
        details = library.dumps(entry["details"], ensure_ascii=False)
        resource = f"{entry['resource_type']} {entry['resource_id'] or ''}".rstrip()
        shown = details if len(details) <= _DETAILS else f"{details[: _DETAILS - 1]}…"
        rows.append((entry["at"][:19], entry["user_id"] or entry["ip"] or "", entry["action"], resource, shown))
    out.table("", ["at (UTC)", "who", "action", "what", "details"], rows)


@app.command(short_help="Look whether the trail is as it was written.")
def verify(
    ctx: typer.Context,
    anchor: Anchor = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `mgw audit purge` wrote, in place of the database.")
    ] = None,
    json: Json = False,
) -> None:
    """Look whether the trail is as it was written: no entry changed, taken out or put in.

    The end of the chain that is printed is worth keeping elsewhere: given back as --anchor it shows whether somebody
    who may write to the database made the chain anew. Exit code 1 if something is wrong.
    """
    from mgw.core.audit import Point, verify_export
    from mgw.core.audit import verify as look

    anchors = tuple(Point.parse(each) for each in anchor or ())
    if file is not None:
        verdict = verify_export(file, anchors)
    else:
        with project_session(current_project(ctx)) as connection, out.progress() as progress:
            verdict = look(connection, anchors, progress)
    _show_verdict(verdict, json=json)
    if verdict.broken:
        raise typer.Exit(1)


def _show_verdict(verdict: Verdict, *, json: bool) -> None:
    if json:
        document = {"entries": verdict.entries, "first": verdict.first, "end": str(verdict.end)}
        out.json({**document, "broken": list(verdict.broken)})
        return
    for problem in verdict.broken:
        out.print(problem)
    if not verdict.broken:
        how = "as it was written" if verdict.entries == 1 else "all as they were written"
        out.print(f"{counted(verdict.entries, 'entry', 'entries')} from {verdict.first} on, {how}")
        out.print(f"end of the chain: {verdict.end}")


@app.command(short_help="Take old entries out of the database, into a file.")
def purge(
    ctx: typer.Context,
    before: Annotated[str, typer.Option(metavar=TIME, help="Take out what is older: ISO 8601, or how long ago: 365d.")],
    to: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", help="File that the entries are written to first.", dir_okay=False),
    ],
    json: Json = False,
) -> None:
    """Take old entries out of the database, after they were written to a file; the chain stays whole.

    `mgw audit verify --file` verifies the file. The trail has an entry about it.
    """
    from mgw.core.audit import purge as take_out
    from mgw.core.changes import Actor

    moment = moment_of(before, "--before")
    with project_session(current_project(ctx)) as connection, out.progress() as progress:
        purged = take_out(connection, moment, to, Actor.on_this_machine(), progress)
    if json:
        out.json({"entries": purged.entries, "last": purged.last, "file": str(to) if purged.entries else None})
    elif purged.entries:
        out.print(f"{purged.entries:,} entries, up to {purged.last}, are in {to} and no longer in the database")
    else:
        out.print("there is no entry as old as that")


@app.command(short_help="Write to the database what was noted while it was away.")
def flush(ctx: typer.Context, json: Json = False) -> None:
    """Write to the database what was noted while it was away; commands that use it do so by themselves.

    Exit code 1 if something is left.
    """
    loaded = current_project(ctx)
    trail = project_trail(loaded)
    before = trail.backlog
    with project_session(loaded):
        left = trail.backlog
    if json:
        out.json({"written": before - left, "left": left})
    else:
        out.print(f"files written: {before - left}, left: {left}")
    if left:
        raise typer.Exit(1)
