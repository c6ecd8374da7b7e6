"""A run: every rule that is asked, other tools beside them, and what is left when comments and baseline are heard."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.lint import baseline as baselines
from mgw.lint.delegates import Delegates
from mgw.lint.files import matches
from mgw.lint.noqa import allowed, unused
from mgw.lint.registry import all_rules, is_chosen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from mgw.lint.configuration import Configuration
    from mgw.lint.delegates import Trouble
    from mgw.lint.finding import Finding
    from mgw.lint.project import Project


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found.

    Attributes:
        findings: that are new, by place.
        files: how many were looked at.
        known: how many findings the baseline knows.
        gone: how many of the baseline are there no more.
        stale: queries of which nothing is proved today, so that rules about their columns were not asked.
        troubles: tools that were to be asked and could not be.
    """

    findings: tuple[Finding, ...]
    files: int
    known: int = 0
    gone: int = 0
    stale: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def lint(project: Project, *, baseline: Path | None, tools: Sequence[str], is_asked_for: bool) -> Report:
    """Look at a project.

    Args:
        project: as it is configured.
        baseline: file of the findings that were there before; None if there is none.
        tools: other tools that are asked.
        is_asked_for: whether somebody named these tools, so that to lack one is a failure.

    Raises:
        BaselineInvalid: the file is none, or is of another version.
        QueriesMissing: the folder of queries is none.
    """
    with Delegates(project, tools, is_asked_for=is_asked_for) as delegates, _no_collector():
        findings = [finding for rule in all_rules() for finding in rule.check(project)]
        others = delegates.findings()
    left, comments = allowed(project, [*findings, *others])
    stale = tuple(name for name, query in project.queries.items() if query.description is None)
    lacks = {what for what, is_lacking in (("descriptions", stale), ("callers", project.accessor_module is None))
             if is_lacking}  # fmt: skip
    asked = {
        rule.code for rule in all_rules() if not rule.needs & lacks and _is_asked(rule.code, "", project.configuration)
    }
    left += unused(project, comments, asked, set(tools) - {each.tool for each in delegates.troubles})
    left = [finding for finding in left if _is_asked(finding.code, finding.path, project.configuration)]
    left.sort(key=lambda finding: (finding.path, finding.line, finding.column, finding.code))
    known = gone = 0
    if baseline is not None:
        left, known, gone = baselines.split_by(project, left, baseline)
    return Report(tuple(left), len(project.paths), known, gone, stale, delegates.troubles)


def _is_asked(code: str, path: str, configuration: Configuration) -> bool:
    if configuration.select and not is_chosen(code, configuration.select):
        return False
    if is_chosen(code, configuration.ignore):
        return False
    return not any(
        is_chosen(code, codes) and matches(path, [pattern]) for pattern, codes in configuration.per_file_ignores.items()
    )


@contextmanager
def _no_collector() -> Iterator[None]:
    """Leave the collector of garbage alone: trees of syntax are a million objects, and each round looks at all."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
