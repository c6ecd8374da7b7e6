"""`mgw profile`: what the pipeline makes of a user's events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mgw.cli.options import Json, User
from mgw.cli.output import out
from mgw.cli.project import current_project, project_models, project_session
from mgw.core.errors import UserUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from mgw.recommend.profile import Profile

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_BAR = 30


def profile(ctx: typer.Context, user: User, json: Json = False) -> None:
    """Show a user's profile, made from all events up to now for the model in use, and keep it in the database.

    The genre affinities, the hours and the weekdays (in UTC) are shown; --json has the preference vector too, which
    points to the titles, by their embeddings, that the user watches.
    """
    from mgw.recommend.history import read_history
    from mgw.recommend.pipeline import Pipeline
    from mgw.recommend.profile_store import save_profile
    from mgw.recommend.viewer import Viewer

    loaded = current_project(ctx)
    snapshot = project_models(loaded).current()
    pipeline = Pipeline.of_snapshot(snapshot, loaded.settings)
    columns = {name.decode(): column for column, name in enumerate(snapshot.array("content_ids").tolist())}
    with project_session(loaded) as connection:
        history = read_history(connection, user)
        if not history.user_exists:
            raise UserUnknown(f"there is no user {user!r}", hint="the id is the one that was imported")
        sums = pipeline.profile_sums(Viewer.of_history(history, columns))
        found, names = pipeline.profile_of_sums(sums), pipeline.context.names
        name, settings = snapshot.manifest.name, loaded.settings.profile
        save_profile(connection, user, found, sums, snapshot=name, genres=names, settings=settings)
    if json:
        out.json(
            {
                "user_id": user,
                "model": snapshot.manifest.name,
                "events": found.events,
                "genre_affinities": dict(zip(names, found.genre_affinities.tolist(), strict=True)),
                "hours": found.hours.tolist(),
                "weekdays": found.weekdays.tolist(),
                "preference": found.preference.tolist(),
            }
        )
        return
    show_profile(user, found, names)


def show_profile(user: str, found: Profile, names: Sequence[str]) -> None:
    """Print a profile."""
    out.print(f"User {user}: {found.events:,} events on titles that the model knows")
    order = found.genre_affinities.argsort()[::-1]
    _bars("Genres, share of what was liked", [names[place] for place in order], found.genre_affinities[order])
    if found.hours.any():
        _bars("Hours, UTC", [f"{hour:02}" for hour in range(24)], found.hours)
        _bars("Days, UTC", _DAYS, found.weekdays)


def _bars(title: str, labels: Sequence[str], shares: NDArray[np.float64]) -> None:
    most = max(float(shares.max(initial=0)), 1e-9)
    rows = [
        (label, f"{share:.1%}", "█" * round(_BAR * float(share) / most))
        for label, share in zip(labels, shares, strict=True)
        if share > 0
    ]
    out.print("")
    out.table(title, ["", ">share", ""], rows)
