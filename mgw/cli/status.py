"""`mgw status`: how the platform stands, on one screen."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from mgw.cli.health import Finding, look
from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from mgw.core.settings import LoadedSettings

PARTS = ("database", "service", "gateway", "adapters", "model")
MARKS = {"ok": "ok", "off": "off", "note": "note", "bad": "BAD"}
_WORST = ("bad", "note", "ok", "off")


def status(
    ctx: typer.Context,
    require: Annotated[
        list[str] | None,
        typer.Option(help=f"That it is bad if this is not there: {', '.join(PARTS)}; may be repeated."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.2, max=86_400, help="With --watch: seconds between two looks.")] = 2.0,
    json: Json = False,
) -> None:
    """Show how the platform stands: database, model, adapters, experiments, service, gateway, upstreams, backlog.

    What does not run is off, and not bad, unless --require names it. Exit code 1 if anything is bad. `mgw doctor` says
    how to mend it.
    """
    wanted = frozenset(each.strip() for part in require or () for each in part.split(","))
    if unknown := sorted(wanted - set(PARTS)):
        raise UsageInvalid(f"there is no part {unknown[0]!r}", hint=f"one of {', '.join(PARTS)}")
    if watch and json:
        raise UsageInvalid("--watch and --json exclude each other")
    if math.isnan(every):  # which is neither below a bound nor above
        raise UsageInvalid("--every nan: not a number of seconds", hint="for example --every 2")
    loaded = current_project(ctx)
    if watch:
        _keep_looking(loaded, wanted, every)
    findings = found(loaded, wanted)
    if json:
        out.json(document(findings))
    else:
        out.show(table_of(findings))
    if any(finding.state == "bad" for finding in findings):
        raise typer.Exit(1)


def found(loaded: LoadedSettings, required: frozenset[str]) -> list[Finding]:
    """Look at everything; what is required and not there is bad."""
    findings = list(look(loaded, is_thorough=False))
    missing = required - {each.subject for each in findings}  # what the database would have to tell
    return [
        *(replace(each, state="bad") if each.subject in required and _is_missing(each) else each for each in findings),
        *(Finding(part, "bad", "nothing is known: the database does not run") for part in sorted(missing)),
    ]


def _is_missing(finding: Finding) -> bool:
    return finding.state == "off" or finding.is_missing


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return the findings for programs."""
    worst = next(state for state in _WORST if any(each.state == state for each in findings))
    return {
        "status": {"bad": "unhealthy", "note": "degraded"}.get(worst, "ok"),
        "at": datetime.now(UTC).isoformat(),
        "parts": [
            {"part": each.subject, "state": each.state, "detail": each.detail, "hint": each.hint or None, **each.facts}
            for each in findings
        ],
    }


def table_of(findings: Sequence[Finding]) -> Table:
    """Return the findings as a table."""
    return out.states([(each.subject, MARKS[each.state], each.detail) for each in findings])


def _keep_looking(loaded: LoadedSettings, required: frozenset[str], every_s: float) -> NoReturn:
    """Show the state in place, again and again, until Ctrl-C."""
    with out.live() as show:
        while True:
            findings = found(loaded, required)
            show(table_of(findings), f"{datetime.now(UTC):%H:%M:%S} UTC, every {every_s:g} s; Ctrl-C ends it")
            time.sleep(every_s)
