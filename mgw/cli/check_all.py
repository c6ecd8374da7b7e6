"""`mgw check --all`: all that can be proved of a project without running it, as the one command of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mgw import __version__
from mgw.cli import lint as linting
from mgw.cli.output import counted, out
from mgw.cli.project import current_project
from mgw.core.errors import MgwError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.cli.lint import Form
    from mgw.lint import Report
    from mgw.sql.check import Difference


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that the program would refuse.

    Attributes:
        part: "configuration", "gateway" or "experiment".
        path: of it, as it is named here.
        error: with what.
    """

    part: str
    path: str
    error: MgwError


def check_all(ctx: typer.Context, differences: list[Difference], queries: int, form: Form) -> None:
    """Lint, read every configuration and every experiment, and show all of it with what `check` found.

    Args:
        ctx: of the command.
        differences: between queries, descriptions and accessors.
        queries: how many there are.
        form: for whom it is shown.
    """
    root = linting.root_of_project()
    report = linting.look_over(root)
    refusals = list(_refusals(ctx, root))
    _show(differences, queries, report, refusals, form)
    if any(each.is_failure for each in report.troubles):
        raise typer.Exit(2)
    if differences or report.findings or refusals:
        raise typer.Exit(1)


def _refusals(ctx: typer.Context, root: Path) -> Iterator[Refusal]:
    from mgw.experiments.files import read_definition
    from mgw.gateway.files import read_gateway
    from mgw.lint import Project, read_configuration

    try:
        current_project(ctx)
    except MgwError as error:
        yield Refusal("configuration", "mgw.yaml", error)
    project = Project(root, read_configuration(root))
    for part, files, read in (
        ("gateway", project.gateways, read_gateway),
        ("experiment", project.experiments, read_definition),
    ):
        for file in files:
            try:
                read(root / file.path)
            except MgwError as error:
                yield Refusal(part, file.path, error)


def _show(differences: list[Difference], queries: int, report: Report, refusals: list[Refusal], form: Form) -> None:
    from mgw.lint import formats as lint_formats
    from mgw.sql.check import formats

    if form == "json":
        found = formats.json(differences, queries=queries)
        out.json({**found, "lint": lint_formats.json(report), "refused": [_json(each) for each in refusals]})
    elif form == "sarif":
        checked = formats.sarif(differences, version=__version__)
        checked["runs"] += lint_formats.sarif(report, version=__version__)["runs"]
        checked["runs"] += _sarif(refusals)["runs"]
        out.json(checked)
    elif form == "github":
        for line in filter(None, [formats.github(differences), lint_formats.github(report), _github(refusals)]):
            out.print(line)
    else:
        _show_text(differences, queries, report, refusals)
    linting.tell_what_is_missing(report)


def _show_text(differences: list[Difference], queries: int, report: Report, refusals: list[Refusal]) -> None:
    from mgw.lint import formats as lint_formats
    from mgw.sql.check import formats

    for text in (formats.text(differences), lint_formats.text(report)):
        if text:
            out.print(text)
    for each in refusals:
        out.print(f"{each.path}: {each.part} refused: {each.error.code}: {each.error.message}")
        if each.error.hint:
            out.print(f"    hint: {each.error.hint}")
    out.table(
        "",
        ["looked at", ">wrong"],
        [
            (f"{counted(queries, 'query', 'queries')}: descriptions and accessors", len(differences)),
            (f"{counted(report.files, 'file')}, by every rule", len(report.findings)),
            ("configuration, gateways and experiments", len(refusals)),
        ],
    )


def _json(each: Refusal) -> dict[str, Any]:
    error = each.error
    return {"part": each.part, "path": each.path, "code": error.code, "message": error.message, "hint": error.hint}


def _sarif(refusals: list[Refusal]) -> dict[str, Any]:
    from mgw.core.annotations import sarif_document, sarif_result

    rules = [{"id": code} for code in sorted({each.error.code for each in refusals})]
    results = [sarif_result(each.error.code, each.error.message, path=each.path) for each in refusals]
    return sarif_document("mgw check --all", __version__, rules, results)


def _github(refusals: list[Refusal]) -> str:
    from mgw.core.annotations import github_command

    return "\n".join(
        github_command(f"mgw check: {each.part} refused", each.error.message, path=each.path) for each in refusals
    )
