"""Files of recommendations: Parquet, CSV or JSON lines, written piece by piece and there only when they are whole."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from mgw.core.errors import ExtraMissing, UsageInvalid
from mgw.core.files import file_published_as, sweep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from mgw.recommend.everyone import Lists

COLUMNS = ("user_id", "rank", "content_id", "score", "type")
_Write: TypeAlias = "Callable[[BinaryIO, Iterable[Lists]], int]"


def write_lists(path: Path, lists: Iterable[Lists]) -> int:
    """Write lists to a file, whose ending says how; return how many rows there are.

    Raises:
        UsageInvalid: the ending is none that is known.
        ExtraMissing: Parquet, and pyarrow is not installed.
        DiskFull, ReadOnly: it could not be written; what was there before is there still.
    """
    require_format(path)
    sweep(path.parent)
    with file_published_as(path) as file:
        return _FORMATS[path.suffix.lower()](file, lists)


def require_format(path: Path) -> None:
    """Make sure that lists can be written to a file with this ending, before all the work.

    Raises:
        UsageInvalid: the ending is none that is known.
        ExtraMissing: Parquet, and pyarrow is not installed.
    """
    write = _FORMATS.get(path.suffix.lower())
    if write is None:
        raise UsageInvalid(f"{path}: no format has this ending", hint=f"one of {', '.join(_FORMATS)}")
    if write is _write_parquet:
        _pyarrow()


def _pyarrow() -> Any:  # noqa: ANN401 - a module without types
    try:
        import pyarrow.parquet  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ExtraMissing(
            "writing Parquet needs pyarrow", hint="pip install 'mgw[parquet]', or name a .csv"
        ) from error
    return pyarrow


def _write_parquet(file: BinaryIO, lists: Iterable[Lists]) -> int:
    pyarrow = _pyarrow()
    kinds = (pyarrow.string(), pyarrow.int32(), pyarrow.string(), pyarrow.float32(), pyarrow.string())
    schema = pyarrow.schema(list(zip(COLUMNS, kinds, strict=True)))
    rows = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        for piece in lists:
            arrays = [
                pyarrow.array(piece.user_ids.tolist(), pyarrow.binary()).cast(pyarrow.string()),
                pyarrow.array(piece.ranks),
                pyarrow.array(piece.content_ids.tolist(), pyarrow.binary()).cast(pyarrow.string()),
                pyarrow.array(piece.scores),
                pyarrow.array(piece.types.tolist(), pyarrow.string()),
            ]
            writer.write_table(pyarrow.table(arrays, schema=schema))
            rows += len(piece.ranks)
    return rows


def _write_csv(file: BinaryIO, lists: Iterable[Lists]) -> int:
    rows = 0
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for piece in lists:
        writer.writerows(_rows(piece))
        rows += len(piece.ranks)
    text.detach()  # flushed, and left open for whoever opened it
    return rows


def _write_json_lines(file: BinaryIO, lists: Iterable[Lists]) -> int:
    encoder = msgspec.json.Encoder()
    rows = 0
    for piece in lists:
        file.write(encoder.encode_lines(dict(zip(COLUMNS, row, strict=True)) for row in _rows(piece)))
        rows += len(piece.ranks)
    return rows


def _rows(piece: Lists) -> Iterator[tuple[str, int, str, float, str]]:
    columns = (
        (each.decode() for each in piece.user_ids.tolist()),
        piece.ranks.tolist(),
        (each.decode() for each in piece.content_ids.tolist()),
        piece.scores.tolist(),
        piece.types.tolist(),
    )
    return zip(*columns, strict=True)


_FORMATS: dict[str, _Write] = {".parquet": _write_parquet, ".csv": _write_csv, ".jsonl": _write_json_lines}
