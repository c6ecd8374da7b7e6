"""`mgw train lora`: adapters of users, of everybody or of some."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mgw.cli.options import TIME, Json, Threads, moment_of
from mgw.cli.output import out
from mgw.cli.project import current_project, project_adapters, project_models, project_session, project_shared_tiers
from mgw.core.errors import UsageInvalid

if TYPE_CHECKING:
    from mgw.core.settings import LoadedSettings
    from mgw.recommend.lora.training import Trained


def lora(
    ctx: typer.Context,
    user: Annotated[str | None, typer.Option(help="Train this user alone, by the shared tier that there is.")] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar=TIME,
            help="Train users with events since then, by the shared tier that there is: ISO 8601, or how long ago.",
        ),
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Train the shared tier and everybody: so it is without --user and --since.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --user: store it whatever held-out titles say, though it is the same.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from where this training, of the same data, was cut short.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write one HTML page: how much each gains.", dir_okay=False)
    ] = None,
    rank: Annotated[int | None, typer.Option(help="Directions that all users share, at most. [lora.rank]")] = None,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Train adapters on top of the model in use: what each user's latest titles change.

    What all users share is learnt first, and adapters are stored of those users whom held-out titles speak for; from
    then on recommendations use them. `mgw evaluate lora` measures what they are worth.
    """
    if (user is not None) + (since is not None) + everyone > 1:
        raise UsageInvalid("--user, --since and --all exclude each other", hint="choose one of them")
    if force and user is None:
        raise UsageInvalid("--force is for one user", hint="name one with --user")
    if (user is not None or since is not None) and (rank is not None or resume or html is not None):
        raise UsageInvalid(
            "--rank, --resume and --html are of everybody's training", hint="leave them out beside --user and --since"
        )
    loaded = current_project(ctx, lora__rank=rank, threads=threads)
    if user is not None:
        _train_user(loaded, user, force=force, json=json)
    elif since is not None:
        _train_since(loaded, since, json=json)
    else:
        _train_everybody(loaded, html, resume=resume, json=json)


def _train_everybody(loaded: LoadedSettings, html: Path | None, *, resume: bool, json: bool) -> None:
    from mgw.core.settings import resolve_path
    from mgw.recommend.lora.training import train_lora
    from mgw.recommend.source import read_training_data
    from mgw.recommend.training_counts import counted

    began = time.perf_counter()
    snapshot, state = project_models(loaded).current(), resolve_path(loaded, loaded.settings.state_dir)
    with counted(state, "lora"), project_session(loaded) as connection, out.progress() as progress:
        data = read_training_data(connection)
        connection.commit()
        store = project_shared_tiers(loaded)
        trained = train_lora(
            connection, data, snapshot, store, settings=loaded.settings, resume=resume, progress=progress
        )
    if html is not None:
        from mgw.recommend.lora.report import write_report

        write_report(html, trained)
    if trained.rank < loaded.settings.lora.rank:
        out.note(
            f"adapters have {trained.rank} directions, as many as the model's titles have numbers"
            f" (lora.rank is {loaded.settings.lora.rank})"
        )
    _show(trained, time.perf_counter() - began, resume=resume, json=json)


def _show(trained: Trained, seconds: float, *, resume: bool, json: bool) -> None:
    if json:
        out.json(
            {
                "shared_tier": trained.shared, "model": trained.base, "rank": trained.rank, "adapters": trained.stored,
                "resumed": trained.resumed, "skipped": trained.skipped, "groups": trained.groups, "duration_s": seconds,
            }
        )  # fmt: skip
        return
    if resume:
        out.note(
            f"{trained.resumed:,} adapters were there already"
            if trained.resumed is not None
            else "nothing was kept of such a training: it began anew"
        )
    out.print(f"{trained.stored:,} adapters for the model {trained.base}, in {seconds:.1f} s")
    for why, count in trained.skipped.items():
        out.print(f"{count:,} users have none: {why}")
    rows = [
        (name, found["users"], f"{found['gain']:+.4f}", found["adapters"]) for name, found in trained.groups.items()
    ]
    out.print("\nGain: the share of titles that rank below a held-out one, with adapters less without")
    out.table("By liked titles", ["titles", ">users", ">mean gain", ">adapters"], rows)


def _train_user(loaded: LoadedSettings, user: str, *, force: bool, json: bool) -> None:
    from mgw.recommend.lora.online import train_user
    from mgw.recommend.snapshot import columns_of

    began = time.perf_counter()
    snapshot, adapters = project_adapters(loaded)
    with project_session(loaded) as connection:
        done = train_user(connection, user, adapters, columns_of(snapshot), force=force)
    seconds = time.perf_counter() - began
    if json:
        out.json(
            {
                "user_id": user, "status": done.status, "version": done.version, "events_used": done.events_used,
                "duration_s": seconds,
            }
        )  # fmt: skip
        return
    said = {
        "trained": f"version {done.version}, from {done.events_used:,} titles",
        "unchanged": f"version {done.version} is the same already",
        "unsupported": (
            f"nothing is stored of {done.events_used:,} titles: those that were held out do not speak for it;"
            " --force stores it all the same"
        ),
    }
    out.print(f"user {user}: {said[done.status]} ({seconds:.1f} s)")


def _train_since(loaded: LoadedSettings, since: str, *, json: bool) -> None:
    from mgw.recommend.lora.training import train_since
    from mgw.recommend.snapshot import columns_of

    began = time.perf_counter()
    at = moment_of(since, "--since")
    snapshot, adapters = project_adapters(loaded)
    with project_session(loaded) as connection, out.progress() as progress:
        done = train_since(connection, at, adapters, columns_of(snapshot), progress)
    seconds = time.perf_counter() - began
    if json:
        out.json({"shared_tier": adapters.name, "since": at.isoformat(), "users": done, "duration_s": seconds})
        return
    out.print(f"users with events since {at.isoformat()}, in {seconds:.1f} s")
    for status, count in done.items():
        out.print(f"{count:8,} {status}")
