"""The one object that prints: results go to stdout, everything else to stderr.

`NO_COLOR` and `FORCE_COLOR` are respected (by rich), progress bars appear only on a terminal, whatever `FORCE_COLOR`
says, and a table that is piped into a file keeps its full width instead of being cut to 80 columns.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.progress import Progress, TaskID

    from mgw.core.errors import MgwError
    from mgw.core.progress import Stage

PIPED_WIDTH = 10_000


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
        """Print a table; columns whose name starts with `>` are aligned to the right."""
        table = Table(
            title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
        )
        for column in columns:
            table.add_column(column.lstrip(">"), justify="right" if column.startswith(">") else "left")
        for row in rows:
            table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
        self._stdout.print(table, soft_wrap=False)

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

    @contextmanager
    def progress(self) -> Iterator[TerminalProgress]:
        """Draw the stages of the work in the block; nothing is drawn where stderr is not a terminal."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

        columns = (
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._stderr, disable=not sys.stderr.isatty()) as bars:
            yield TerminalProgress(bars)


class TerminalProgress:
    """Implements `mgw.core.progress.Progress` with bars on a terminal."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    @contextmanager
    def stage(self, description: str, total: float | None = None) -> Iterator[Stage]:
        """Show a bar for one stage; it stays on the screen when the stage has ended."""
        task = self._bars.add_task(description, total=total)
        yield _Bar(self._bars, task)
        completed: Any = self._bars.tasks[self._bars.task_ids.index(task)].completed
        self._bars.update(task, total=completed or 1, completed=completed or 1)


class _Bar:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, amount: float = 1) -> None:
        self._bars.advance(self._task, amount)


out = Output()
