"""The chain of the audit trail: whether it is whole, and taking its beginning out without breaking it.

Each entry has the SHA-256 of the hash before it and of what it says (`audit_content` in the migrations). Who may write
to the database could compute all of it anew; so the end of the chain is worth keeping elsewhere, and can be asked for.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from mgw.core.changes import Action, Change
from mgw.core.database import queries
from mgw.core.database.recording import record
from mgw.core.errors import AuditExportInvalid, UsageInvalid
from mgw.core.files import file_published_as, storage_errors
from mgw.core.progress import SILENT

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import BinaryIO

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.changes import Actor
    from mgw.core.progress import Progress

_PART = 50_000
_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Point:
    """A place of the chain.

    Attributes:
        position: of the entry; 0 is before all of them.
        hash: that it has.
    """

    position: int
    hash: bytes

    @classmethod
    def parse(cls, text: str) -> Point:
        """Read what `str` writes.

        Raises:
            UsageInvalid: it is something else.
        """
        match = _ANCHOR.fullmatch(text.strip().lower())
        if match is None:
            raise UsageInvalid(f"{text!r} is no anchor", hint="POSITION:HASH, as `mgw audit verify` ends with")
        return cls(int(match[1]), bytes.fromhex(match[2]))

    def __str__(self) -> str:
        return f"{self.position}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a chain.

    Attributes:
        entries: that were looked at.
        first: position of the first one.
        end: of the chain, to be kept elsewhere.
        broken: what is wrong, in words; empty where nothing is.
    """

    entries: int
    first: int
    end: Point
    broken: tuple[str, ...]


def verify(connection: Connection[TupleRow], anchors: tuple[Point, ...] = (), progress: Progress = SILENT) -> Verdict:
    """Look whether the trail is as it was written; others may add to it meanwhile.

    Args:
        connection: to the database.
        anchors: ends of the chain that were kept elsewhere.
        progress: where to report.
    """
    ends = queries.audit_ends(connection)
    point = begin = Point(ends.purged_position, ends.purged_hash)
    broken: list[str] = []
    entries = 0
    with progress.stage("Verifying", total=max(ends.position - begin.position, 0)) as stage:
        while True:
            part = queries.audit_first_break(
                connection, position=point.position, hash=point.hash, size=_PART, last=ends.position
            )
            if part.broken is not None and not broken:
                broken.append(f"entry {part.broken} is not what was written, or does not follow the one before")
            entries += part.entries
            stage.advance(part.entries)
            if part.last is None:
                if point.position >= ends.position:
                    break
                broken.append(f"entries {point.position + 1} to {ends.position} are gone")
                break
            point = Point(part.last, queries.audit_hash_at(connection, position=part.last) or b"")
    if broken and queries.audit_ends(connection).purged_position != ends.purged_position:
        return verify(connection, anchors, progress)  # somebody took old entries out meanwhile
    end = Point(ends.position, ends.hash)
    if not broken and point != end:
        broken.append(f"the chain ends with {point.position}, and its end was noted as {end.position}")
    broken += [problem for anchor in anchors if (problem := _missed(connection, anchor, begin, end))]
    return Verdict(entries, begin.position + 1, end, tuple(broken))


def _missed(connection: Connection[TupleRow], anchor: Point, begin: Point, end: Point) -> str | None:
    """Say what is wrong where the chain does not go through a point."""
    if anchor.position < begin.position:
        return f"entry {anchor.position} was purged: the anchor can be held against the export that has it"
    if anchor.position > end.position:
        return f"the chain ends with {end.position}, before the anchor {anchor.position}"
    known = begin.hash if anchor.position == begin.position else queries.audit_hash_at(
        connection, position=anchor.position
    )  # fmt: skip
    return None if known == anchor.hash else f"entry {anchor.position} is another one than when the anchor was kept"


@dataclass(frozen=True, slots=True)
class Purged:
    """What a purge took out.

    Attributes:
        entries: how many.
        last: the last of them, by position.
    """

    entries: int
    last: int


