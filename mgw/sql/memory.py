"""What was described on this machine: so that the next `mgw prepare` describes only what has changed.

A description says which text it was made from, but not on which schema, nor by which version of the program. Only
whoever made it knows, and notes it here: in the project's own folder of what it keeps, not in the repository. A
description that came with a branch from somebody else is not in there, and so is made again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mgw import __version__
from mgw.core.files import storage_errors, write_atomic
from mgw.core.resources import resource
from mgw.sql.check import check_offline
from mgw.sql.prepared import checksum_of, encode, read_prepared
from mgw.sql.record import migration_checksums, read_record, record_of
from mgw.sql.source import read_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mgw.sql.description import Description
    from mgw.sql.prepared import Prepared

_PACKAGE = Path(__file__).parent


class _Note(msgspec.Struct, frozen=True):
    """What the file holds: what everything was made with, and the checksums of the descriptions."""

    made_with: str
    descriptions: frozenset[str]


class Memory:
    """The descriptions of one folder of queries that were made here, with this program and these migrations.

    Args:
        state: the folder in which the project keeps what can be made again.
        queries: the folder of queries.
        migrations: the folder of the migrations that the schema is made from.
    """

    def __init__(self, state: Path, queries: Path, migrations: Path) -> None:
        name = hashlib.sha256(str(queries.resolve()).encode()).hexdigest()[:16]
        self._path = state / "described" / f"{name}.json"
        self._made_with = _made_with(migrations)
        self._made_here = self._read()

    def known(self, queries: Path, checksums: Mapping[str, str]) -> dict[str, Prepared]:
        """Return the descriptions, by name, that would come out the same if they were made again.

        Args:
            queries: the folder of queries.
            checksums: of the queries that are there now, by name.
        """
        if not self._made_here:
            return {}
        return {name: kept for name, kept in read_prepared(queries).items() if self._is_current(kept, checksums)}

    def _is_current(self, kept: Prepared, checksums: Mapping[str, str]) -> bool:
        made = kept.description
        return (
            made is not None
            and kept.checksum in self._made_here
            and checksums.get(kept.name) == made.query
            and all(checksums.get(name) == checksum for name, checksum in made.needs.items())
        )

    def is_current(self, queries: Path, *, migrations: Path, module: Path | None) -> bool:
        """Return whether everything about a folder is as preparing it would leave it; nothing is parsed for that.

        Raises:
            QueriesMissing: the folder does not exist, or there is no query in it.
        """
        files, faults = read_folder(queries)
        record = read_record(queries)
        known = self.known(queries, {name: file.checksum for name, file in files.items()})
        if faults or known.keys() != files.keys() or record != record_of(queries, migrations, module):
            return False
        differences, _ = check_offline(queries, migrations=migrations, module=module, record=record)
        return not differences

    def note(self, descriptions: Iterable[Description]) -> None:
        """Note what is described now, and forget everything else."""
        made_here = frozenset(checksum_of(encode(each)) for each in descriptions)
        if made_here != self._made_here:
            self._made_here = made_here
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, msgspec.json.encode(_Note(self._made_with, made_here), order="sorted"))

    def _read(self) -> frozenset[str]:
        try:
            note = msgspec.json.decode(self._path.read_bytes(), type=_Note)
        except (OSError, msgspec.MsgspecError):
            return frozenset()  # whatever is wrong with it: then everything is described
        return note.descriptions if note.made_with == self._made_with else frozenset()


def _made_with(migrations: Path) -> str:
    """Return a checksum of all that a description is made from beside the query: the program's text, and the schema."""
    digest = hashlib.sha256(__version__.encode())
    with storage_errors(_PACKAGE, "read"):
        for path in (*sorted(_PACKAGE.rglob("*.py")), *sorted((resource("queries") / "prepare").glob("*.sql"))):
            digest.update(path.read_bytes())
    digest.update(msgspec.json.encode(migration_checksums(migrations), order="sorted"))
    return digest.hexdigest()
