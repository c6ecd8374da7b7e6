"""Two experiments that can have the same users set the same key.

## Why is this bad

One overlay is laid over the other: for users who are in both, one of the two experiments has no effect, and its report
is about something that did not happen to them.

## What instead

Parts of one namespace, so that nobody is in both; or one experiment with more variants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.lint.experiments import line_of, name_of, namespace_of, parts_of
from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project, YamlFile

CODE = "MGWE006"


def check(project: Project) -> Iterator[Finding]:
    """Compare the keys that the variants of each two experiments set."""
    before: list[tuple[YamlFile, set[str]]] = []
    for file in project.experiments:
        keys = {key for variant in parts_of(file, "variants") for key in _keys(variant.get("config"), "")}
        for other, taken in before:
            if keys & taken and not _exclude_each_other(file, other):
                yield Finding(
                    code=CODE, name="colliding-overlays", path=file.path, line=line_of(file, "variants"),
                    message=(
                        f"{name_of(file)} and {name_of(other)} ({other.path}) both set"
                        f" {', '.join(sorted(keys & taken))}"
                    ),
                    hint="give them parts of one namespace",
                )  # fmt: skip
        before.append((file, keys))


def _keys(config: Any, prefix: str) -> Iterator[str]:  # noqa: ANN401 - whatever the YAML has
    for key, value in config.items() if isinstance(config, dict) else ():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _exclude_each_other(one: YamlFile, other: YamlFile) -> bool:
    """Say whether they are in one namespace; parts that overlap are another rule's."""
    first, second = namespace_of(one), namespace_of(other)
    return first is not None and second is not None and first[0] == second[0]
