"""The rows that an import left out, as a file that can be mended and imported again."""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.core.errors import ReadOnly
from mgw.core.files import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MARKS = ("mgw_file", "mgw_line", "mgw_column", "mgw_reason")


class RejectsWriter:
    """Writes rejected rows as CSV: file, line, column and reason, then the row as it was.

    The file can be mended and imported again as it is: the four columns at the beginning are not taken for data. They
    stand there, and not at the end, because a row may have fewer or more values than the header has columns.

    It is written aside, and takes its place when it is published.

    Raises:
        StorageError: it cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns: Sequence[str] | None = None
        with storage_errors(path):
            if path.is_dir() or path.parent.is_file():
                what = f"{path} is a folder" if path.is_dir() else f"{path.parent} is a file, not a folder"
                raise ReadOnly(what, hint="name another file for the rows that are left out")
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, self._aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        # Bytes that were not of the source's encoding go out as they came in.
        self._file = os.fdopen(handle, "w", newline="", encoding="utf-8", errors="surrogateescape")
        # Everything is quoted, because before Python 3.13 a lone carriage return is not, and would end the row.
        self._csv = csv.writer(self._file, lineterminator="\n", quoting=csv.QUOTE_ALL)

    def write(self, marks: tuple[str, int, str, str], columns: Sequence[str], values: Sequence[str]) -> None:
        """Append one row; a header stands before the first row and wherever the columns change.

        Args:
            marks: file, line, column and reason.
            columns: of the table that the row is from.
            values: of the row.
        """
        # Rows that were rejected before, mended, and rejected again have the marks of the first time.
        known = len(MARKS) if tuple(columns[: len(MARKS)]) == MARKS else 0
        with storage_errors(self._path):
            if self._columns != columns:
                self._write_row([*MARKS, *columns[known:]])
                self._columns = columns
            self._write_row([*marks, *values[known:]])

    def _write_row(self, values: Iterable[object]) -> None:
        try:
            self._csv.writerow(values)
        except UnicodeEncodeError:  # some codecs make up halves of characters
            self._csv.writerow([str(value).encode(errors="backslashreplace").decode() for value in values])

    def publish(self) -> None:
        """Put the file in its place.

        Raises:
            StorageError: the disk is full, or the folder has gone.
        """
        try:
            with storage_errors(self._path):
                self._file.close()
                Path(self._aside).chmod(0o644)
                Path(self._aside).replace(self._path)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Forget the rows; a file that was there before stays as it was."""
        with contextlib.suppress(OSError):  # the disk is full: what was still to be written is of no use
            self._file.close()
        Path(self._aside).unlink(missing_ok=True)
