"""Files of viewing events that somebody divided already, for `mgw evaluate` and `mgw tune`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mgw.cli.imports import mapping_of
from mgw.cli.output import counted, out
from mgw.core.errors import RowsInvalid, UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mgw.core.progress import Progress
    from mgw.ingest.events import EventRow
    from mgw.recommend.split import Split

GivenEncoding: TypeAlias = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the two files. Default: utf-8.")
]


class _Anything:
    """The titles of a catalogue that has them all: the files are all there is."""

    def __contains__(self, _: object) -> bool:
        return True


def require_both(first: str, one: Path | None, second: str, other: Path | None) -> None:
    """Make sure that two options come together or not at all.

    Raises:
        UsageInvalid: they do not.
    """
    if (one is None) != (other is None):
        raise UsageInvalid(f"{first} and {second} belong together", hint=f"add {second if other is None else first}")


def refuse_beside_files(
    train: Path | None, columns: Sequence[str] | None, encoding: str | None, **splitting: object
) -> None:
    """Make sure that a split that is given is not to be made another way, and that there are files to read as told.

    Args:
        train: the file to learn from.
        columns: of the command's --map.
        encoding: of the command's --encoding.
        splitting: the command's options that say how to split.

    Raises:
        UsageInvalid: an option would be ignored.
    """
    if train is None and columns:
        raise UsageInvalid("--map names columns of files", hint="add --train, or leave --map out")
    if train is None and encoding is not None:
        raise UsageInvalid("--encoding is of files", hint="add --train, or leave --encoding out")
    given = [name for name, value in splitting.items() if value is not None]
    if train is not None and given:
        raise UsageInvalid(f"--{given[0].replace('_', '-')} does not go with --train", hint="the files are the split")


def read_given(train: Path, test: Path, columns: Sequence[str] | None, encoding: str | None) -> Split:
    """Read events to learn from and events to find.

    Args:
        train: file of events to learn from.
        test: file of events to find.
        columns: of the command's --map.
        encoding: of both files; UTF-8 where it is not given.

    Raises:
        SourceInvalid, FileUnreadable, ExtraMissing: a file cannot be read as a table of events.
        RowsInvalid: a row cannot be used.
        NothingToEvaluate: nobody is in both files.
    """
    from mgw.recommend.given import events_of
    from mgw.recommend.split import given_split

    mapping = mapping_of(columns)
    with out.progress() as progress:
        learned, wanted = (_rows(path, mapping, encoding or "utf-8", progress) for path in (train, test))
    known, held_out = events_of(learned, wanted)
    return given_split(known, held_out, f"{train.name} is learned from, {test.name} is to be found")


def _rows(path: Path, mapping: dict[str, str], encoding: str, progress: Progress) -> list[EventRow]:
    from mgw.ingest.events import EventParser
    from mgw.ingest.faults import Faults
    from mgw.ingest.importing import good_rows
    from mgw.ingest.tables import open_table

    with open_table(path, encoding=encoding) as table:
        parser = EventParser(table.columns, mapping, known_content=_Anything(), now=datetime.now(UTC))
        faults = Faults()
        try:
            return list(good_rows(table, parser, faults, progress))
        except RowsInvalid as error:  # what an import says of them does not go for a split
            what = f"{counted(faults.total, 'row')} cannot be used"
            raise RowsInvalid("\n  ".join([what, *faults.lines()]), hint="mend the file") from error
