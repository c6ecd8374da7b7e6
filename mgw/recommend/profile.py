"""A viewer's profile: what their events say of their taste, summed up with the weight that is left of each.

    w_e = decay^((T - t_e) / decay_days) · label_e         T is the latest event; a dismissal's label is -1
    preference      p = Σ_e w_e E_e / |…|                  E_e: the embedding of the event's title
    genre affinity  a_g = (Σ_{e has g} w_e⁺ + s·b_g) / (Σ_e w_e⁺ + s)      b_g: share of the genre in the catalogue

Events of less than the least completion have the label 0, and so no weight. Whatever T is, p and, but for smoothing, a
are the same: only the age of events against each other counts. An event without a time is as old as the oldest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from psycopg.types.json import Jsonb

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow
    from scipy.sparse import csr_array

    from mgw.core.settings import ProfileSettings
    from mgw.recommend.viewer import Viewer

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Profile:
    """One viewer's taste.

    Attributes:
        preference: of unit length, zero where nothing speaks for anything, `(d,)`.
        genre_affinities: 0 to 1, `(n_genres,)`.
        hours: share of the viewing in each hour of the day, UTC, `(24,)`; zero where no event has a time.
        weekdays: the same of each day, Monday first, `(7,)`.
        events: how many there were.
    """

    preference: NDArray[np.float32]
    genre_affinities: NDArray[np.float64]
    hours: NDArray[np.float64]
    weekdays: NDArray[np.float64]
    events: int

    @classmethod
    def of(
        cls,
        viewer: Viewer,
        embeddings: NDArray[np.float32],
        genres: csr_array[np.float32],
        settings: ProfileSettings,
        stated: NDArray[np.int64] | None = None,
    ) -> Self:
        """Make the profile of a viewer.

        Args:
            viewer: with any number of events.
            embeddings: of the titles, `(n_items, d)`.
            genres: which titles have which, `(n_items, n_genres)`.
            settings: decay and smoothing.
            stated: genres that the viewer says to like; they stand where else the catalogue's shares would.
        """
        weights = event_weights(viewer, settings)
        preference = weights @ embeddings[viewer.items] if len(weights) else np.zeros(embeddings.shape[1])
        length = float(np.linalg.norm(preference))
        liked = np.maximum(weights, 0)
        base = genre_prior(genres, stated)
        smooth = settings.genre_smoothing
        seen_genres = np.bincount(viewer.items, liked, genres.shape[0]) @ genres
        affinities = (seen_genres + smooth * base) / (liked.sum() + smooth)
        hours, weekdays = viewing_times(viewer.at)
        return cls(
            (preference / length if length > 0 else preference).astype(np.float32),
            affinities, hours, weekdays, len(viewer.items),
        )  # fmt: skip


def save_profile(
    connection: Connection[TupleRow], user_id: str, snapshot: str, profile: Profile, genres: Sequence[str]
) -> None:
    """Keep a user's profile for a snapshot, in place of the one before; of a user who is not there nothing is kept."""
    affinities = dict(zip(genres, profile.genre_affinities.tolist(), strict=True))
    queries.profile_save(
        connection,
        user_id=user_id,
        snapshot=snapshot,
        preference=profile.preference.tolist(),
        genre_affinities=Jsonb(affinities),
        hours=profile.hours.tolist(),
        weekdays=profile.weekdays.tolist(),
        events_seen=profile.events,
    )


def genre_prior(genres: csr_array[np.float32], stated: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return what is thought of each genre before any event, `(n_genres,)`."""
    if stated is not None and len(stated):
        liked = np.zeros(genres.shape[1])
        liked[stated] = 1.0
        return liked
    return np.bincount(genres.indices, minlength=genres.shape[1]) / max(genres.shape[0], 1)


def event_weights(viewer: Viewer, settings: ProfileSettings) -> NDArray[np.float64]:
    """Return what is left of each event's label, `(m,)`."""
    timed = np.isfinite(viewer.at)
    if not timed.any():
        return viewer.label.astype(np.float64)
    at = np.where(timed, viewer.at, viewer.at[timed].min())
    age_days = (at.max() - at) / DAY_S
    return np.asarray(settings.decay ** (age_days / settings.decay_days) * viewer.label)


def viewing_times(at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of viewing by hour, `(24,)`, and by weekday, `(7,)`, both in UTC."""
    times = at[np.isfinite(at)]
    hours = np.bincount(hour_of_day(times), minlength=24).astype(np.float64)
    weekdays = np.bincount((times // DAY_S + 3).astype(np.int64) % 7, minlength=7).astype(np.float64)  # a Thursday
    n = max(len(times), 1)
    return hours / n, weekdays / n


def hour_of_day(at: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the hour in UTC of some times, 0 to 23."""
    return (at % DAY_S // 3600).astype(np.int64)
