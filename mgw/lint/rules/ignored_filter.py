"""A filter is accepted and ignored.

## Why is this bad

Whoever asks for the entries of one user gets everybody's, and does not see it: the answer looks like one. That is worse
than an error, and in an audit trail it is a leak.

## What instead

Filter by it, or do not take it. Looked at are the parameters of functions that list (`list…`, `find…`, `search…`,
`query…`, `fetch…`, `entries`, `page`), and the fields of classes whose name ends in `Filter`, `Filters` or
`Criteria`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWA002"


def check(project: Project) -> Iterator[Finding]:
    """Find parameters and fields that nothing reads."""
    for path, facts in project.modules.items():
        for each in facts.declarations:
            is_field = not each.owner.endswith("()")
            if each.kind == "filter" and not (is_field and each.name in project.attributes):
                yield Finding(
                    code=CODE, name="ignored-filter", path=path, line=each.line, column=each.at,
                    message=f"{each.owner} takes {each.name} and does nothing with it",
                    hint="filter by it, or do not take it",
                )  # fmt: skip
