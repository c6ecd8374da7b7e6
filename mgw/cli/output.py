"""The one object that prints: results go to stdout, everything else to stderr.

`NO_COLOR` and `FORCE_COLOR` are respected (by rich), progress bars appear only on a terminal, whatever `FORCE_COLOR`
says, and a table that is piped into a file keeps its full width instead of being cut to 80 columns.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from mgw.bars import bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from mgw.bars import Bars
    from mgw.core.errors import MgwError

PIPED_WIDTH = 10_000
_MARKS = {"ok": "green", "off": "dim", "note": "yellow", "BAD": "bold red"}


class Output:
    """Prints results, notes, errors and progress."""

    def __init__(self) -> None:
        piped = None if sys.stdout.isatty() else PIPED_WIDTH
        self._stdout = Console(width=piped, highlight=False, soft_wrap=True, emoji=False)
        self._stderr = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

    def print(self, result: object) -> None:
        """Print a piece of the result (text is taken as it is, without markup)."""
        self._stdout.print(result, markup=False)

    def json(self, document: object) -> None:
        """Print the result as one JSON document."""
        # JSON can write every letter in ASCII, which loses nothing where the terminal is not in UTF-8.
        plain = (sys.stdout.encoding or "").replace("-", "").lower() != "utf8"
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=plain, allow_nan=False) + "\n")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table; columns whose name starts with `>` are aligned to the right, their counts with separators.

        A time is written in UTC, to the minute: its column says so. The title may be wider than the table.
        """
        if title:
            self._stdout.print(Text(title, style="bold"), soft_wrap=False)
        table = Table(header_style="bold", box=None, pad_edge=False)
        for column in columns:
            table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
        for row in rows:
            table.add_row(*(escape(_written(cell, column)) for cell, column in zip(row, columns, strict=True)))
        self._stdout.print(table, soft_wrap=False)

    def states(self, rows: Iterable[Sequence[str]]) -> Table:
        """Return a table of what was looked at: a subject, a mark and what was found; `live` shows it, too."""
        table = Table(show_header=False, box=None, pad_edge=False)
        for subject, mark, detail in rows:
            style = _MARKS.get(mark, "")
            table.add_row(escape(subject), f"[{style}]{mark}[/{style}]" if style else mark, escape(detail))
        return table

    def show(self, table: Table) -> None:
        """Print such a table."""
        self._stdout.print(table, soft_wrap=False)

    def _show_with(self, table: Table, line: str) -> None:
        self.show(table)
        self._stdout.print(line, markup=False)

    @contextmanager
    def live(self) -> Iterator[Callable[[Table, str], None]]:
        """Yield what shows a table in place of the one before, with a line below; one after the other in a file."""
        if not self._stdout.is_terminal:
            yield self._show_with
            return
        with Live(console=self._stdout, auto_refresh=False) as live:
            yield lambda table, line: live.update(Group(table, Text(line, style="dim")), refresh=True)

    def note(self, text: str) -> None:
        """Tell the user something that is not part of the result."""
        self._stderr.print(text, markup=False)

    def warn(self, text: str) -> None:
        """Tell the user something that deserves a look."""
        self._stderr.print(f"[yellow]warning:[/yellow] {escape(text)}")

    def error(self, error: MgwError) -> None:
        """Show an error with its code and its hint."""
        self._stderr.print(f"[bold red]error[/bold red]\\[{error.code}]: {escape(error.message)}")
        if error.hint:
            self._stderr.print(f"  [cyan]hint:[/cyan] {escape(error.hint)}")

    def bug(self) -> None:
        """Show the fault of ours that is being handled, with its traceback: the one case where a user sees one."""
        self._stderr.print_exception(max_frames=20)
        self._stderr.print("This is a fault of mgw, not of yours. Please report it with the lines above.")

    def progress(self) -> AbstractContextManager[Bars]:
        """Draw the stages of the work in the block; nothing is drawn where stderr is not a terminal."""
        return bars(self._stderr, disable=not sys.stderr.isatty())


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number of things; `many` is what several are called where that is not `one` with an s.

    >>> counted(1, "model"), counted(1200, "model"), counted(0, "entry", "entries")
    ('1 model', '1,200 models', '0 entries')
    """
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def short(number: float, sign: str = "") -> str:
    """Write a figure with four decimals, without the zero before the point, so that many fit beside each other.

    >>> short(0.38287), short(-0.5, "+"), short(2)
    ('.3829', '-.5000', '2.0000')
    """
    text = f"{number:{sign}.4f}"
    return text.replace("0.", ".", 1) if abs(number) < 1 else text


def _written(cell: object, column: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%d %H:%M}"
    return f"{cell:,}" if column.startswith(">") and isinstance(cell, int) else str(cell)


out = Output()
