"""`mgw prepare`: read the queries, describe them, and keep the descriptions and the accessors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mgw.core.files import storage_errors, write_atomic
from mgw.sql.accessors import module_source
from mgw.sql.describe import Describer
from mgw.sql.errors import QueryFault
from mgw.sql.prepared import read_prepared, write_prepared
from mgw.sql.record import read_record, record_of, relative, write_record
from mgw.sql.source import parse, read_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from psycopg import Connection

    from mgw.sql.description import Description
    from mgw.sql.memory import Memory
    from mgw.sql.prepared import Prepared
    from mgw.sql.source import Query


@dataclass(slots=True)
class Described:
    """The queries of a folder, what is known of them, and what is wrong with the others.

    Attributes:
        queries: those that could be read.
        descriptions: of those that PostgreSQL takes.
        faults: of the others, in the order of their files.
    """

    queries: dict[str, Query] = field(default_factory=dict)
    descriptions: dict[str, Description] = field(default_factory=dict)
    faults: list[QueryFault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Written:
    """What changed on the disk.

    Attributes:
        written: descriptions that are new or other than before.
        removed: descriptions of queries that are gone.
        module: whether the module of the accessors is other than before.
    """

    written: int
    removed: int
    module: bool


def read_queries(folder: Path, known: Mapping[str, Query] | None = None) -> tuple[dict[str, Query], list[QueryFault]]:
    """Read and parse every query of a folder; return them by name, and what is wrong with the others.

    Args:
        folder: of the queries.
        known: queries that were parsed before; those whose files are the same are taken as they are.

    Raises:
        QueriesMissing: the folder does not exist, or there is no query in it.
    """
    files, faults = read_folder(folder)
    queries: dict[str, Query] = {}
    for name, file in files.items():
        before = known.get(name) if known else None
        try:
            queries[name] = before if before is not None and before.checksum == file.checksum else parse(file)
        except QueryFault as fault:
            faults.append(fault)
    return queries, faults


def described_before(folder: Path, memory: Memory) -> Described:
    """Return what need not be described again, for `describe_folder`.

    Raises:
        QueriesMissing: the folder does not exist, or there is no query in it.
    """
    queries, _ = read_queries(folder)
    known = memory.known(folder, {name: query.checksum for name, query in queries.items()})
    descriptions = {name: kept.description for name, kept in known.items() if kept.description is not None}
    return Described(queries, descriptions)


def describe_folder(
    connection: Connection[Any], folder: Path, *, plan: bool, before: Described | None = None
) -> Described:
    """Describe every query of a folder.

    Args:
        connection: in autocommit; everything is rolled back.
        folder: of the queries.
        plan: whether to look for predicates without an index, which is for a shadow database.
        before: what was described a moment ago, on the same schema; only what has changed is described again.

    Raises:
        QueriesMissing: the folder does not exist, or there is no query in it.
        TempDenied: the user may not create temporary objects.
    """
    before = before or Described()
    queries, faults = read_queries(folder, before.queries)
    same = {name for name in queries if name in before.descriptions and _is_unchanged(name, queries, before.queries)}
    found = Described(queries, {name: before.descriptions[name] for name in same}, faults)
    changed = [query for name, query in queries.items() if name not in same]
    for answer in Describer(connection, queries, plan=plan).describe_each(changed):
        if isinstance(answer, QueryFault):
            found.faults.append(answer)
        else:
            found.descriptions[answer.name] = answer
    found.faults.sort(key=lambda fault: (str(fault.path), fault.line, fault.column))
    return found


def _is_unchanged(name: str, queries: Mapping[str, Query], before: Mapping[str, Query]) -> bool:
    """Return whether a query, and what it needs, is the very one that was there before."""
    names = (name, *queries[name].header.needs)
    return all(queries.get(each) is before.get(each) for each in names)


def keep(found: Described, folder: Path, *, migrations: Path | None, module: Path | None) -> Written:
    """Write what is known of the queries of a folder, and nothing that is there already.

    A query that is at fault keeps the description that it had; with such a query there is no whole module, so that is
    left as it is too.

    Args:
        found: what is to be kept.
        folder: of the queries.
        migrations: folder of the migrations that the schema was made from; None where a database was looked at.
        module: file of the accessors; None for none.
    """
    prepared = read_prepared(folder)
    at_fault = {name for name in prepared if _is_there(folder, name) and name not in found.descriptions}
    descriptions = found.descriptions if migrations else _with_former_plans(found.descriptions, prepared)
    written, removed = write_prepared(folder, descriptions, keep=at_fault)
    changed = False
    if module is not None and not found.faults:
        pieces = ((found.queries[name], description) for name, description in descriptions.items())
        changed = _write_if_changed(module, module_source(pieces).encode())
    if not found.faults:
        former = replace(read_record(folder), module=relative(module, folder) if module else None)
        write_record(folder, record_of(folder, migrations, module) if migrations else former)
    return Written(written, removed, changed)


def _with_former_plans(
    descriptions: Mapping[str, Description], prepared: Mapping[str, Prepared]
) -> dict[str, Description]:
    """Return descriptions that were made without plans, with the findings that are kept of the same query."""
    found = dict(descriptions)
    for name, description in descriptions.items():
        kept = prepared[name].description if name in prepared else None
        if kept is not None and kept.query == description.query:
            found[name] = replace(description, plan=kept.plan)
    return found


def _is_there(folder: Path, name: str) -> bool:
    return (folder / f"{name}.sql").is_file()


def _write_if_changed(path: Path, content: bytes) -> bool:
    with storage_errors(path):
        if path.is_file() and path.read_bytes() == content:
            return False
    write_atomic(path, content)
    return True
