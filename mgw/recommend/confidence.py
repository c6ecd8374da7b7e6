"""How much an observed pair weighs: its strength, and less in the history of somebody who watches everything.

    c_ui = scale · s_ui · (n_u / n₀)^-β

n_u is the number of the user's titles, n₀ the average of the training's users. Without the last factor (β = 0)
users count by how much they watch: half of the pairs of MovieLens 1M are those of one user in six. A title tells more
of somebody who chose few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.settings import AlsSettings


def with_reference(settings: AlsSettings, matrix: csr_array[np.float32]) -> AlsSettings:
    """Return the settings with an n₀: theirs, or that of the users of a training, `(n_users, n_items)`."""
    if settings.activity_reference is not None:
        return settings
    return replace(settings, activity_reference=typical_titles(matrix))


def typical_titles(matrix: csr_array[np.float32]) -> float:
    """Return the number of titles of the average user, of those who have any; 1 where nobody has."""
    counts = np.diff(matrix.indptr)
    return float(np.mean(counts[counts > 0])) if np.any(counts) else 1.0


def confidences(matrix: csr_array[np.float32], settings: AlsSettings) -> csr_array[np.float32]:
    """Return the weights of observed pairs, `(n_users, n_items)`; the matrix itself where they are its strengths.

    Args:
        matrix: strengths, a row for each user with the whole history, `(n_users, n_items)`.
        settings: the parameters, with an n₀.
    """
    if settings.activity_exponent == 0 and settings.strength_scale == 1:
        return matrix
    counts = np.diff(matrix.indptr)
    by_pair = np.repeat(user_weights(counts, settings).astype(np.float32), counts)
    by_pair *= matrix.data
    return csr_array((by_pair, matrix.indices, matrix.indptr), shape=matrix.shape)


def user_weights(counts: NDArray[np.integer], settings: AlsSettings) -> NDArray[np.float64]:
    """Return what the strengths of users with so many titles are multiplied by, `(n,)`; without an n₀ all alike."""
    if settings.activity_reference is None:
        return np.full(counts.shape, settings.strength_scale)
    relative: NDArray[np.float64] = np.maximum(counts, 1) / settings.activity_reference
    return settings.strength_scale * relative**-settings.activity_exponent
