"""The engagement label: one number for how much a viewing event says that the viewer liked the title.

    watched w = clip((completion - 0.3) / 0.7, 0, 1)     less than 30 % watched says nothing
    opinion q = (rating - 1) / 4      where the viewer rated
              = 0.65                  where not
              + (1 - q) / 2           lifted half of the way to 1 by a rewatch
    label     = w · q, or -1 where the viewer dismissed the title

Its range is [-1, 1]. It is 1 for a finished title with five stars; a finished title without a rating counts .65, as
much as 3.6 stars, because that is what people who finish a film give it on average (the mean of MovieLens 1M is 3.58
stars); one star is 0: it was watched, and it is no reason to recommend more of the same. A dismissal is the only
negative label: it is the only event that says "not this".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINIMUM_COMPLETION = 0.3
UNRATED_OPINION = 0.65
DISMISSED = -1.0


def engagement(
    completion: NDArray[np.float32],
    rating: NDArray[np.float32],
    is_rewatch: NDArray[np.bool_],
    dismissed: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Label viewing events.

    Args:
        completion: share of the title that was watched, 0 to 1, `(n,)`.
        rating: stars, 1 to 5, NaN where the viewer did not rate, `(n,)`.
        is_rewatch: whether the viewer had seen the title before, `(n,)`.
        dismissed: whether the viewer said "not interested", `(n,)`.

    Returns:
        Labels in [-1, 1], `(n,)`.

    >>> one = lambda *values: np.array(values, dtype=np.float32)
    >>> no = np.array([False])
    >>> float(engagement(one(1.0), one(5.0), no, no)[0])
    1.0
    """
    watched = np.clip((completion - MINIMUM_COMPLETION) / (1 - MINIMUM_COMPLETION), 0, 1)
    opinion = np.where(np.isnan(rating), UNRATED_OPINION, (rating - 1) / 4)
    opinion = np.where(is_rewatch, opinion + (1 - opinion) / 2, opinion)
    return np.where(dismissed, DISMISSED, watched * opinion).astype(np.float32)
