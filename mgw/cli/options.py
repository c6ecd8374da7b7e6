"""Options and arguments that several commands share: one idea has one name, one help and one reading.

What stands for a value: FILE, FOLDER, TIME, URL and the like where its kind has a name, otherwise its type.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from mgw.core.errors import UsageInvalid

TIME = "TIME"
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def _named(user: str | None) -> str | None:
    """Refuse a user who is nobody.

    Raises:
        UsageInvalid: the id is empty.
    """
    if user == "":
        raise UsageInvalid("a user's id is not empty", hint="is the variable set that it comes from?")
    return user


User: TypeAlias = Annotated[str, typer.Argument(help="Id of the user, as it was imported.", callback=_named)]
AnyUser: TypeAlias = Annotated[str | None, typer.Argument(help="Id of the user, as it was imported.", callback=_named)]
TokenUser: TypeAlias = Annotated[str, typer.Argument(help="Whom the token says to be.", callback=_named)]
ExperimentName: TypeAlias = Annotated[str, typer.Argument(help="Name of the experiment.")]
TopK: TypeAlias = Annotated[int | None, typer.Option("--top-k", "-k", min=1, help="How many titles. [recommend.top_k]")]
Threads: TypeAlias = Annotated[
    int | None, typer.Option("--threads", help="Threads to train with; 0 is one for each CPU. [threads]")
]
OutFile: TypeAlias = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="File to write. Default: stdout.", dir_okay=False)
]
GatewayFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--gateway-file", metavar="FILE",
        help="The gateway's file. Default: configs/gateway.yaml or gateway.yaml here, else mgw's own.",
    ),
]  # fmt: skip
Since: TypeAlias = Annotated[
    str | None, typer.Option("--since", metavar=TIME, help="From then on: ISO 8601, or how long ago: 90d, 12h, 30m.")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option("--until", metavar=TIME, help="Up to then: ISO 8601, or how long ago: 90d, 12h, 30m.")
]
At: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--at", metavar=TIME, help="The moment that is meant: ISO 8601, or how long ago: 90d, 12h, 30m. Default: now."
    ),
]


def moment_of(text: str, option: str) -> datetime:
    """Read a moment: ISO 8601, how long ago, or seconds since 1970; in UTC where it names no offset.

    Raises:
        UsageInvalid: it is none.
    """
    from mgw.ingest.values import Unusable, moment

    given = text.strip()
    try:
        if given[-1:] in _UNITS and given[:-1].isdecimal():
            return datetime.now(UTC) - timedelta(**{_UNITS[given[-1]]: int(given[:-1])})
        return moment(given, "moment")
    except (Unusable, OverflowError) as error:
        hint = f"for example {option} 2026-12-24T20:00+01:00, {option} 90d or {option} 12h"
        raise UsageInvalid(f"{option}: {text!r} is no time", hint=hint) from error
