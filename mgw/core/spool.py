"""What is on its way to the database: nobody waits for it, and none of it is lost on the way.

Each item is appended to a file at once, so it survives the process; every now and then the file is closed, its items
are recorded in one batch, and it is deleted. While the database is away the files stay, and are recorded when it is
back. A process locks the files that it writes: those that nobody holds were left by one that died, and are taken
over. What is in a file may be recorded twice, so whoever records has to know what is there already.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

from mgw.core.errors import MgwError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Item = TypeVar("Item", bound=Struct)
Away: TypeAlias = "tuple[type[MgwError], ...]"

_log = logging.getLogger(__name__)

_BATCH = 5_000
_SUFFIX, _REFUSED, _DAMAGED = ".jsonl", ".refused", ".damaged"


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies in a folder of spools, whoever wrote it.

    Attributes:
        waiting: the files that are not recorded yet, in the order in which each process wrote its own.
        set_aside: what the database refused, or could not be read: nobody will record it.
    """

    waiting: tuple[Path, ...]
    set_aside: tuple[Path, ...]


def backlog_of(folder: Path) -> Backlog:
    """Look what waits in a folder, and what was set aside; one that is not there has neither."""
    waiting, refused, damaged = (sorted(folder.glob(f"*{ending}")) for ending in (_SUFFIX, _REFUSED, _DAMAGED))
    return Backlog(tuple(waiting), (*refused, *damaged))


class Spool(Generic[Item]):
    """The items of a process.

    Args:
        folder: for the files; processes may share it.
        kind: of the items.
        what: they are, in messages: "exposures".
        is_synced: whether each is on the disk before `add` returns, so that it survives the machine, too.
    """

    def __init__(self, folder: Path, kind: type[Item], what: str, *, is_synced: bool = False) -> None:
        self._folder = folder
        self._decode = msgspec.json.Decoder(kind).decode
        self._what = what
        self._is_synced = is_synced
        self._encoder = msgspec.json.Encoder()
        self._numbers = itertools.count(1)
        self._name = f"{os.getpid()}-{secrets.token_hex(6)}"  # containers that share a folder have the same numbers
        self._writing = threading.Lock()
        self._flushing = threading.Lock()
        self._file: int | None = None
        self._unwritten: list[Item] = []

    def add(self, items: Sequence[Item]) -> bool:
        """Keep items; return whether they are in a file: where the disk takes nothing, they are in memory."""
        lines = b"".join(self._encoder.encode(each) + b"\n" for each in items)
        with self._writing:
            try:
                file = self._open()
                written = os.write(file, lines)
                if self._is_synced:
                    os.fdatasync(file)
            except OSError as error:
                self._keep(items, error.strerror)
                return False
            if written < len(lines):
                self._keep(items, "the disk is full")  # what is in both is recorded once
            return written == len(lines)

    def flush(self, record: Callable[[Sequence[Item]], object], away: Away) -> int:
        """Record what there is, what others left too, and return how many files are left.

        Args:
            record: writes a batch to the database.
            away: the errors that say that the database is away for now.
        """
        with self._flushing:
            self._close_file()
            self._record_unwritten(record)
            waiting = self.waiting()
            for place, path in enumerate(waiting):
                try:
                    self._record_file(path, record, away)
                except away:
                    return len(waiting) - place
            return 0

    @property
    def is_kept(self) -> bool:
        """Whether nothing would be lost if this process ended now."""
        return not self._unwritten

    def waiting(self) -> list[Path]:
        """Return the files that are not recorded yet, in the order in which each process wrote its own."""
        return list(backlog_of(self._folder).waiting)

    def _open(self) -> int:
        while self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._name}-{next(self._numbers):08}{_SUFFIX}"
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                self._file = file
            else:  # another process took it for one that was left, between the two calls
                os.close(file)
        return self._file

    def _keep(self, items: Sequence[Item], why: str | None) -> None:
        if not self._unwritten:
            _log.warning("%s cannot be written to %s and are kept in memory: %s", self._what, self._folder, why)
        self._unwritten.extend(items)

    def _close_file(self) -> None:
        with self._writing:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _record_unwritten(self, record: Callable[[Sequence[Item]], object]) -> None:
        with self._writing:
            kept, self._unwritten = self._unwritten, []
        try:
            if kept:
                record(kept)
        except MgwError:
            with self._writing:
                self._unwritten = kept + self._unwritten

    def _record_file(self, path: Path, record: Callable[[Sequence[Item]], object], away: Away) -> None:
        """Record a file and delete it; one that somebody writes is left alone.

        Raises:
            MgwError: the database is away.
        """
        try:
            file = path.open("rb")
        except FileNotFoundError:  # another process was faster
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            items = self._read(path, file.readlines())
            try:
                for start in range(0, len(items), _BATCH):
                    record(items[start : start + _BATCH])
            except away:
                raise
            except MgwError as error:
                _log.error("the %s in %s are refused, and kept as %s: %s", self._what, path, _REFUSED, error.message)
                path.rename(path.with_suffix(_REFUSED))
                return
            path.unlink(missing_ok=True)

    def _read(self, path: Path, lines: Sequence[bytes]) -> list[Item]:
        """Read what can be read: the last line may have been cut short with the process that wrote it.

        What cannot be is kept beside, so that nothing goes that somebody could still make sense of.
        """
        found, damaged = [], []
        for number, line in enumerate(lines, start=1):
            try:
                found.append(self._decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                _log.warning("%s, line %d is none of the %s, and is kept as %s", path, number, self._what, _DAMAGED)
                damaged.append(line)
        if damaged:
            with path.with_suffix(_DAMAGED).open("wb") as file:
                file.writelines(damaged)
        return found
