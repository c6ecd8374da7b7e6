"""A viewer's profile: what their events say of their taste, summed up with the weight that is left of each.

    w_e = decay^((T - t_e) / decay_days) · label_e         T is the latest event; a dismissal's label is -1
    preference      p = Σ_e w_e E_e / |…|                  E_e: the embedding of the event's title
    genre affinity  a_g = (Σ_{e has g} w_e⁺ + s·b_g) / (Σ_e w_e⁺ + s)      b_g: share of the genre in the catalogue

Events of less than the least completion have the label 0, and so no weight. Whatever T is, p and, but for smoothing, a
are the same: only the age of events against each other counts. An event without a time is as old as the oldest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.settings import ProfileSettings
    from mgw.recommend.viewer import Viewer

DAY_S = 86_400.0
_Seconds = TypeVar("_Seconds", float, "NDArray[np.float64]")


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
        return cls.of_sums(ProfileSums.of(viewer, embeddings, genres, settings), genre_prior(genres, stated), settings)

    @classmethod
    def of_sums(cls, sums: ProfileSums, prior: NDArray[np.float64], settings: ProfileSettings) -> Self:
        """Make a profile from its sums and what is thought of each genre before any event, `(n_genres,)`."""
        length = float(np.linalg.norm(sums.preference))
        smooth, timed = settings.genre_smoothing, max(float(sums.hours.sum()), 1.0)
        return cls(
            (sums.preference / length if length > 0 else sums.preference).astype(np.float32),
            (sums.genres + smooth * prior) / (sums.liked + smooth),
            sums.hours / timed,
            sums.weekdays / timed,
            sums.events,
        )


@dataclass(frozen=True, slots=True)
class ProfileSums:
    """What a profile is made from. Those of two sets of events with times add up to those of both.

    Attributes:
        as_of: when the latest event was, seconds since 1970 in UTC; NaN where no event has a time.
        preference: Σ_e w_e E_e, `(d,)`.
        genres: Σ_{e has g} w_e⁺, `(n_genres,)`.
        liked: Σ_e w_e⁺.
        hours: events with a time in each hour of the day, UTC, `(24,)`.
        weekdays: the same of each day, Monday first, `(7,)`.
        events: how many there are.
    """

    as_of: float
    preference: NDArray[np.float64]
    genres: NDArray[np.float64]
    liked: float
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
    ) -> Self:
        """Sum up the events of a viewer; the arguments are those of `Profile.of`."""
        weights = event_weights(viewer, settings)
        liked = np.maximum(weights, 0)
        hours, weekdays = viewing_times(viewer.at)
        times = viewer.at[np.isfinite(viewer.at)]
        return cls(
            float(times.max()) if len(times) else float("nan"),
            np.asarray(weights @ embeddings[viewer.items], dtype=np.float64),
            np.asarray(np.bincount(viewer.items, liked, genres.shape[0]) @ genres, dtype=np.float64),
            float(liked.sum()),
            hours,
            weekdays,
            len(viewer.items),
        )

    @property
    def is_additive(self) -> bool:
        """Whether later events can be added: one without a time is as old as the oldest, which another may become."""
        return int(self.hours.sum()) == self.events

    def plus(self, others: Self, settings: ProfileSettings) -> Self:
        """Add the sums of other events; both are additive."""
        if not (self.events and others.events):
            return self if self.events else others
        as_of = max(self.as_of, others.as_of)
        mine, theirs = (left_after(as_of - each.as_of, settings) for each in (self, others))
        return replace(
            self,
            as_of=as_of,
            preference=mine * self.preference + theirs * others.preference,
            genres=mine * self.genres + theirs * others.genres,
            liked=mine * self.liked + theirs * others.liked,
            hours=self.hours + others.hours,
            weekdays=self.weekdays + others.weekdays,
            events=self.events + others.events,
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
    return np.asarray(left_after(at.max() - at, settings) * viewer.label)


def left_after(seconds: _Seconds, settings: ProfileSettings) -> _Seconds:
    """Return what is left of an event's weight after some time."""
    left: _Seconds = settings.decay ** (seconds / DAY_S / settings.decay_days)
    return left


def viewing_times(at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Count the known times by hour, `(24,)`, and by weekday, `(7,)`, both in UTC."""
    times = at[np.isfinite(at)]
    hours = np.bincount(hour_of_day(times), minlength=24).astype(np.float64)
    weekdays = np.bincount((times // DAY_S + 3).astype(np.int64) % 7, minlength=7).astype(np.float64)  # a Thursday
    return hours, weekdays


def hour_of_day(at: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the hour in UTC of some times, 0 to 23."""
    return (at % DAY_S // 3600).astype(np.int64)
