"""The context source: what is watched these days, and what fits the moment.

    score = popularity · ln(1 + recent_i) / max + (1 - popularity) · mean over the title's genres of the taste a_g
    times the fit of the runtime to the device, and lifted where the mood or the company speaks for a genre
    fit of a length l to a device d = f_dl / max_l f_dl
    f_dl = (views_dl + enough · default_dl · q_l) / ((views_d + enough) · q_l)      q_l: share of length l in all views

The taste is that of the viewer at this time of day as far as there are events to learn it from, else the viewer's at
any time, else everybody's at this time. The fit of a device with many more views than `enough` is how much oftener
titles of a length are watched on it than on all devices. What events cannot tell, because none carries it (mood,
company) or few do, are the defaults below: they are opinions, stated here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from scipy.sparse import csr_array

from mgw.core.database import queries
from mgw.recommend.engagement import MINIMUM_COMPLETION
from mgw.recommend.profile import DAY_S, hour_of_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import Snapshot
    from mgw.core.settings import ContextSettings
    from mgw.recommend.interactions import Events
    from mgw.recommend.profile import Profile
    from mgw.recommend.viewer import Viewer

TIMES_OF_DAY: Final = ("night", "morning", "afternoon", "evening")
"""Six hours each, from midnight."""

DEVICES: Final = ("tv", "phone", "tablet", "desktop")

MOODS: Final[Mapping[str, frozenset[str]]] = {
    "happy": frozenset({"Comedy", "Musical", "Animation", "Family"}),
    "sad": frozenset({"Drama", "Romance"}),
    "relaxed": frozenset({"Comedy", "Documentary", "Romance", "Animation"}),
    "excited": frozenset({"Action", "Adventure", "Thriller"}),
    "scared": frozenset({"Horror", "Thriller"}),
    "thoughtful": frozenset({"Documentary", "Drama", "Mystery", "History"}),
    "adventurous": frozenset({"Adventure", "Fantasy", "Sci-Fi", "Western"}),
    "romantic": frozenset({"Romance", "Drama", "Comedy"}),
}
COMPANY: Final[Mapping[str, frozenset[str]]] = {
    "children": frozenset({"Animation", "Children's", "Children", "Family", "Kids"}),
    "family": frozenset({"Animation", "Children's", "Children", "Family", "Adventure", "Comedy"}),
    "partner": frozenset({"Romance", "Drama", "Comedy"}),
    "friends": frozenset({"Comedy", "Action", "Horror", "Thriller"}),
}
_LIFT = 1.5  # of a title with a genre that the mood or the company asks for
_SHORT_MIN, _LONG_MIN = 30, 60
_DEVICE_FIT: Final[Mapping[str, tuple[float, float, float]]] = {
    "tv": (0.6, 0.8, 1.0),
    "phone": (1.0, 0.8, 0.6),
    "tablet": (1.0, 0.8, 0.6),
    "desktop": (1.0, 1.0, 1.0),
}  # of short, medium and long titles


@dataclass(frozen=True, slots=True)
class Context:
    """The moment at which somebody asks; what is None is not known.

    Attributes:
        time_of_day: one of `TIMES_OF_DAY`.
        device: one of `DEVICES`.
        mood: one of `MOODS`.
        viewing_with: any of `COMPANY`.
    """

    time_of_day: str | None = None
    device: str | None = None
    mood: str | None = None
    viewing_with: tuple[str, ...] = ()


NO_CONTEXT: Final = Context()


@dataclass(frozen=True, slots=True)
class Trends:
    """What everybody watches, and when; kept with a snapshot.

    Attributes:
        recent_viewers: views of each title, each half as much for every half-life of age, `(n_items,)`.
        daypart_genres: share of the liked titles of each time of day that have a genre, `(4, n_genres)`.
        device_views: how often short, medium and long titles were watched on each device, `(4, 3)`.
    """

    recent_viewers: NDArray[np.float32]
    daypart_genres: NDArray[np.float32]
    device_views: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        events: Events,
        genres: csr_array[np.float32],
        settings: ContextSettings,
        device_views: NDArray[np.int64] | None = None,
    ) -> Self:
        """Sum up events; those without a time are as old as the oldest, and of no time of day."""
        if device_views is None:
            device_views = np.zeros((len(DEVICES), 3), dtype=np.int64)
        liked = events.where(events.engagement > 0)
        timed = np.isfinite(liked.at)
        at = np.where(timed, liked.at, liked.at[timed].min() if timed.any() else 0.0)
        age_days = (at.max(initial=0.0) - at) / DAY_S
        weight = 0.5 ** (age_days / settings.half_life_days)
        recent = np.bincount(liked.items, weights=weight, minlength=events.n_items)
        part = hour_of_day(liked.at[timed]) // 6
        views = csr_array((np.ones(len(part)), (part, liked.items[timed])), shape=(len(TIMES_OF_DAY), events.n_items))
        totals = np.maximum(np.asarray(views.sum(axis=1)), 1)[:, None]
        shares = np.asarray((views @ genres).toarray(), dtype=np.float64) / totals
        return cls(recent.astype(np.float32), shares.astype(np.float32), device_views)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> Self:
        """Read what was kept."""
        known = snapshot.manifest.arrays
        views = snapshot.array("device_views") if "device_views" in known else np.zeros((len(DEVICES), 3), np.int64)
        return cls(snapshot.array("recent_viewers"), snapshot.array("daypart_genres"), views)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept with a snapshot."""
        return {
            "recent_viewers": self.recent_viewers,
            "daypart_genres": self.daypart_genres,
            "device_views": self.device_views,
        }


