"""What a folder of queries was prepared with: the migrations and the module, kept in `queries/.prepared/.project.json`.

So `mgw check` needs no options to know which module the accessors are in, and finds without a database that a migration
was added after the queries were described.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mgw.core.files import storage_errors, write_atomic
from mgw.sql.source import PREPARED

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = ".project.json"


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder was prepared with; paths are relative to the folder of queries, with `/`.

    Attributes:
        migrations: their folder, or None where a database was described as it is.
        files: SHA-256 of each migration, by file name.
        module: the file of the accessors, or None.
    """

    migrations: str | None = None
    files: dict[str, str] = {}
    module: str | None = None


def record_of(queries: Path, migrations: Path, module: Path | None) -> Record:
    """Return the record of a folder that is prepared with these."""
    return Record(
        migrations=relative(migrations, queries),
        files=migration_checksums(migrations),
        module=relative(module, queries) if module else None,
    )


def read_record(queries: Path) -> Record:
    """Return what a folder was prepared with; an empty record where it was not, or where the file is damaged."""
    try:
        return msgspec.json.decode((queries / PREPARED / RECORD).read_bytes(), type=Record)
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return Record()


def write_record(queries: Path, record: Record) -> None:
    """Keep what a folder was prepared with."""
    path = queries / PREPARED / RECORD
    if record == read_record(queries) and path.is_file():
        return
    content = msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=2) + b"\n"
    write_atomic(path, content)


def migration_checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of each migration of a folder, by file name."""
    found = {}
    with storage_errors(folder, "read"):
        for path in sorted(folder.glob("*.sql")):
            content = path.read_bytes().removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
            found[path.name] = hashlib.sha256(content).hexdigest()
    return found


def relative(path: Path, queries: Path) -> str:
    """Return a path relative to the folder of queries, the same on every machine."""
    return Path(os.path.relpath(path.resolve(), queries.resolve())).as_posix()


def resolved(path: str | None, queries: Path) -> Path | None:
    """Return a path of a record as it is on this machine, as short as it can be named from here."""
    if path is None:
        return None
    return Path(os.path.relpath((queries / path).resolve()))


def changed_migrations(recorded: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Return a sentence for each migration that is not as it was when the queries were described."""
    changes = [f"{name} was added" for name in present if name not in recorded]
    changes += [f"{name} was edited" for name in present if recorded.get(name, present[name]) != present[name]]
    return changes + [f"{name} is gone" for name in recorded if name not in present]
