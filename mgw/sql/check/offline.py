"""Checking without a database: texts against descriptions, descriptions against accessors, by checksums.

Nothing is parsed that fits, so a thousand queries take a fraction of a second; only what does not fit is looked into,
to say what changed.
"""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

from mgw.sql.check.difference import Difference, of_fault
from mgw.sql.errors import NothingPrepared
from mgw.sql.prepared import read_prepared
from mgw.sql.record import changed_migrations, migration_checksums
from mgw.sql.source import read_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mgw.sql.accessors import Block
    from mgw.sql.description import Description
    from mgw.sql.prepared import Prepared
    from mgw.sql.record import Record
    from mgw.sql.source import SourceFile

_DAMAGES = {
    "edited": "the description was edited by hand",
    "foreign": "the description has a format that this version does not read",
}


def check_offline(
    queries: Path, *, migrations: Path | None, module: Path | None, record: Record
) -> tuple[list[Difference], dict[str, Prepared]]:
    """Compare a folder of queries with what is kept of it; return every difference, and the descriptions.

    Args:
        queries: the folder.
        migrations: folder of the migrations that the schema is made from, if there is one.
        module: file of the accessors, if there is one.
        record: what the folder was prepared with.

    Raises:
        QueriesMissing: the folder does not exist, or there is no query in it.
        NothingPrepared: no query was ever described.
    """
    files, faults = read_folder(queries)
    prepared = read_prepared(queries)
    if not prepared:
        raise NothingPrepared(f"the queries in {queries} were never described", hint="run `mgw prepare`")
    differences = [of_fault(fault) for fault in faults]
    differences += _descriptions(files, prepared)
    if migrations is not None and record.migrations is not None:
        differences += _schema(migrations, record)
    if module is not None:
        differences += _module(module, files, prepared)
    return sorted(differences, key=lambda each: (str(each.path), each.line, each.rule)), prepared


def _descriptions(files: Mapping[str, SourceFile], prepared: Mapping[str, Prepared]) -> Iterator[Difference]:
    for name, file in files.items():
        kept = prepared.get(name)
        if kept is None:
            yield Difference("undescribed", name, file.path, f"{name} has no description")
        elif kept.description is None:
            damage = kept.damage or "edited"
            yield Difference(damage, name, kept.path, f"{name}: {_DAMAGES[damage]}")
        elif kept.description.query != file.checksum:
            yield Difference("stale", name, file.path, f"{name} was changed after it was described")
        else:
            yield from _needs(file, kept.description, files)
    for name, kept in prepared.items():
        if name not in files:
            yield Difference("left-over", name, kept.path, f"there is no query {name} for this description")


def _needs(file: SourceFile, description: Description, files: Mapping[str, SourceFile]) -> Iterator[Difference]:
    for name, checksum in description.needs.items():
        if name not in files or files[name].checksum != checksum:
            change = "changed" if name in files else "removed"
            message = f"{name}, which {file.name} needs, was {change} after that was described"
            yield Difference("stale", file.name, file.path, message)


def _schema(migrations: Path, record: Record) -> Iterator[Difference]:
    for change in changed_migrations(record.files, migration_checksums(migrations)):
        path = migrations / change.partition(" ")[0]
        yield Difference("schema", None, path, f"{change} after the queries were described")


def _module(module: Path, files: Mapping[str, SourceFile], prepared: Mapping[str, Prepared]) -> Iterator[Difference]:
    from mgw.sql.accessors import PREAMBLE, TYPES, read_module, types_block  # noqa: PLC0415 - not every folder has one

    try:
        text = module.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
    except OSError as error:
        yield Difference("module", None, module, f"the accessors cannot be read: {error.strerror or error}")
        return
    preamble, blocks = read_module(text)
    usable = {name: kept.description for name, kept in prepared.items() if kept.description and name in files}
    if preamble != PREAMBLE:
        yield Difference(
            "module",
            None,
            module,
            "the beginning of the module is not what is generated",
            diff=_diff(preamble, PREAMBLE),
        )
    types = types_block(usable.values())
    if TYPES not in blocks or blocks[TYPES].text != types:
        before = blocks[TYPES].text if TYPES in blocks else ""
        yield Difference("module", None, module, "the types are not those of the queries", diff=_diff(before, types))
    yield from _accessors(module, text, blocks, files, prepared)
    for name in sorted(set(blocks) - set(files) - {TYPES}):
        message = f"there is no query {name} for this accessor"
        yield Difference("left-over", name, module, message, line=_line(text, blocks[name]))


def _accessors(
    module: Path,
    text: str,
    blocks: Mapping[str, Block],
    files: Mapping[str, SourceFile],
    prepared: Mapping[str, Prepared],
) -> Iterator[Difference]:
    from mgw.sql.accessors import inputs  # noqa: PLC0415 - as above

    for name, file in files.items():
        kept, block = prepared.get(name), blocks.get(name)
        if kept is None or kept.description is None:
            continue  # said of the description already
        if block is None:
            yield Difference("module", name, module, f"{name} has no accessor")
        elif not block.intact or block.inputs != inputs(file.checksum, kept.checksum):
            rule, message = ("module", f"the accessor of {name} is stale")
            if not block.intact:
                rule, message = ("edited", f"the accessor of {name} was edited by hand")
            diff = _diff(block.text, _regenerated(file, kept.description))
            yield Difference(rule, name, module, message, line=_line(text, block), diff=diff)


def _regenerated(file: SourceFile, description: Description) -> str:
    """Return the accessor that the text of today gives with the description that is kept, where the two go together."""
    from mgw.sql.accessors import query_block  # noqa: PLC0415 - as above
    from mgw.sql.errors import QueryFault  # noqa: PLC0415 - as above
    from mgw.sql.source import parse  # noqa: PLC0415 - as above

    try:
        query = parse(file)
        return query_block(query, description)
    except (QueryFault, KeyError):  # a new parameter: what it becomes is for the next `mgw prepare` to find out
        return file.text


def _line(text: str, block: Block) -> int:
    return text.count("\n", 0, text.find(block.text)) + 1


def _diff(before: str, after: str) -> str:
    lines = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return "\n".join(list(lines)[2:])  # without the names of two files that are none
