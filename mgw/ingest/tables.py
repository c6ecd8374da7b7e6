"""Files as tables: a header, and rows of strings that know their line. CSV, TSV, MovieLens `.dat`, each also
gzipped, and Parquet.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from mgw.core.errors import ExtraMissing, FileUnreadable, SourceInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mgw.core.progress import Progress

LIST_SEPARATOR = "|"
_REPORT_EVERY = 4096
_MAX_FIELD_BYTES = 10_000_000


class Row(NamedTuple):
    """One row: the line on which it begins, from 1, and its values; an absent value is the empty string."""

    line: int
    values: Sequence[str]


class Table(Protocol):
    """A file that has been opened and whose header has been read.

    Attributes:
        file: its name.
        columns: of the header.
        size: of the whole, in the unit of `done`.
    """

    file: str
    columns: tuple[str, ...]
    size: int

    def rows(self) -> Iterator[Row]:
        """Yield the rows, once."""

    def done(self) -> int:
        """Say how much has been read."""


@contextmanager
def open_table(
    path: Path, *, encoding: str = "utf-8", delimiter: str | None = None, columns: tuple[str, ...] | None = None
) -> Iterator[Table]:
    """Open a file as a table.

    Args:
        path: ends in `.csv`, `.tsv`, `.dat` (each also with `.gz`) or `.parquet`; anything else is taken for CSV.
        encoding: of a text file.
        delimiter: of a text file; found from the ending where it is not given.
        columns: the header of a file that has none.

    Raises:
        FileUnreadable: there is no such file, or it may not be read.
        SourceInvalid: it is empty, is not text in that encoding, or is not what its ending says.
        ExtraMissing: it is a Parquet file and pyarrow is not installed.
    """
    try:
        if path.suffix == ".parquet":
            with _parquet(path) as table:
                yield table
            return
        with path.open("rb") as raw:
            yield _open_text(path, raw, encoding, delimiter, columns)
    except UnicodeDecodeError as error:
        raise SourceInvalid(
            f"{path}: not {encoding}: byte {error.object[error.start]:#04x}", hint="say which: --encoding latin-1"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceInvalid(f"{path}: damaged or cut short: {error}", hint="fetch the file again") from error
    except csv.Error as error:
        raise SourceInvalid(f"{path}: not a table: {error}", hint="is it binary, or quoted in another way?") from error
    except OSError as error:
        raise FileUnreadable(f"{error.filename or path}: {error.strerror or error}") from error


def read_rows(table: Table, progress: Progress) -> Iterator[Row]:
    """Yield a table's rows and report how far the file has been read."""
    with progress.stage(table.file, table.size) as stage:
        reported = 0
        for count, row in enumerate(table.rows(), start=1):
            yield row
            if count % _REPORT_EVERY == 0:
                stage.advance(table.done() - reported)
                reported = table.done()
        stage.advance(table.size - reported)


@dataclass(slots=True)
class _TextTable:
    file: str
    columns: tuple[str, ...]
    size: int
    raw: io.BufferedReader
    lines: Iterator[Row]

    def rows(self) -> Iterator[Row]:
        return self.lines

    def done(self) -> int:
        return self.raw.tell()


def _open_text(
    path: Path, raw: io.BufferedReader, encoding: str, delimiter: str | None, columns: tuple[str, ...] | None
) -> Table:
    packed = path.suffix == ".gz"
    ending = path.suffixes[-2] if packed and len(path.suffixes) > 1 else path.suffix
    stream: Any = gzip.GzipFile(fileobj=raw) if packed else raw
    encoding = "utf-8-sig" if encoding.lower() in {"utf-8", "utf8"} else encoding
    try:
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    except LookupError as error:
        raise SourceInvalid(f"unknown encoding {encoding}", hint="for example utf-8 or latin-1") from error
    delimiter = delimiter or {".tsv": "\t", ".dat": "::"}.get(ending, ",")
    rows = _delimited(text, delimiter) if len(delimiter) == 1 else _split(text, delimiter)
    if columns is None:
        header = next(rows, None)
        if header is None:
            raise SourceInvalid(f"{path}: empty", hint="the first line is a header that names the columns")
        columns = tuple(name.strip() for name in header.values)
    return _TextTable(path.name, columns, path.stat().st_size, raw, rows)


def _delimited(text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(_MAX_FIELD_BYTES)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    for values in reader:
        if values:
            yield Row(line, values)
        line = reader.line_num + 1


def _split(text: io.TextIOWrapper, delimiter: str) -> Iterator[Row]:
    for line, content in enumerate(text, start=1):
        if stripped := content.rstrip("\r\n"):
            yield Row(line, stripped.split(delimiter))


@dataclass(slots=True)
class _ParquetTable:
    file: str
    columns: tuple[str, ...]
    size: int
    parquet: Any
    read: int = 0

    def rows(self) -> Iterator[Row]:
        for batch in self.parquet.iter_batches():
            arrays = [column.to_pylist() for column in batch.columns]
            for values in zip(*arrays, strict=True):
                self.read += 1
                yield Row(self.read, [_as_text(value) for value in values])

    def done(self) -> int:
        return self.read


@contextmanager
def _parquet(path: Path) -> Iterator[Table]:
    try:
        import pyarrow  # noqa: ICN001 - the module is named once
        import pyarrow.parquet
    except ImportError as error:
        raise ExtraMissing("reading Parquet needs pyarrow", hint="pip install 'mgw[parquet]'") from error
    try:
        with path.open("rb") as raw:
            parquet = pyarrow.parquet.ParquetFile(raw)
            names = tuple(parquet.schema_arrow.names)
            yield _ParquetTable(path.name, names, parquet.metadata.num_rows, parquet)
    except pyarrow.ArrowException as error:
        raise SourceInvalid(f"{path}: not a Parquet file: {error}", hint="fetch or write the file again") from error


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return LIST_SEPARATOR.join(_as_text(part) for part in value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
