"""The options that say which titles may be recommended, and what they come to."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mgw.cli.options import moment_of
from mgw.cli.output import out
from mgw.core.errors import ContentUnknown, FileUnreadable

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import RecommendSettings
    from mgw.recommend.eligibility import Eligibility

_SHOWN = 5

Only: TypeAlias = Annotated[
    Path | None,
    typer.Option("--only", metavar="FILE", help="An id in each line: nothing but these titles. - is stdin."),
]
Never: TypeAlias = Annotated[
    Path | None, typer.Option("--except", metavar="FILE", help="An id in each line: none of these titles. - is stdin.")
]
Where: TypeAlias = Annotated[
    str | None, typer.Option(help="Titles for which this SQL is true; c is the row of content. [recommend.where]")
]
Region: TypeAlias = Annotated[str | None, typer.Option(help="Titles available there. [recommend.region]")]


def read_eligibility(
    connection: Connection[TupleRow],
    settings: RecommendSettings,
    *,
    only: Path | None = None,
    never: Path | None = None,
    at: str | None = None,
) -> Eligibility:
    """Find the titles that may be recommended, by the settings and the options of the command.

    Raises:
        UsageInvalid: a moment that is none.
        FileUnreadable: a list cannot be read.
        ContentUnknown: the catalogue has no title of a list.
        PredicateInvalid: `recommend.where` is no condition.
    """
    from mgw.recommend.eligibility import eligible_titles

    _warn_of_region(connection, settings.region)
    eligible = eligible_titles(connection, settings, datetime.now(UTC) if at is None else moment_of(at, "--at"))
    if only is not None:
        eligible = eligible.within(_listed(connection, only, "--only"))
    if never is not None:
        eligible = eligible.but_for(_listed(connection, never, "--except"))
    return eligible


def note_short(count: int, top_k: int) -> None:
    """Say that a list is shorter than was asked for."""
    if count < top_k:
        out.note(f"{count} of the {top_k} titles that were asked for: no more may be recommended here")


def _listed(connection: Connection[TupleRow], path: Path, option: str) -> list[str]:
    from mgw.recommend.eligibility import unknown_titles

    listed = [line.strip() for line in _text(path, option).splitlines() if line.strip()]
    unknown = unknown_titles(connection, listed)
    if unknown:
        some = ", ".join(unknown[:_SHOWN]) + (", …" if len(unknown) > _SHOWN else "")
        message = f"{option} {path}: there is no content {some}"
        if len(unknown) == len(set(listed)):
            raise ContentUnknown(message, hint="an id in each line, as it was imported, and nothing else")
        out.warn(f"{message} ({len(unknown)} of {len(set(listed))})")
    return listed


def _text(path: Path, option: str) -> str:
    try:
        text = sys.stdin.buffer.read() if path == Path("-") else path.read_bytes()
        return text.decode("utf-8-sig").replace("\0", "�")
    except OSError as error:
        raise FileUnreadable(f"{option} {path}: {error.strerror}", hint="a file with an id in each line") from error
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{option} {path}: not UTF-8", hint="save it as UTF-8") from error


def _warn_of_region(connection: Connection[TupleRow], region: str | None) -> None:
    from mgw.core.database import queries

    if region is None:
        return
    regions = queries.catalogue_regions(connection)
    if regions and region not in regions:
        out.warn(f"no title is said to be available in {region}; regions: {', '.join(regions)}")
