"""How a library reports progress without printing: it is handed a `Progress`, and the command line draws it."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stage(Protocol):
    """One piece of work under way."""

    def advance(self, amount: float = 1) -> None:
        """Say that `amount` more units of the stage are done."""


class Progress(Protocol):
    """Draws stages of work; safe to call where nothing is drawn."""

    def stage(self, description: str, total: float | None = None) -> AbstractContextManager[Stage]:
        """Open a stage of `total` units (None where the end is not known)."""


class _SilentStage:
    def advance(self, amount: float = 1) -> None:
        pass


class _Silent:
    @contextmanager
    def stage(self, description: str, total: float | None = None) -> Iterator[Stage]:  # noqa: ARG002 - a Progress
        yield _SilentStage()


SILENT: Progress = _Silent()
"""The progress of a library call whose caller does not want to see any."""
