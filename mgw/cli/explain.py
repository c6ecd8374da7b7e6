"""`mgw explain`: what is known of one query, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.prepare import DatabaseOption, MigrationsOption, QueriesOption, ShadowOption, describing_on, places, schema

if TYPE_CHECKING:
    from mgw.sql.description import Description
    from mgw.sql.source import Query

_ROWS = {
    "one": "exactly one row",
    "optional": "one row or none",
    "many": "any number of rows",
    "execute": "no rows, but how many it touched",
    "copy": "a stream in COPY's binary format",
}


def explain(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="Name of a query, such as graph/genre_similar, or its file.")],
    queries: QueriesOption = None,
    migrations: MigrationsOption = None,
    database: DatabaseOption = None,
    shadow: ShadowOption = False,
    json: Json = False,
) -> None:
    """Show what a query takes and gives, why a column can be NULL, and which index it lacks.

    It is described anew, as it stands in its file; nothing is executed.
    """
    from mgw.sql.describe import Describer
    from mgw.sql.preparing import read_queries

    found = places(queries, migrations, None)
    known, faults = read_queries(found.queries)
    name = _named(query, known, [fault for fault in faults if fault.path.stem == query.rsplit("/", 1)[-1]])
    with schema(describing_on(ctx, database, shadow=shadow), found.migrations) as (connection, made_from):
        description = Describer(connection, known, plan=made_from is not None).describe(known[name])
    unplanned = _unplanned(description, on_shadow=made_from is not None)
    if json:
        import msgspec

        out.json(msgspec.to_builtins(description) | ({"plan": None} if unplanned else {}))
    else:
        _show(known[name], description, unplanned)


def _named(query: str, known: dict[str, Query], faults: list[Exception]) -> str:
    from difflib import get_close_matches

    from mgw.sql.errors import QueryUnknown

    for name, each in known.items():
        if query == name or query == str(each.path):
            return name
    if faults:
        raise faults[0]
    near = get_close_matches(query, known, 1)
    raise QueryUnknown(
        f"there is no query {query}", hint=f"did you mean {near[0]}?" if near else "`mgw prepare` reads the same folder"
    )


def _unplanned(description: Description, *, on_shadow: bool) -> str:
    """Return why no missing index was looked for; nothing where it was."""
    if not on_shadow:
        return "Which index it lacks is found on a shadow database only: --shadow."
    called = [each for each in description.dependencies if "(" in each]
    if called:
        return f"Whether it lacks an index was not looked for: PostgreSQL might run {called[0]} while it plans."
    return ""


def _show(query: Query, description: Description, unplanned: str) -> None:
    if query.header.description:
        out.print(query.header.description)
    if description.returns is None:
        out.print("\nA utility statement: PostgreSQL does not describe it.")
        return
    proved = "" if description.returns_proved else ", as its header says"
    out.print(f"\nGives {_ROWS[description.returns]}{proved}.\n")
    if description.parameters:
        rows = [(f":{each.name}", each.type, "may be NULL" if each.nullable else "") for each in description.parameters]
        out.table("Parameters", ["", "", ""], rows)
        out.print("")
    if description.columns:
        cells = [
            (
                each.name,
                each.type,
                "can be NULL" if each.nullable else "never NULL",
                each.source,
                "; ".join(each.reasons),
            )
            for each in description.columns
        ]
        out.table("Columns", ["", "", "", "is", "because"], cells)
        out.print("")
    if description.dependencies:
        out.print(f"Depends on {', '.join(description.dependencies)}")
    if unplanned:
        out.print(f"\n{unplanned}")
    for finding in description.plan:
        out.print(f"\nNo index serves {finding.predicate} on {finding.table}: every row is read. This one would:")
        out.print(f"    {finding.index};")