class _Line(Struct, omit_defaults=True):
    """A line of an export: what was hashed is kept letter by letter.

    Attributes:
        hash: of the entry.
        entry: what it says.
        previous: the hash before it, in the first line: the others have it in the line above.
    """

    hash: str
    entry: msgspec.Raw
    previous: str | None = None


def purge(
    connection: Connection[TupleRow], before: datetime, export: Path, actor: Actor, progress: Progress = SILENT
) -> Purged:
    """Write the entries older than a moment to a file, and take them out of the database.

    The file is whole and on the disk before one of them goes. An old entry behind a newer one, which had waited for the
    database, stays as long as that.

    Args:
        connection: in no transaction.
        before: the moment.
        export: the file, which must not be there.
        actor: who does it; the trail says so.
        progress: where to report.

    Raises:
        UsageInvalid: the file is there.
        DiskFull: it cannot be written.
    """
    if export.exists():
        raise UsageInvalid(f"{export} is there already", hint="each purge has a file of its own")
    with connection.transaction():
        ends = queries.audit_ends(connection)
        last = queries.audit_last_before(connection, before=before)
        if last is None or last <= ends.purged_position:
            return Purged(0, ends.purged_position)
        with progress.stage("Exporting", total=last - ends.purged_position) as stage, file_published_as(export) as file:
            position, previous = ends.purged_position, ends.purged_hash.hex() or None
            while rows := queries.audit_export(connection, position=position, last=last, top_k=_PART):
                for row in rows:
                    line = _Line(row.hash, msgspec.Raw(row.content.encode()), previous)
                    file.write(msgspec.json.encode(line) + b"\n")
                    previous = None
                position = rows[-1].position
                stage.advance(len(rows))
        queries.audit_begin_retention(connection)
        gone = queries.audit_purge(connection, last=last)
        queries.audit_end_retention(connection)
        details = {"before": before.isoformat(), "entries": gone, "file": str(export)}
        record(connection, actor, Change(Action.AUDIT_PURGED, "audit", str(last), details))
        return Purged(gone, last)


def verify_export(path: Path, anchors: tuple[Point, ...] = ()) -> Verdict:
    """Look whether an export is as it was written.

    Raises:
        AuditExportInvalid: it is none.
        FileUnreadable: it may not be read.
    """
    with storage_errors(path, "read"), path.open("rb") as file:
        return _verify_lines(path, file, {anchor.position: anchor.hash for anchor in anchors})


def _hash_before(position: int, line: _Line) -> bytes:
    """Return the hash before the first line of an export, which has it unless it begins with the chain."""
    found = bytes.fromhex(line.previous or "")
    if len(found) != (hashlib.sha256().digest_size if position > 1 else 0):
        raise ValueError("the hash before it is not there")
    return found


def _verify_lines(path: Path, file: BinaryIO, anchors: dict[int, bytes]) -> Verdict:
    decode = msgspec.json.Decoder(_Line).decode
    broken: list[str] = []
    first, position, before = 0, 0, b""
    for number, line in enumerate(file, start=1):
        try:
            read = decode(line)
            content = bytes(read.entry)
            place = msgspec.json.decode(content)["position"]
            found = bytes.fromhex(read.hash)
            if number == 1:
                first, position, before = place, place - 1, _hash_before(place, read)
        except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
            raise AuditExportInvalid(
                f"{path}, line {number} is no entry", hint="name a file of `mgw audit purge`"
            ) from error
        if place != position + 1 or hashlib.sha256(before + content).digest() != found:
            broken.append(f"line {number}, entry {place}, is not what was written, or does not follow the one before")
        if anchors.get(place, found) != found:
            broken.append(f"entry {place} is another one than when the anchor was kept")
        position, before = place, found
    if not position:
        raise AuditExportInvalid(f"{path} is empty", hint="name a file of `mgw audit purge`")
    gone = sorted(place for place in anchors if not first <= place <= position)
    broken += [f"entry {place}, of the anchor, is not in the file" for place in gone]
    return Verdict(position - first + 1, first, Point(position, before), tuple(broken))
