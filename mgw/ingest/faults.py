"""What is wrong with rows, and what is to be done about it: stop, or go on without them and say so."""

from __future__ import annotations

import csv
import os
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mgw.core.errors import RowsInvalid
from mgw.core.files import storage_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

OnError = Literal["stop", "skip"]
SHOWN = 10


class Malformed(ValueError):
    """A value of a row cannot be used; caught by the reader that knows the file and the line."""

    def __init__(self, column: str, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.kind = kind
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Fault:
    """One row that cannot be used.

    Attributes:
        file: name of the file.
        line: where the row begins, from 1 (in a Parquet file: the row's number, from 1).
        column: the column at fault, as the file names it.
        kind: what sort of fault, for counting: "rating out of range".
        reason: the sentence, with the value.
    """

    file: str
    line: int
    column: str
    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}: {self.reason}"


@dataclass(slots=True)
class Faults:
    """Collects the faults of an import, and keeps the rows themselves where a file for them was given.

    Attributes:
        on_error: "stop" to refuse the whole import, "skip" to go on without the rows.
        rejects: where to write the rows that were left out, or None.
        counts: faults by kind.
        first: the first few, for showing.
    """

    on_error: OnError = "stop"
    rejects: Path | None = None
    counts: Counter[str] = field(default_factory=Counter)
    first: list[Fault] = field(default_factory=list)
    _writer: RejectsWriter | None = None

    def __enter__(self) -> Faults:
        if self.rejects is not None:
            self._writer = RejectsWriter(self.rejects)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    @property
    def total(self) -> int:
        """How many rows were at fault."""
        return self.counts.total()

    def add(self, fault: Fault, columns: Sequence[str], values: Sequence[str]) -> None:
        """Take note of a fault, and of the row that it is in."""
        self.counts[fault.kind] += 1
        if len(self.first) < SHOWN:
            self.first.append(fault)
        if self._writer is not None:
            self._writer.write(fault, columns, values)

    def raise_if_stopping(self) -> None:
        """Refuse the import if there was a fault and the policy is to stop.

        Raises:
            RowsInvalid: names the first faults, each with file, line and column.
        """
        if self.on_error == "skip" or self.total == 0:
            return
        lines = [str(fault) for fault in self.first]
        if self.total > len(lines):
            lines.append(f"… and {self.total - len(lines)} more")
        count = f"{self.total} row{'s' if self.total > 1 else ''}"
        raise RowsInvalid(
            f"{count} cannot be used, nothing was imported\n  " + "\n  ".join(lines),
            hint="mend the file, or leave such rows out with --on-error skip (--rejects FILE keeps them)",
        )


class RejectsWriter:
    """Writes rejected rows as CSV: the row as it was, then file, line, column and reason.

    The file can be mended and imported again as it is: the four columns at the end are not taken for data.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns: Sequence[str] | None = None
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, self._aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
            self._file = os.fdopen(handle, "w", newline="", encoding="utf-8")
        self._csv = csv.writer(self._file, lineterminator="\n")

    def write(self, fault: Fault, columns: Sequence[str], values: Sequence[str]) -> None:
        """Append one row; a header stands before the first row and wherever the columns change."""
        with storage_errors(self._path):
            if self._columns != columns:
                self._csv.writerow([*columns, "mgw_file", "mgw_line", "mgw_column", "mgw_reason"])
                self._columns = columns
            padded = [*values, *[""] * (len(columns) - len(values))]
            self._csv.writerow([*padded, fault.file, fault.line, fault.column, fault.reason])

    def close(self) -> None:
        """Put the file in its place."""
        with storage_errors(self._path):
            self._file.close()
            Path(self._aside).chmod(0o644)
            Path(self._aside).replace(self._path)
