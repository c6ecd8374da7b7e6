"""How viewers take what they watch: whether they finish it, dismiss it, and what they rate it.

All of it follows from how well the title matches the viewer, from how good it is, and from the viewer's own ways, so
that what is learned from completions, ratings, rewatches and dismissals points the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgw.ingest.sample.sittings import DEVICES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.ingest.sample.audience import Viewers
    from mgw.ingest.sample.catalogue import Catalogue

_PHONE = DEVICES.index("phone")


@dataclass(frozen=True, slots=True)
class Responses:
    """What viewers make of what they watch: the fields of EventChunk of the same names, each `(n,)`."""

    completion_rate: NDArray[np.float32]
    rating: NDArray[np.float32]
    dismissed: NDArray[np.bool_]


def respond(
    rng: np.random.Generator,
    catalogue: Catalogue,
    viewers: Viewers,
    *,
    users: NDArray[np.int64],
    titles: NDArray[np.int64],
    match: NDArray[np.float64],
    is_kept: NDArray[np.bool_],
    device: NDArray[np.int8],
) -> Responses:
    """Draw the response to each event; what a viewer comes back to was finished and is not dismissed."""
    quality = catalogue.quality[titles]
    liking = 0.8 * match + 0.4 * quality + 0.4 * rng.standard_normal(len(users)) + 0.8 * is_kept
    dismissed = (rng.random(len(users)) < 0.035 * np.exp(-1.3 * np.clip(liking, -2.5, 2.5))) & ~is_kept
    long = (catalogue.runtime_minutes[titles] - 80) / 40
    log_odds = 0.8 + 1.0 * liking + viewers.patience[users] - 0.3 * long - 0.5 * (device == _PHONE)
    finished = (rng.random(len(users)) < _logistic(log_odds)) | is_kept
    completion = _completion(rng, finished, liking)
    completion = np.where(dismissed, 0.15 * rng.random(len(users)), completion)
    rating = np.clip(
        np.rint(3.45 + viewers.rating_bias[users] + 0.6 * liking + 0.5 * rng.standard_normal(len(users))), 1, 5
    )
    # People rate what moved them either way, and seldom what they switched off.
    eager = -1.9 + viewers.rating_habit[users] + 0.5 * np.abs(liking)
    rates = (rng.random(len(users)) < _logistic(eager)) & (completion > 0.4)
    return Responses(
        completion_rate=np.round(completion, 3).astype(np.float32),
        rating=np.where(rates, rating, np.nan).astype(np.float32),
        dismissed=dismissed,
    )


def _completion(
    rng: np.random.Generator, finished: NDArray[np.bool_], liking: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share watched: the credits at least for those who finish, anything for the others, the more the better liked."""
    to_the_end = np.minimum(0.92 + 0.16 * rng.random(len(finished)), 1.0)
    broken_off = 0.03 + 0.87 * rng.random(len(finished)) ** np.exp(0.5 - 0.35 * np.clip(liking, -2, 2))
    return np.where(finished, to_the_end, broken_off)


def _logistic(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-log_odds))
