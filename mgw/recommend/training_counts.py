"""How often and for how long something was trained: each run adds to a file of the project, which the service tells."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from mgw.core.count_files import add_counts, counts_with
from mgw.core.metrics import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mgw.core.metrics import FamilySample

Kind: TypeAlias = Literal["als", "lora"]
Outcome: TypeAlias = Literal["done", "failed", "interrupted"]

_FILE = "training.counts"
_BOUNDS_S = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0)


class TrainingCounts:
    """What one run counts. What did not happen is 0, so that its first time is seen to rise."""

    def __init__(self) -> None:
        self._registry = one = Registry()
        self._runs = one.counter("mgw_training_runs_total", "Trainings, by what came of them.", "kind", "outcome")
        self._seconds = one.histogram(
            "mgw_training_seconds", "How long trainings took that came to their end.", "kind", bounds=_BOUNDS_S
        )
        for kind in get_args(Kind):
            self._seconds.of(kind)
            for outcome in get_args(Outcome):
                self._runs.of(kind, outcome)

    def ended(self, kind: Kind, outcome: Outcome, seconds: float) -> None:
        """Count a run."""
        self._runs.of(kind, outcome).add()
        if outcome == "done":
            self._seconds.of(kind).observe(seconds)

    def sample(self) -> list[FamilySample]:
        """Return everything."""
        return self._registry.sample()


def read_trainings(state: Path) -> list[FamilySample]:
    """Return what all trainings of a project counted, also where there was none yet.

    Args:
        state: the project's folder of what is its own.
    """
    return counts_with(state / _FILE, TrainingCounts().sample())


@contextmanager
def counted(state: Path, kind: Kind) -> Iterator[None]:
    """Count the training in the block, whatever comes of it.

    Args:
        state: the project's folder of what is its own.
        kind: of the training.
    """
    began = time.perf_counter()
    outcome: Outcome = "failed"
    try:
        yield
        outcome = "done"
    except KeyboardInterrupt:
        outcome = "interrupted"
        raise
    finally:
        counts = TrainingCounts()
        counts.ended(kind, outcome, time.perf_counter() - began)
        add_counts(state / _FILE, counts.sample())
