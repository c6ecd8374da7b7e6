"""Progress bars for who uses mgw as a library, on a terminal or in a notebook; the command line draws the same.

It stands outside of the packages that compute, because they never print: they tell a `mgw.core.progress.Progress` how
far they are, and this is one.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.progress import Progress, TaskID

    from mgw.core.progress import Stage

__all__ = ["Bars", "bars"]


@contextmanager
def bars(console: Console | None = None, *, disable: bool = False) -> Iterator[Bars]:
    """Draw the stages of the work in the block.

        with bars() as progress:
            model = ALS.fit(matrix, AlsSettings(), progress=progress)

    Args:
        console: where to draw; by default in the notebook, or on stderr.
        disable: draw nothing.
    """
    from rich.console import Console  # noqa: PLC0415 - only where something is drawn
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        Progress,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console or Console(stderr=True), disable=disable) as drawn:
        yield Bars(drawn)


class Bars:
    """Implements `mgw.core.progress.Progress`: a bar for each stage, which stays when the stage has ended."""

    def __init__(self, drawn: Progress) -> None:
        self._drawn = drawn

    @contextmanager
    def stage(self, description: str, total: float | None = None) -> Iterator[Stage]:
        """Show a bar for one stage of `total` units (None where the end is not known)."""
        task = self._drawn.add_task(description, total=total)
        yield _Bar(self._drawn, task)
        completed: Any = self._drawn.tasks[self._drawn.task_ids.index(task)].completed
        self._drawn.update(task, total=completed or 1, completed=completed or 1)


class _Bar:
    def __init__(self, drawn: Progress, task: TaskID) -> None:
        self._drawn = drawn
        self._task = task

    def advance(self, amount: float = 1) -> None:
        self._drawn.advance(self._task, amount)
