"""Checking with a database: each query is described again, and the two descriptions are compared field by field.

What a query does not depend on cannot make a difference: a new table, or a new column that it does not read, is no
drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.sql.check.blame import Blame
from mgw.sql.check.difference import Difference
from mgw.sql.describe import Describer
from mgw.sql.errors import QueryFault
from mgw.sql.preparing import read_queries

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from psycopg import Connection

    from mgw.sql.description import Column, Description
    from mgw.sql.prepared import Prepared
    from mgw.sql.source import Query

_HINT = "migrate the database, or describe the queries anew with `mgw prepare`"


def check_live(
    connection: Connection[Any], folder: Path, prepared: Mapping[str, Prepared], migrations: Path | None
) -> list[Difference]:
    """Return what the database says otherwise than the descriptions that are kept.

    Args:
        connection: to the database, in autocommit; everything is rolled back.
        folder: of the queries.
        prepared: what is kept.
        migrations: their folder, to name the one that changed a column.

    Raises:
        TempDenied: the user may not create temporary objects.
    """
    queries, _ = read_queries(folder)  # what cannot be read is said without a database
    describer = Describer(connection, queries, plan=False)
    blame = Blame(migrations)
    found: list[Difference] = []
    for name, query in queries.items():
        kept = prepared.get(name)
        if kept is None or kept.description is None or kept.description.query != query.checksum:
            continue  # the same
        try:
            found += _compare(query, kept.description, describer.describe(query), blame)
        except QueryFault as fault:
            found.append(_refused(query, kept.description, fault, blame))
    return _with_others(found)


def _compare(query: Query, before: Description, now: Description, blame: Blame) -> Iterator[Difference]:
    lines = list(_changes(before, now))
    if not lines:
        return
    sources = [column.source for column in (*before.columns, *now.columns) if column.source]
    changed = [source for source in dict.fromkeys(sources) if any(source in line for line in lines)]
    message = f"{query.name}: the database is not what it was described against"
    blamed = blame.sentence(changed)
    yield Difference(
        "drift", query.name, query.path, message + (f"; {blamed}" if blamed else ""), diff="\n".join(lines), hint=_HINT
    )


def _changes(before: Description, now: Description) -> Iterator[str]:
    """Yield a line for what was and a line for what is, for everything that matters to whoever runs the query."""
    if before.returns != now.returns:
        yield from (f"-returns {before.returns}", f"+returns {now.returns}")
    old, new = {each.name: each for each in before.parameters}, {each.name: each for each in now.parameters}
    for name, parameter in old.items():
        if parameter.type != new[name].type:
            yield from (f"-parameter {name}: {parameter.type}", f"+parameter {name}: {new[name].type}")
    yield from _column_changes(before, now)
    for name in sorted({*before.types, *now.types}):
        one, other = before.types.get(name), now.types.get(name)
        if one is not None and other is not None and one != other:
            parts = (
                ("labels", one.labels, other.labels),
                ("fields", one.fields, other.fields),
                ("of", one.of, other.of),
            )
            for part, was, is_now in parts:
                if was != is_now:
                    yield from (f"-type {name} {part}: {was}", f"+type {name} {part}: {is_now}")


def _column_changes(before: Description, now: Description) -> Iterator[str]:
    was, is_now = [_shown(each) for each in before.columns], [_shown(each) for each in now.columns]
    if was == is_now:
        return
    for index in range(max(len(was), len(is_now))):
        one = was[index] if index < len(was) else None
        other = is_now[index] if index < len(is_now) else None
        if one != other:
            yield from (f"{sign}column {text}" for sign, text in (("-", one), ("+", other)) if text)


def _shown(column: Column) -> str:
    null = "" if column.nullable else " not null"
    source = f" ({column.source})" if column.source else ""
    return f"{column.name}: {column.type}{null}{source}"


def _refused(query: Query, before: Description, fault: QueryFault, blame: Blame) -> Difference:
    missing = [each for each in before.dependencies if _is_named(each, fault.summary)]
    sources = [column.source for column in before.columns if column.source and _is_named(column.source, fault.summary)]
    blamed = blame.sentence(list(dict.fromkeys([*missing, *sources])))
    message = f"{query.name}: the database refuses it: {fault.summary}"
    return Difference(
        "drift",
        query.name,
        query.path,
        message + (f"; {blamed}" if blamed else ""),
        fault.line,
        fault.column,
        diff=fault.message.partition("\n")[2],
        hint=_HINT,
    )


def _is_named(dependency: str, message: str) -> bool:
    """Return whether a message is about a table or column: PostgreSQL names a column with the query's own alias."""
    words = message.replace('"', " ").replace(".", " ").split()
    return all(part in words for part in dependency.split(".")[-1:])


def _with_others(found: list[Difference]) -> list[Difference]:
    """Return the differences, those of one cause together."""
    return sorted(found, key=lambda each: (each.message.partition("; ")[2], each.query or ""))
