"""`mgw lint`: faults in queries, configuration, routes, experiments, metrics, the audit trail; and what others find."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import msgspec
import typer

from mgw import __version__
from mgw.cli.output import counted, out
from mgw.core.errors import FileUnreadable, MgwError, UsageInvalid

if TYPE_CHECKING:
    from mgw.lint import Configuration, Project, Report

Form: TypeAlias = Literal["text", "json", "sarif", "github"]
_ROOTS = ("pyproject.toml", "mgw.yaml", ".git")


def lint(
    paths: Annotated[list[Path] | None, typer.Argument(help="Tell only of these files and folders.")] = None,
    select: Annotated[list[str] | None, typer.Option(help="Codes, or beginnings of codes, to ask for.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Codes, or beginnings of codes, to leave out.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Make the fixes after which nothing behaves differently.")] = False,
    unsafe_fixes: Annotated[
        bool, typer.Option("--unsafe-fixes", help="Make the others as well; look at what they did.")
    ] = False,
    format: Annotated[Form, typer.Option("--format", help="For whom the findings are.")] = "text",  # noqa: A002 - the name of the option
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of the findings that were there before.", dir_okay=False)
    ] = None,
    write_baseline: Annotated[
        bool, typer.Option("--write-baseline", help="Keep the findings of today, and tell only of new ones.")
    ] = False,
    delegate: Annotated[
        list[str] | None, typer.Option(help="Other tools to ask: ruff, squawk, deptry, or none.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again whenever a file is saved, until Ctrl-C.")] = False,
    explain: Annotated[str | None, typer.Option(metavar="CODE", help="Show the page of a rule.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules.")] = False,
    root: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the project. Default: the one this folder is in."),
    ] = None,
) -> None:
    """Look for faults that only this toolkit can know: in SQL and its callers, routes, experiments, metrics, audit.

    ruff, squawk and deptry are asked too where they are installed. A finding is let through by `mgw: noqa[CODE]` in a
    comment, by `[tool.mgw.lint]` in pyproject.toml, or by a baseline. Exit code 1 if there is one, 2 if something could
    not be looked at.
    """
    if explain is not None or rules:
        _show_pages(explain)
        return
    run = _Run(paths or [], (root or root_of_project()).resolve(), select or [], ignore or [], baseline, delegate)
    if write_baseline:
        run.write_baseline()
        return
    if watch:
        _keep_looking(run, format)
    report = run.mended(unsafe=unsafe_fixes) if fix or unsafe_fixes else run.report()
    show(report, format)
    if any(each.is_failure for each in report.troubles):
        raise typer.Exit(2)
    if report.findings:
        raise typer.Exit(1)


def look_over(root: Path) -> Report:
    """Lint a project as it is configured."""
    return _Run([], root.resolve(), [], [], None, None).report()


class _Run:
    """What the options ask for."""

    def __init__(
        self,
        paths: list[Path],
        root: Path,
        select: list[str],
        ignore: list[str],
        baseline: Path | None,
        delegate: list[str] | None,
    ) -> None:
        from mgw.lint import read_configuration, require_known

        if not root.is_dir():
            raise FileUnreadable(f"{root} is not a folder")
        self.root = root
        configured = read_configuration(root)
        chosen = [code for each in select for code in each.split(",")]
        ignored = [code for each in ignore for code in each.split(",")]
        require_known([*chosen, *ignored, *configured.select, *configured.ignore])
        require_known(code for codes in configured.per_file_ignores.values() for code in codes)
        self.configuration: Configuration = msgspec.structs.replace(
            configured, select=tuple(chosen) or configured.select, ignore=(*configured.ignore, *ignored)
        )
        self._named = baseline
        self._tools, self._is_asked_for = _tools(delegate, self.configuration)
        self._paths = _relative(paths, root)

    @property
    def baseline(self) -> Path:
        """The file of the findings that were there before."""
        return self._named or self.root / self.configuration.baseline

    def report(self) -> Report:
        """Look at everything, and tell of what was asked."""
        return self._look(self.project())[1]

    def mended(self, *, unsafe: bool) -> Report:
        """Make the fixes, as long as there are more, and look again."""
        from mgw.lint.fixing import mend

        made = 0
        for _ in range(10):
            project, report = self._look(self.project())
            count = mend(project, report.findings, unsafe=unsafe)
            if not count:
                break
            made += count
        out.note(f"{made} finding{'' if made == 1 else 's'} mended")
        return self.report()

    def write_baseline(self) -> None:
        """Keep the findings of today."""
        from mgw.lint import baseline

        project = self.project()
        findings = self._look(project, all_of_them=True)[1].findings
        baseline.write(project, findings, self.baseline)
        out.print(f"{len(findings)} finding{'' if len(findings) == 1 else 's'} written to {self.baseline}")

    def project(self) -> Project:
        """Return the files as they are now."""
        from mgw.lint import Project

        return Project(self.root, self.configuration, self.root / ".mgw" / "lint-facts.msgpack")

    def _look(self, project: Project, *, all_of_them: bool = False) -> tuple[Project, Report]:
        from dataclasses import replace

        from mgw.lint import lint as look
        from mgw.lint.files import matches

        exists = self._named is not None or self.baseline.is_file()
        report = look(
            project,
            baseline=self.baseline if exists and not all_of_them else None,
            tools=self._tools,
            is_asked_for=self._is_asked_for,
        )
        if self._paths:
            found = tuple(each for each in report.findings if matches(each.path, self._paths))
            report = replace(report, findings=found)
        return project, report


def _tools(delegate: list[str] | None, configuration: Configuration) -> tuple[tuple[str, ...], bool]:
    """Return which other tools are asked, and whether somebody named them."""
    from mgw.lint.delegates import TOOLS

    named = configuration.delegates if delegate is None else tuple(",".join(delegate).split(","))
    if named is None:
        return tuple(TOOLS), False
    if named == ("none",):
        return (), True
    for tool in named:
        if tool not in TOOLS:
            raise UsageInvalid(f"{tool} is no tool that is asked", hint=f"{', '.join(TOOLS)}, or none")
    return named, True


def _relative(paths: list[Path], root: Path) -> tuple[str, ...]:
    """Return patterns of the files that were named.

    Raises:
        FileUnreadable: one is not there, or not of this project.
    """
    patterns = []
    for path in paths:
        whole = path.resolve()
        if not whole.exists() or not whole.is_relative_to(root):
            raise FileUnreadable(f"{path} is not in {root}", hint="name a file or folder of the project")
        below = whole.relative_to(root).as_posix()
        patterns += ["**"] if below == "." else [below, f"{below}/**"]
    return tuple(patterns)


def root_of_project() -> Path:
    """Return the folder of the project that this folder is in: the nearest with one of the files that projects have."""
    here = Path.cwd()
    return next((each for each in (here, *here.parents) if any((each / name).exists() for name in _ROOTS)), here)


def show(report: Report, form: Form) -> None:
    """Print a report, and on stderr what could not be looked at."""
    from mgw.lint import formats

    if form == "json":
        out.json(formats.json(report))
    elif form == "sarif":
        out.json(formats.sarif(report, version=__version__))
    elif report.findings:
        out.print(formats.github(report) if form == "github" else formats.text(report))
    tell_what_is_missing(report)
    if report.gone:
        out.note(f"{report.gone} of the baseline are gone: --write-baseline takes them out")
    if form == "text":
        known = f", {report.known} known before" if report.known else ""
        found = counted(len(report.findings), "finding")
        (out.note if report.findings else out.print)(f"{found} in {counted(report.files, 'file')}{known}")


def tell_what_is_missing(report: Report) -> None:
    """Say on stderr what could not be looked at."""
    for trouble in report.troubles:
        out.warn(f"{trouble.message} ({trouble.hint})")
    if report.stale:
        what = counted(len(report.stale), "query is", "queries are")
        how = "it stands," if len(report.stale) == 1 else "they stand, the first is"
        out.warn(f"{what} not described as {how} {report.stale[0]}: `mgw prepare`")


def _show_pages(code: str | None) -> None:
    from mgw.lint import all_rules, rule_of

    if code is None:
        out.table("", ["code", "name", "finds"], [(rule.code, rule.name, rule.summary) for rule in all_rules()])
    else:
        rule = rule_of(code)
        out.print(f"{rule.code} {rule.name}\n\n{rule.page}")


def _keep_looking(run: _Run, form: Form) -> None:
    """Look again whenever a file was saved, until Ctrl-C; what goes wrong is shown, and the next save waited for."""
    from mgw.lint.watching import saves

    saved = saves(run.root, run.configuration.exclude)
    while True:
        try:
            show(run.report(), form)
        except MgwError as error:
            out.error(error)
        changed = sorted(next(saved))
        out.note(f"\n{', '.join(changed[:3])}{' …' if len(changed) > 3 else ''} changed")
