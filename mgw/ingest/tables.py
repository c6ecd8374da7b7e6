"""Files as tables: a header, and rows of strings that know their line.

What is behind it is text with delimiters (CSV, TSV, MovieLens `.dat`, each also gzipped) or Parquet.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TypeAlias

from mgw.core.errors import FileUnreadable, SourceInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mgw.core.progress import Progress

LIST_SEPARATOR = "|"
_REPORT_EVERY = 4096

Row: TypeAlias = "tuple[int, Sequence[str]]"
"""The line on which a row begins, from 1, and its values; an absent value is the empty string."""


class Table(Protocol):
    """A file that has been opened and whose header has been read.

    Attributes:
        file: its name.
        columns: of the header.
        size: of the whole, in the unit of `done`; 0 where it is not known.
    """

    file: str
    columns: tuple[str, ...]
    size: int

    def rows(self) -> Iterator[Row]:
        """Yield the rows, once.

        Raises:
            SourceInvalid, FileUnreadable: reading on was not possible; the message names the line where there are any.
        """

    def done(self) -> int:
        """Say how much has been read."""


@contextmanager
def open_table(
    path: Path, *, encoding: str = "utf-8", delimiter: str | None = None, columns: tuple[str, ...] | None = None
) -> Iterator[Table]:
    """Open a file as a table.

    Args:
        path: ends in `.csv`, `.tsv`, `.dat` (each also with `.gz`) or `.parquet`; anything else is taken for CSV.
        encoding: of a text file. Bytes that are not of it stand in the values as lone surrogates (`surrogateescape`).
        delimiter: of a text file; found from the ending where it is not given.
        columns: the header of a file that has none.

    Raises:
        FileUnreadable: there is no such file, or it may not be read.
        SourceInvalid: it is empty, its header is not text, or it is not what its ending says.
        ExtraMissing: it is a Parquet file and pyarrow is not installed.
    """
    if path.suffix == ".parquet":
        from mgw.ingest.parquet import open_parquet  # noqa: PLC0415 - an extra, and slow to import

        with open_parquet(path) as table:
            yield table
    else:
        from mgw.ingest.delimited import open_delimited  # noqa: PLC0415 - beside the other format

        with open_delimited(path, encoding, delimiter, columns) as table:
            yield table


def read_rows(table: Table, progress: Progress) -> Iterator[Row]:
    """Yield a table's rows and report how far the file has been read."""
    with progress.stage(table.file, table.size or None) as stage:
        reported = 0
        for count, row in enumerate(table.rows(), start=1):
            yield row
            if count % _REPORT_EVERY == 0:
                stage.advance(table.done() - reported)
                reported = table.done()
        stage.advance(table.size - reported)


@contextmanager
def reading_errors(path: Path) -> Iterator[None]:
    """Translate what the operating system says to reading a file."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # from a library that found fault with the content
            raise SourceInvalid(f"{path}: damaged: {error}", hint="fetch or write the file again") from error
        raise FileUnreadable(
            f"{error.filename or path}: {error.strerror}", hint="check the path, the owner and the permissions"
        ) from error
