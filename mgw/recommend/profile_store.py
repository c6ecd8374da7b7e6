"""Profiles in the database: kept with what they were made from, so that new events are added and none is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from psycopg.types.json import Jsonb

from mgw.core.database import queries
from mgw.recommend.profile import ProfileSums

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import ProfileSettings
    from mgw.recommend.profile import Profile


def save_profile(
    connection: Connection[TupleRow],
    user_id: str,
    profile: Profile,
    sums: ProfileSums,
    *,
    snapshot: str,
    genres: Sequence[str],
    settings: ProfileSettings,
) -> None:
    """Keep a user's profile for a snapshot, in place of the one before; of a user who is not there nothing is kept.

    Args:
        connection: to the database with the user's events, all of which the profile is made from.
        user_id: the caller's id.
        profile: to keep.
        sums: what it was made from.
        snapshot: the name of the model.
        genres: the names of the genres, in the order of the profile.
        settings: that it was made with.
    """
    queries.profile_save(
        connection,
        user_id=user_id,
        snapshot=snapshot,
        preference=profile.preference.tolist(),
        genre_affinities=Jsonb(dict(zip(genres, profile.genre_affinities.tolist(), strict=True))),
        hours=profile.hours.tolist(),
        weekdays=profile.weekdays.tolist(),
        events_seen=profile.events,
        as_of=sums.as_of if sums.is_additive else float("nan"),
        preference_length=float(np.linalg.norm(sums.preference)),
        genre_sums=sums.genres.tolist(),
        liked_sum=sums.liked,
        basis=_basis(settings),
    )


def load_sums(
    connection: Connection[TupleRow], user_id: str, snapshot: str, settings: ProfileSettings
) -> ProfileSums | None:
    """Read what a user's profile was made from; None where it has to be made anew.

    That is so where there is none for the snapshot or with these settings, where events came in by another way since,
    or where some have no time.
    """
    row = queries.profile_load_sums(connection, user_id=user_id, snapshot=snapshot, basis=_basis(settings))
    if row is None:
        return None
    return ProfileSums(
        row.as_of,
        row.preference_length * np.array(row.preference),
        np.array(row.genre_sums),
        row.liked_sum,
        np.round(row.events_seen * np.array(row.hours)),
        np.round(row.events_seen * np.array(row.weekdays)),
        row.events_seen,
    )


def _basis(settings: ProfileSettings) -> str:
    return f"decay {settings.decay!r} in {settings.decay_days!r} days"
