"""What is wrong with rows, and what is to be done about it: stop, or go on without them and say so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

from mgw.core.errors import RowsInvalid, SourceInvalid
from mgw.ingest.rejects import RejectsWriter
from mgw.ingest.values import listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

OnError = Literal["stop", "skip"]
SHOWN = 10
_HINT = "mend the file, or leave such rows out with --on-error skip (--rejects FILE keeps them)"
_HINTS = {
    "unknown content": "import the titles first (`mgw import content`), or leave such rows out with --on-error skip",
    "not text": "say which encoding the file has: --encoding latin-1",
}


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
        return f"{self.file}, line {self.line}, column {listed((self.column,))}: {self.reason}"


@dataclass(slots=True)
class Faults:
    """Collects the faults of an import, and keeps the rows themselves where a file for them was given.

    That file takes its place when the block ends well, or when it ends because rows were refused; whatever else ends
    the block leaves things as they were.

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

    def __enter__(self) -> Self:
        if self.rejects is not None:
            self._writer = RejectsWriter(self.rejects)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            if error is None or isinstance(error, RowsInvalid):
                self._writer.publish()
            else:
                self._writer.discard()

    @property
    def total(self) -> int:
        """How many rows were at fault."""
        return self.counts.total()

    @property
    def stopping(self) -> bool:
        """Whether the import will be refused, so that good rows are of no use any more."""
        return self.on_error == "stop" and self.total > 0

    def read_from(self, source: Path) -> None:
        """Make sure that the rejected rows do not replace the file that they come from.

        Raises:
            SourceInvalid: they would.
        """
        if self.rejects is not None and self.rejects.exists() and source.exists() and self.rejects.samefile(source):
            raise SourceInvalid(
                f"--rejects {self.rejects}: this is the file that is imported", hint="name another file for the rows"
            )

    def add(self, fault: Fault, columns: Sequence[str], values: Sequence[str]) -> None:
        """Take note of a fault, and of the row that it is in."""
        self.counts[fault.kind] += 1
        if len(self.first) < SHOWN:
            self.first.append(fault)
        if self._writer is not None:
            self._writer.write((fault.file, fault.line, fault.column, fault.reason), columns, values)

    def lines(self) -> list[str]:
        """Describe the first faults, a line for each, and say how many more there are."""
        more = self.total - len(self.first)
        return [*map(str, self.first), *([f"… and {more:,} more"] if more else [])]

    def raise_if_stopping(self) -> None:
        """Refuse the import if there was a fault and the policy is to stop.

        Raises:
            RowsInvalid: names the first faults, each with file, line and column.
        """
        if not self.stopping:
            return
        count = f"{self.total:,} row{'s' if self.total > 1 else ''}"
        raise RowsInvalid(
            "\n  ".join([f"{count} cannot be used, nothing was imported", *self.lines()]),
            hint=_HINTS.get(next(iter(self.counts)), _HINT) if len(self.counts) == 1 else _HINT,
        )
