"""Parquet files as tables of strings."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgw.core.errors import ExtraMissing, SourceInvalid
from mgw.ingest.tables import LIST_SEPARATOR, reading_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mgw.ingest.tables import Row


@contextmanager
def open_parquet(path: Path) -> Iterator[ParquetTable]:
    """Open a Parquet file as a table; the errors are those of `mgw.ingest.tables.open_table`."""
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraMissing("reading Parquet needs pyarrow", hint="pip install 'mgw[parquet]'") from error
    with reading_errors(path):
        raw = path.open("rb")
    with raw:
        with _parquet_errors(path):
            parquet = pyarrow.parquet.ParquetFile(raw)
            names = tuple(parquet.schema_arrow.names)
        yield ParquetTable(path.name, names, parquet.metadata.num_rows, path, parquet)


@dataclass(slots=True)
class ParquetTable:
    """Implements `mgw.ingest.tables.Table`; sizes are rows, and the line of a row is its number."""

    file: str
    columns: tuple[str, ...]
    size: int
    _path: Path
    _parquet: Any
    _read: int = 0

    def rows(self) -> Iterator[Row]:
        """Yield the rows, once."""
        with _parquet_errors(self._path):
            for batch in self._parquet.iter_batches():
                for values in zip(*map(_as_texts, batch.columns), strict=True):
                    self._read += 1
                    yield self._read, values

    def done(self) -> int:
        """Say how many rows have been read."""
        return self._read


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    import pyarrow  # noqa: ICN001, PLC0415 - the module is named once

    try:
        with reading_errors(path):
            yield
    except (pyarrow.ArrowException, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise SourceInvalid(
            f"{path}: not a Parquet file, or damaged: {first}", hint="fetch or write it again"
        ) from error


def _as_texts(column: Any) -> list[str]:  # noqa: ANN401 - pyarrow carries no types
    import pyarrow  # noqa: ICN001, PLC0415 - the module is named once

    if pyarrow.types.is_timestamp(column.type):
        # Python's times have microseconds, and the instant matters, not the zone that it was written in.
        zone = None if column.type.tz is None else "UTC"
        column = column.cast(pyarrow.timestamp("us", zone), safe=False)
    return [_as_text(value) for value in column.to_pylist()]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # a column of whole numbers with gaps is often stored so, and 42.0 is no id
    if isinstance(value, bytes):
        return value.decode(errors="surrogateescape")
    if isinstance(value, (list, tuple)):
        return LIST_SEPARATOR.join(map(_as_text, value))
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
