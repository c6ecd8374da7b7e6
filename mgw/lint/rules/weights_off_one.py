"""The weights of an experiment's variants do not sum to 1.

## Why is this bad

Either some users get no variant although they count as taking part, or the last variant gets fewer than it says: the
report then finds a mismatch of shares, or does not, and is wrong.

## What instead

Weights that sum to 1. To expose fewer users lower `traffic`, which leaves the shares of the variants as they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mgw.lint.experiments import line_of, name_of, parts_of
from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWE001"


def check(project: Project) -> Iterator[Finding]:
    """Add the weights up."""
    for file in project.experiments:
        weights = [each.get("weight") for each in parts_of(file, "variants")]
        numbers = [float(each) for each in weights if isinstance(each, int | float)]
        if numbers and len(numbers) == len(weights) and not math.isclose(math.fsum(numbers), 1.0, abs_tol=1e-9):
            yield Finding(
                code=CODE, name="weights-off-one", path=file.path, line=line_of(file, "variants"),
                message=f"the weights of {name_of(file)} sum to {math.fsum(numbers):.10g}",
                hint="they sum to 1; `traffic` says how many users take part",
            )  # fmt: skip
