"""The blend: sources brought to one scale, weighted and added up.

    z_si = (x_si - mean_s) / stddev_s        over the titles that may be listed; 0 for a source that says nothing
    b_i  = Σ_s w_s z_si / Σ_s w_s            over the sources that say something

In z-scores a source that is sure of few titles speaks up for these, and one that finds all alike is not heard.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.settings import BlendSettings


class Source(StrEnum):
    """Where scores come from, in the order of the rows of every table of them."""

    COLLABORATIVE = "collaborative"
    CONTENT = "content"
    GRAPH = "graph"
    CONTEXT = "context"


def source_weights(settings: BlendSettings) -> NDArray[np.float64]:
    """Return the weight of each source, `(4,)`."""
    return np.array([settings.collaborative, settings.content, settings.graph, settings.context])


def calibrate(scores: NDArray[np.float64], listable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Bring sources to one scale.

    Args:
        scores: of each source, `(n_sources, n_items)`.
        listable: which titles may be listed, `(n_items,)`.

    Returns:
        z-scores, `(n_sources, n_items)`; a row of zeros for a source that finds all titles alike.
    """
    if not listable.any():
        return np.zeros_like(scores)
    among = scores[:, listable]
    mean, stddev = among.mean(axis=1, keepdims=True), among.std(axis=1, keepdims=True)
    differs = stddev > 1e-9 * (1 + np.abs(mean))
    calibrated: NDArray[np.float64] = np.where(differs, (scores - mean) / np.where(differs, stddev, 1.0), 0.0)
    return calibrated


def contributions(calibrated: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each source gives to each title's score, `(n_sources, n_items)`; a column sums to the score."""
    heard: NDArray[np.float64] = np.where(calibrated.any(axis=1), weights, 0.0)
    total = float(heard.sum())
    given: NDArray[np.float64] = calibrated * (heard / (total if total > 0 else 1.0))[:, None]
    return given
