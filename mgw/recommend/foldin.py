"""Fold-in: the factors of one user from their own history, exactly, without the training matrix.

Given the item factors, a user's vector is the solution of one small linear system (see `mgw.recommend.als.kernels`),
so new users and new events need no retraining. The same system explains: x = A⁻¹ Σ_i s_i y_i is a sum over the
history, hence so is each score (Hu, Koren & Volinsky 2008, section 5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace
from scipy.linalg.lapack import dpotrf, dpotrs  # `cho_factor` and `cho_solve` look at their arguments for longer

from mgw.recommend.confidence import user_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.settings import AlsSettings


_GRAM_ROWS = 4096


def weighted_gram(factors: NDArray[np.float32], weight: float) -> NDArray[np.float64]:
    """Return `weight · factorsᵀ factors`, summed up in float64 in a fixed order, `(d, d)`."""
    total = np.zeros((factors.shape[1], factors.shape[1]))
    for start in range(0, len(factors), _GRAM_ROWS):
        part = factors[start : start + _GRAM_ROWS]
        total += part.T @ part
    return weight * total


def among_embeddings(embeddings: NDArray[np.float32], settings: AlsSettings, regularization: float) -> FoldIn:
    """Fold users in among the embeddings of what titles say of themselves, as ALS does among factors.

    Args:
        embeddings: `(n_items, d)`.
        settings: of ALS.
        regularization: in place of theirs.
    """
    return FoldIn(embeddings, replace(settings, regularization=regularization))


class FoldIn:
    """Solves for users against fixed item factors.

    Args:
        item_factors: `(n_items, d)`; may be memory-mapped.
        settings: the parameters that the item factors were trained with.
        gram: α0 times the Gram matrix of the item factors, `(d, d)`; computed where it is not given.
    """

    def __init__(
        self, item_factors: NDArray[np.float32], settings: AlsSettings, gram: NDArray[np.float64] | None = None
    ) -> None:
        self.item_factors = item_factors
        self.settings = settings
        self.gram = weighted_gram(item_factors, settings.unobserved_weight) if gram is None else gram

    def user_factors(self, items: NDArray[np.int64], strength: NDArray[np.float32]) -> NDArray[np.float64]:
        """Solve for a user's vector, `(d,)`.

        Args:
            items: columns of the titles with positive evidence, `(n,)`.
            strength: their strengths, `(n,)`.
        """
        if len(items) == 0:
            return np.zeros(self.item_factors.shape[1])
        solution, _ = self._solve(items, strength)
        return solution

    def contributions(
        self, items: NDArray[np.int64], strength: NDArray[np.float32], targets: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Split the scores of `targets` over the history, `(len(targets), n)`; a row sums to its target's score."""
        _, factor = self._solve(items, strength)
        history = self.item_factors[items].astype(np.float64)
        scale = user_weights(np.array(len(items)), self.settings) * strength
        wanted = self.item_factors[targets].astype(np.float64)
        solved, _ = dpotrs(factor, (history * scale[:, None]).T)
        return np.asarray(wanted @ solved)

    def _solve(
        self, items: NDArray[np.int64], strength: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        history = self.item_factors[items].astype(np.float64)
        scale = user_weights(np.array(len(items)), self.settings) * strength
        settings = self.settings
        seen = len(items) + settings.unobserved_weight * len(self.item_factors)
        weight = settings.regularization * seen**settings.regularization_exponent
        system = self.gram + (history * scale[:, None]).T @ history
        # The least that keeps the system positive definite where regularization is zero.
        system[np.diag_indices_from(system)] += max(weight, 1e-10 * np.trace(system) + 1e-300)
        factor, fault = dpotrf(system)
        if fault:
            raise np.linalg.LinAlgError("the system of a fold-in is not positive definite")
        solution, _ = dpotrs(factor, history.T @ scale)
        return solution, factor
