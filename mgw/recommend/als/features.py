"""Factors from features: for titles that nobody has watched yet, and users of whom nothing is known yet.

A map W from features f to factors is fitted to the factors of the rows that have interactions (Gantner, Drumond,
Freudenthaler, Rendle & Schmidt-Thieme 2010, "Learning Attribute-to-Feature Mappings for Cold-Start Recommendations"):

    minimise  Σ_i λ_i |y_i - Wᵀf_i|²  +  φ·λ̄ |W|²

Each row counts as much as it is held back in the training, and φ says how many rows of evidence a feature has to
outweigh. A row without interactions then has the factors Wᵀf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array

from mgw.core.errors import ParametersInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOLERANCE = 1e-7
_MOST_STEPS = 1000


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """A fitted map.

    Attributes:
        weights: W, `(n_features, d)`.
    """

    weights: NDArray[np.float32]

    @classmethod
    def fit(
        cls,
        features: csr_array[Any],
        factors: NDArray[np.float32],
        counts: NDArray[np.float64],
        regularization: float,
    ) -> Self:
        """Fit a map to the factors of the rows that have some.

        Args:
            features: of each row, `(n, n_features)`.
            factors: of each row, zero where nothing is known, `(n, d)`.
            counts: how much each row counts, `(n,)`.
            regularization: φ > 0.

        Raises:
            ParametersInvalid: a shape does not fit, a feature is not a number, or φ is not positive.
        """
        require_features(features, len(factors))
        if not regularization > 0:
            raise ParametersInvalid(f"φ is {regularization}, not above 0", hint="10 is usual")
        known = np.flatnonzero(factors.any(axis=1))
        rows, weight = csr_array(features[known]).astype(np.float64), counts[known]
        penalty = regularization * (weight.mean() if len(known) else 1.0)
        side = rows.T @ (weight[:, None] * factors[known])
        diagonal = (rows.multiply(rows)).T @ weight + penalty
        return cls(_solve(rows, weight, penalty, diagonal, side).astype(np.float32))

    def factors(self, features: csr_array[Any]) -> NDArray[np.float32]:
        """Return the factors that features suggest, `(n, d)`.

        Raises:
            ParametersInvalid: these are not the features of the fit, or one is not a number.
        """
        require_features(features, features.shape[0], len(self.weights))
        suggested: NDArray[np.float32] = features.astype(np.float32) @ self.weights
        return suggested


def require_features(features: csr_array[Any], rows: int, n_features: int | None = None) -> None:
    """Make sure that features have a row for each user or title, and are numbers.

    Raises:
        ParametersInvalid: they have not, or are not.
    """
    wanted = (rows, features.shape[1] if n_features is None else n_features)
    if features.shape != wanted:
        raise ParametersInvalid(
            f"the features have the shape {features.shape}, not {wanted}",
            hint="a row for each user or title of the matrix, a column for each feature",
        )
    if not np.all(np.isfinite(features.data)):
        raise ParametersInvalid("a feature is not a finite number", hint="leave out what is not known: it counts as 0")


def _solve(
    rows: csr_array[np.float64],
    weight: NDArray[np.float64],
    penalty: float,
    diagonal: NDArray[np.float64],
    side: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Solve (FᵀΛF + penalty·I) W = side by conjugate gradients, all columns at once, preconditioned by the diagonal."""
    columns = csr_array(rows.T)
    solution = np.zeros_like(side)
    residual, scale = side.copy(), 1 / diagonal[:, None]
    direction = scale * residual
    rho = np.einsum("ij,ij->j", residual, direction)
    enough = rho * _TOLERANCE**2
    for _ in range(_MOST_STEPS):
        if np.all(rho <= enough):
            break
        product = columns @ (weight[:, None] * (rows @ direction)) + penalty * direction
        curvature = np.einsum("ij,ij->j", direction, product)
        length = np.divide(rho, curvature, out=np.zeros_like(rho), where=curvature > 0)
        solution += length * direction
        residual -= length * product
        preconditioned = scale * residual
        rho_new = np.einsum("ij,ij->j", residual, preconditioned)
        direction = preconditioned + np.divide(rho_new, rho, out=np.zeros_like(rho), where=rho > 0) * direction
        rho = rho_new
    return solution
