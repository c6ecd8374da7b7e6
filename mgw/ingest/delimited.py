"""Text files with a delimiter between the values: CSV, TSV, MovieLens `.dat`, plain or gzipped, from disk or a pipe."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import stat
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgw.core.errors import SourceInvalid
from mgw.ingest.tables import reading_errors
from mgw.ingest.values import Unusable, check_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.ingest.tables import Row

_DELIMITERS = {".tsv": "\t", ".dat": "::"}
_LONGEST_FIELD = 10_000_000
_ENCODED = "save it as UTF-8, or where the command has --encoding say which it is: --encoding latin-1"
_GZIP = b"\x1f\x8b"
_FOREIGN = {
    b"PAR1": "a Parquet file",
    b"PK\3\4": "a zip archive",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"BZh": "packed with bzip2",
}


@contextmanager
def open_delimited(
    path: Path, encoding: str, delimiter: str | None, columns: tuple[str, ...] | None
) -> Iterator[DelimitedTable]:
    """Open a text file as a table; the arguments and errors are those of `mgw.ingest.tables.open_table`."""
    with reading_errors(path):
        raw = path.open("rb")
    with raw:
        with reading_errors(path):
            status = path.stat()
            text = _decoded(path, raw, encoding)
        rows = _rows(path, text, delimiter or _delimiter(path))
        columns = _header(path, rows) if columns is None else columns
        yield DelimitedTable(path.name, columns, status.st_size if stat.S_ISREG(status.st_mode) else 0, raw, rows)


@dataclass(slots=True)
class DelimitedTable:
    """Implements `mgw.ingest.tables.Table`; sizes are bytes of the file as it lies on the disk."""

    file: str
    columns: tuple[str, ...]
    size: int
    _raw: io.BufferedReader
    _rows: Iterator[Row]

    def rows(self) -> Iterator[Row]:
        """Yield the rows, once."""
        return self._rows

    def done(self) -> int:
        """Say how many bytes have been read."""
        return self._raw.tell() if self.size else 0


def _delimiter(path: Path) -> str:
    name = Path(path.stem) if path.suffix == ".gz" else path
    return _DELIMITERS.get(name.suffix, ",")


def _decoded(path: Path, raw: io.BufferedReader, encoding: str) -> io.TextIOWrapper:
    """Undo compression and encoding; the byte order mark of UTF-8 is not part of the text."""
    beginning = raw.peek(4)
    for signature, what in _FOREIGN.items():
        if beginning.startswith(signature):
            raise SourceInvalid(f"{path}: this is {what}", hint="unpack it, or give it the ending that it should have")
    packed: Any = raw
    if beginning.startswith(_GZIP):
        packed = gzip.GzipFile(fileobj=raw)
    elif path.suffix == ".gz" and beginning:
        raise SourceInvalid(f"{path}: not gzip, though it is called so", hint="fetch the file again, or rename it")
    try:
        name = codecs.lookup(encoding).name
        # Bytes that cannot be decoded are the fault of the row that they stand in, not of the file.
        return io.TextIOWrapper(
            packed, encoding="utf-8-sig" if name == "utf-8" else name, errors="surrogateescape", newline=""
        )
    except (LookupError, ValueError) as error:
        raise SourceInvalid(f"unknown encoding {encoding}", hint="for example utf-8 or latin-1") from error


def _header(path: Path, rows: Iterator[Row]) -> tuple[str, ...]:
    first = next(rows, None)
    if first is None:
        raise SourceInvalid(f"{path}: empty", hint="the first line is a header that names the columns")
    line, values = first
    try:
        for name in values:
            check_text(name, "header")
    except Unusable as fault:
        raise SourceInvalid(
            f"{path}, line {line}: the header: {fault.reason}",
            hint=f"{_ENCODED}, or utf-16",
        ) from fault
    return tuple(name.strip() for name in values)


def _rows(path: Path, text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    if delimiter == "\\t":  # as it is written in a shell
        delimiter = "\t"
    if set(delimiter) & set('"\r\n\0'):
        raise SourceInvalid(f"--delimiter {delimiter!r}: cannot stand between values", hint="for example ; or |")
    return _translated(path, _quoted(path, text, delimiter) if len(delimiter) == 1 else _split(text, delimiter))


def _quoted(path: Path, text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        for values in reader:
            if values:
                yield line, values
            line = reader.line_num + 1
    except csv.Error as error:
        # No row fault that could be skipped: after a quote that does not close nobody knows where the next row begins.
        raise SourceInvalid(
            f"{path}, line {line}: the row that begins here is not CSV: {error}",
            hint="look for a quotation mark that is not closed, or not doubled inside quotes; is the delimiter right?",
        ) from error


def _split(text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    for line, content in enumerate(text, start=1):
        if stripped := content.rstrip("\r\n"):
            yield line, stripped.split(delimiter)


def _translated(path: Path, rows: Iterator[Row]) -> Iterator[Row]:
    try:
        with reading_errors(path):
            yield from rows
    except UnicodeError as error:  # of codecs that `surrogateescape` does not help
        raise SourceInvalid(f"{path}: {error}", hint=_ENCODED) from error
    except (EOFError, zlib.error) as error:
        raise SourceInvalid(f"{path}: cut short or damaged: {error}", hint="fetch the file again") from error