@dataclass(frozen=True)
class ContextSource:
    """Scores titles for a moment.

    Attributes:
        trends: of everybody.
        genres: which titles have which, `(n_items, n_genres)`.
        names: of the genres.
        runtimes: minutes, NaN where not known, `(n_items,)`.
        settings: the weights.
    """

    trends: Trends
    genres: csr_array[np.float32]
    names: list[str]
    runtimes: NDArray[np.float32]
    settings: ContextSettings

    def scores(self, viewer: Viewer, profile: Profile, context: Context) -> NDArray[np.float64]:
        """Score every title, 0 and more, `(n_items,)`."""
        counts = np.maximum(np.diff(self.genres.indptr), 1)
        taste = (self.genres @ self.taste(viewer, profile, context)) / counts
        share = self.settings.popularity
        score = self.popularity + (1 - share) * taste / max(float(taste.max(initial=0)), 1e-12)
        return np.asarray(score * self.device_fit(context.device) * self._asked_for(context))

    @cached_property
    def popularity(self) -> NDArray[np.float64]:
        """What popularity gives to the score of every title, `(n_items,)`."""
        recent = np.log1p(self.trends.recent_viewers.astype(np.float64))
        return np.asarray(self.settings.popularity * recent / max(float(recent.max(initial=0)), 1e-12))

    def taste(self, viewer: Viewer, profile: Profile, context: Context) -> NDArray[np.float64]:
        """Return how the genres suit the viewer at this time of day, `(n_genres,)`."""
        if context.time_of_day is None:
            return profile.genre_affinities
        part = TIMES_OF_DAY.index(context.time_of_day)
        general = profile.genre_affinities if profile.events else self.trends.daypart_genres[part].astype(np.float64)
        now = np.isfinite(viewer.at) & (viewer.label > 0)
        now[now] = hour_of_day(viewer.at[now]) // 6 == part
        enough = self.settings.enough_events
        own = np.bincount(self.genres[viewer.items[now]].indices, minlength=len(self.names))
        return np.asarray((own + enough * general) / (np.count_nonzero(now) + enough))

    def device_fit(self, device: str | None) -> NDArray[np.float64]:
        """Say how a title's runtime suits a device, above 0 to 1, `(n_items,)`; 1 where either is not known."""
        fit = np.ones(len(self.runtimes))
        if device is None:
            return fit
        known = np.isfinite(self.runtimes)
        minutes = self.runtimes[known]
        fit[known] = self._length_fit(device)[np.where(minutes < _SHORT_MIN, 0, np.where(minutes <= _LONG_MIN, 1, 2))]
        return fit

    def _length_fit(self, device: str) -> NDArray[np.float64]:
        """Return the fit of short, medium and long titles, the best of them 1, `(3,)`."""
        views = self.trends.device_views
        default, enough = np.array(_DEVICE_FIT[device]), self.settings.enough_events
        usual = (views.sum(axis=0) + 1) / (views.sum() + views.shape[1])  # a length that nobody watched has a share too
        own = views[DEVICES.index(device)]
        fit = (own + enough * default * usual) / ((own.sum() + enough) * usual) if own.sum() + enough else default
        return np.asarray(fit / fit.max()) if fit.max() > 0 else default

    def _asked_for(self, context: Context) -> NDArray[np.float64]:
        wanted = [MOODS[context.mood]] if context.mood is not None else []
        wanted += [COMPANY[company] for company in context.viewing_with]
        lift = np.ones(len(self.runtimes))
        for genres in wanted:
            known = {genre.casefold() for genre in genres}
            has = self.genres @ np.array([name.casefold() in known for name in self.names], dtype=np.float64)
            lift[has > 0] *= _LIFT
        return lift


def read_device_views(connection: Connection[TupleRow]) -> NDArray[np.int64]:
    """Count how often short, medium and long titles were watched on each device, `(4, 3)`."""
    views = np.zeros((len(DEVICES), 3), dtype=np.int64)
    for row in queries.training_devices(
        connection, short_minutes=_SHORT_MIN, long_minutes=_LONG_MIN, minimum_completion=MINIMUM_COMPLETION
    ):
        views[DEVICES.index(row.device), row.length] = row.views
    return views
