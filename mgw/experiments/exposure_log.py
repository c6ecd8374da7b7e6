"""Exposures on their way to the database: nobody who asks waits for it, and none is lost on the way.

Each is appended to a file at once, so it survives the process; every now and then the file is closed, its exposures are
recorded in one batch, and it is deleted. While the database is away the files stay, and are recorded when it is back. A
process locks the files that it writes: those that nobody holds were left by one that died, and are taken over.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import secrets
import threading
from typing import TYPE_CHECKING

import msgspec

from mgw.core.errors import MgwError
from mgw.experiments.exposure import Exposure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_log = logging.getLogger(__name__)

_BATCH = 5_000
_SUFFIX, _REFUSED = ".jsonl", ".refused"


class ExposureLog:
    """The exposures of a process.

    Args:
        folder: for the files; processes may share it.
        record: writes a batch to the database; the same batch may be written twice.
        away: the errors that say that the database is away for now.
    """

    def __init__(
        self, folder: Path, record: Callable[[Sequence[Exposure]], object], away: tuple[type[MgwError], ...]
    ) -> None:
        self._folder = folder
        self._record = record
        self._away = away
        self._encoder = msgspec.json.Encoder()
        self._numbers = itertools.count(1)
        self._name = f"{os.getpid()}-{secrets.token_hex(6)}"  # containers that share a folder have the same numbers
        self._writing = threading.Lock()
        self._flushing = threading.Lock()
        self._file: int | None = None
        self._unwritten: list[Exposure] = []

    def add(self, exposures: Sequence[Exposure]) -> None:
        """Keep exposures; where the disk takes nothing, in memory."""
        lines = b"".join(self._encoder.encode(each) + b"\n" for each in exposures)
        with self._writing:
            try:
                written = os.write(self._open(), lines)
            except OSError as error:
                self._keep(exposures, error.strerror)
            else:
                if written < len(lines):
                    self._keep(exposures, "the disk is full")  # what is in both is recorded once

    def flush(self) -> int:
        """Record what there is, what others left too, and return how many files are left."""
        with self._flushing:
            self._close_file()
            self._record_unwritten()
            waiting = sorted(self._folder.glob(f"*{_SUFFIX}"))
            for place, path in enumerate(waiting):
                try:
                    self._record_file(path)
                except self._away:
                    return len(waiting) - place
            return 0

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

    def _keep(self, exposures: Sequence[Exposure], why: str | None) -> None:
        if not self._unwritten:
            _log.warning("exposures cannot be written to %s and are kept in memory: %s", self._folder, why)
        self._unwritten.extend(exposures)

    def _close_file(self) -> None:
        with self._writing:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def _record_unwritten(self) -> None:
        with self._writing:
            kept, self._unwritten = self._unwritten, []
        try:
            if kept:
                self._record(kept)
        except MgwError:
            with self._writing:
                self._unwritten = kept + self._unwritten

    def _record_file(self, path: Path) -> None:
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
            exposures = _read(path, file.readlines())
            try:
                for start in range(0, len(exposures), _BATCH):
                    self._record(exposures[start : start + _BATCH])
            except self._away:
                raise
            except MgwError as error:
                _log.error("the exposures in %s are refused, and kept as %s: %s", path, _REFUSED, error.message)
                path.rename(path.with_suffix(_REFUSED))
                return
            path.unlink(missing_ok=True)


def _read(path: Path, lines: Sequence[bytes]) -> list[Exposure]:
    """Read what can be read: the last line may have been cut short with the process that wrote it."""
    decoder = msgspec.json.Decoder(Exposure)
    found = []
    for number, line in enumerate(lines, start=1):
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError:
            _log.warning("%s, line %d is no exposure and is left out", path, number)
    return found
