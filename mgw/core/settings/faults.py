"""What is wrong with a configuration, one value per fault, so that all of them reach the user at once.

Whoever mends a file wants the whole list, not the first line of it: the parts of this package collect faults, and
`load_settings` turns them into a single `ConfigInvalid`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.errors import ConfigInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

HINT = "`mgw init` writes a file that shows every key with its default and its unit"


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; lines and columns count from 1, as editors do."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        where: the position in the file, the name of an environment variable, or `command line`.
        key: the dotted key, or None where the fault is not about a key.
        problem: what is wrong, and what would be right.
    """

    where: Place | str
    key: str | None
    problem: str

    def __str__(self) -> str:
        return ": ".join(str(part) for part in (self.where, self.key, self.problem) if part)


def invalid(faults: Sequence[Fault], hint: str = HINT) -> ConfigInvalid:
    """Return the one error that lists `faults` (at least one): those of the file from top to bottom, then the rest."""
    if len(faults) == 1:
        return ConfigInvalid(str(faults[0]), hint=hint)
    lines = "".join(f"\n  {fault}" for fault in sorted(faults, key=_position))
    return ConfigInvalid(f"the configuration has {len(faults)} faults:{lines}", hint=hint)


def _position(fault: Fault) -> tuple[float, int]:
    return (fault.where.line, fault.where.column) if isinstance(fault.where, Place) else (math.inf, 0)
