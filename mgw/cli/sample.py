"""`mgw sample`: something to look at before there is data of one's own."""

from __future__ import annotations

from typing import Annotated

import typer

from mgw.cli.imports import record_import, show_report
from mgw.cli.options import Json
from mgw.cli.output import out
from mgw.cli.project import current_project, project_session


def sample(
    ctx: typer.Context,
    users: Annotated[int, typer.Option(help="How many users.")] = 2000,
    titles: Annotated[int, typer.Option(help="How many titles.")] = 1500,
    events: Annotated[int, typer.Option(help="How many viewing events.")] = 150_000,
    seed: Annotated[int, typer.Option(help="One seed gives one sample.")] = 0,
    json: Json = False,
) -> None:
    """Generate a catalogue and two years of viewing events.

    Users have tastes, titles have genres, cast, directors and themes, and what is watched, finished, rated or
    dismissed follows from both. The same sample twice changes nothing.
    """
    from mgw.ingest.sample import SampleSize
    from mgw.ingest.sampling import load_sample

    size = SampleSize(users, titles, events)
    with out.progress() as progress, project_session(current_project(ctx)) as connection:
        report = load_sample(connection, size, seed=seed, progress=progress)
        record_import(connection, "sample", f"seed {seed}", report)
    show_report(report, json=json)
