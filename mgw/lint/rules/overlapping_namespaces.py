"""Two experiments have a part of the same namespace.

## Why is this bad

A namespace is there so that experiments exclude each other. Users in both parts are in both experiments, and each
measures the other's effect too.

## What instead

Parts that do not overlap: `from: 0, to: 0.5` and `from: 0.5, to: 1`. A part ends before its `to`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.experiments import line_of, name_of, namespace_of
from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project, YamlFile

CODE = "MGWE002"


def check(project: Project) -> Iterator[Finding]:
    """Compare each experiment's part with those of the files before."""
    before: list[tuple[YamlFile, tuple[str, float, float]]] = []
    for file in project.experiments:
        part = namespace_of(file)
        if part is None:
            continue
        name, start, end = part
        for other, (taken, begins, ends) in before:
            if taken == name and max(start, begins) < min(end, ends):
                yield Finding(
                    code=CODE, name="overlapping-namespaces", path=file.path, line=line_of(file, "namespace"),
                    message=(
                        f"{name_of(file)} and {name_of(other)} ({other.path}) both have"
                        f" {max(start, begins):g} to {min(end, ends):g} of {name}"
                    ),
                    hint="give them parts that do not overlap",
                )  # fmt: skip
        before.append((file, part))
