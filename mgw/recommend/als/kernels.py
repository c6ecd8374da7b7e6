"""The hot loops of ALS: half-steps by conjugate gradients or exactly, and the products that it starts from.

Each row u with strengths s over its items solves A x = b with

    A = α0·G + λ_u·I + Σ_i s_i y_i y_iᵀ      G = YᵀY over all items, the Gram matrix
    b = Σ_i s_i y_i

Rows are handled in blocks, so that the products with G and with the preconditioner are one matrix product for the
block; only the sum over a row's own items remains a loop over its interactions, and it costs one pass per step. The
first residual b - A x takes one pass too: Σ_i s_i (1 - y_i·x) y_i is what the items add to it.
The preconditioner is (α0·G + λ̄·I)⁻¹: what all rows share is solved exactly, and the steps are left with what a row's
own items add. Starting from the last epoch's factors, one step an epoch goes about as far as an exact solution does.

The rows are dealt out in shares of about equal work, each to one thread, which sums in a fixed order; the shares depend
on the matrix alone. So the result does not depend on the number of threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

from mgw.recommend.als.prefetch import prefetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_ROWS = 128
_AHEAD, _LINE = 8, 16  # interactions, and numbers in a cache line
_SHARES = 120  # divides evenly among 1 to 6, 8, 10, 12, 15, 20 and more threads
_FAST = {"contract", "reassoc", "nsz"}


def work_shares(indptr: NDArray[np.integer], factors: int) -> NDArray[np.int64]:
    """Cut rows into runs of about equal work.

    Args:
        indptr: of the sparse matrix, `(n_rows + 1,)`.
        factors: d. A row costs about 12·d for each interaction and, in matrix products that run some six times as
            fast, 12·d² whatever it has.

    Returns:
        Where each run begins, and where the last one ends, `(n_runs + 1,)`.
    """
    n_rows = len(indptr) - 1
    work = indptr + np.arange(n_rows + 1) * (factors / 6)
    targets = np.linspace(0, work[-1], min(_SHARES, n_rows) + 1)
    starts = np.searchsorted(work, targets)
    starts[0], starts[-1] = 0, n_rows
    return np.unique(starts).astype(np.int64)


@numba.njit(cache=True)
def row_sums(
    indptr: NDArray[np.int64], strength: NDArray[np.float32], sums: NDArray[np.float64]
) -> None:  # pragma: no cover - compiled
    """Sum up the strengths of each row, in float64 and without a copy of them in float64, into `sums`, `(n_rows,)`."""
    for row in range(len(sums)):
        total = 0.0
        for position in range(indptr[row], indptr[row + 1]):
            total += np.float64(strength[position])
        sums[row] = total


@numba.njit(cache=True, parallel=True, fastmath=_FAST)
def improve_rows(
    shares: NDArray[np.int64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    strength: NDArray[np.float32],
    others: NDArray[np.float32],
    gram: NDArray[np.float32],
    preconditioner: NDArray[np.float32],
    regularization: NDArray[np.float32],
    steps: int,
    relaxation: float,
    factors: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    """Improve `factors` in place by `steps` steps of preconditioned CG on every row.

    Args:
        shares: where the rows of each run of `work_shares` begin, `(n_runs + 1,)`.
        indptr: of the sparse matrix, `(n_rows + 1,)`.
        indices: column of each interaction, `(nnz,)`.
        strength: of each interaction, `(nnz,)`.
        others: factors of the columns, `(n_columns, d)`.
        gram: α0 times the Gram matrix of `others`, `(d, d)`.
        preconditioner: symmetric positive definite, `(d, d)`.
        regularization: λ_u of each row, `(n_rows,)`.
        steps: of conjugate gradients.
        relaxation: how far to go along what was found; 1 goes to it.
        factors: starting values, overwritten by the result, `(n_rows, d)`.
    """
    d = factors.shape[1]
    relaxed = np.float32(relaxation)
    for share in numba.prange(len(shares) - 1):
        residual = np.empty((BLOCK_ROWS, d), dtype=np.float32)
        direction = np.empty((BLOCK_ROWS, d), dtype=np.float32)
        product = np.empty((BLOCK_ROWS, d), dtype=np.float32)
        rho = np.empty(BLOCK_ROWS, dtype=np.float32)
        for start in range(shares[share], shares[share + 1], BLOCK_ROWS):
            n = min(BLOCK_ROWS, shares[share + 1] - start)
            x = factors[start : start + n]
            np.dot(x, gram, residual[:n])
            for r in range(n):
                _residual(residual[r], x[r], start + r, indptr, indices, strength, others, regularization)
            for r in range(n):
                for k in range(d):
                    residual[r, k] = -residual[r, k]
            np.dot(residual[:n], preconditioner, direction[:n])
            for r in range(n):
                rho[r] = _dot(residual[r], direction[r])
            for step in range(steps):
                np.dot(direction[:n], gram, product[:n])
                for r in range(n):
                    _add_own(product[r], direction[r], start + r, indptr, indices, strength, others, regularization)
                    curvature = _dot(direction[r], product[r])
                    # A solved row has no residual left; dividing by its curvature of zero would make NaN of it.
                    length = rho[r] / curvature if curvature > 0 and rho[r] > 0 else np.float32(0)
                    for k in range(d):
                        x[r, k] += relaxed * length * direction[r, k]
                        residual[r, k] -= length * product[r, k]
                if step + 1 < steps:
                    np.dot(residual[:n], preconditioner, product[:n])
                    for r in range(n):
                        rho_new = _dot(residual[r], product[r])
                        turn = rho_new / rho[r] if rho[r] > 0 else np.float32(0)
                        rho[r] = rho_new
                        for k in range(d):
                            direction[r, k] = product[r, k] + turn * direction[r, k]


@numba.njit(cache=True, parallel=True, fastmath=_FAST)
def solve_rows(
    shares: NDArray[np.int64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    strength: NDArray[np.float32],
    others: NDArray[np.float32],
    gram: NDArray[np.float64],
    regularization: NDArray[np.float64],
    relaxation: float,
    factors: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    """Solve every row exactly, in float64, by a Cholesky decomposition; `improve_rows` has the arguments."""
    d = factors.shape[1]
    for share in numba.prange(len(shares) - 1):
        system = np.empty((d, d), dtype=np.float64)
        side = np.empty(d, dtype=np.float64)
        for row in range(shares[share], shares[share + 1]):
            system[:] = gram
            side[:] = 0
            for k in range(d):
                system[k, k] += regularization[row]
            for position in range(indptr[row], indptr[row + 1]):
                y = others[indices[position]]
                for k in range(d):
                    weighted = np.float64(strength[position]) * y[k]
                    side[k] += weighted
                    for j in range(k + 1):
                        system[k, j] += weighted * y[j]
            _solve_cholesky(system, side)
            for k in range(d):
                factors[row, k] += relaxation * (side[k] - factors[row, k])


@numba.njit(cache=True, parallel=True, fastmath=_FAST)
def weighted_sums(
    shares: NDArray[np.int64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    strength: NDArray[np.float32],
    others: NDArray[np.float32],
    sums: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    """Write Σ_i s_i y_i of every row to `sums`, `(n_rows, d)`; `improve_rows` has the arguments."""
    for share in numba.prange(len(shares) - 1):
        for row in range(shares[share], shares[share + 1]):
            side = sums[row]
            side[:] = 0
            for position in range(indptr[row], indptr[row + 1]):
                y = others[indices[position]]
                for k in range(len(side)):
                    side[k] += strength[position] * y[k]


@numba.njit(cache=True, fastmath=_FAST)
def _dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> np.float32:  # pragma: no cover - compiled
    total = np.float32(0)
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


@numba.njit(cache=True, fastmath=_FAST)
def _add_own(
    product: NDArray[np.float32],
    vector: NDArray[np.float32],
    row: int,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    strength: NDArray[np.float32],
    others: NDArray[np.float32],
    regularization: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    """Add (λ_u·I + Σ s_i y_i y_iᵀ) · vector to `product`."""
    for k in range(len(vector)):
        product[k] += regularization[row] * vector[k]
    _add_outer(product, vector, np.float32(0), indptr[row], indptr[row + 1], indices, strength, others)


@numba.njit(cache=True, fastmath=_FAST)
def _residual(
    residual: NDArray[np.float32],
    x: NDArray[np.float32],
    row: int,
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    strength: NDArray[np.float32],
    others: NDArray[np.float32],
    regularization: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    """Turn α0·G·x in `residual` into A·x - b."""
    for k in range(len(x)):
        residual[k] += regularization[row] * x[k]
    _add_outer(residual, x, np.float32(1), indptr[row], indptr[row + 1], indices, strength, others)


@numba.njit(cache=True, fastmath=_FAST)
def _add_outer(
    total: NDArray[np.float32],
    vector: NDArray[np.float32],
    target: np.float32,
    position: int,
    end: int,
    indices: NDArray[np.int32],
    strength: NDArray[np.float32],
    others: NDArray[np.float32],
) -> None:  # pragma: no cover - compiled
    """Add Σ s_i (y_i·vector - target) y_i to `total`, over the interactions from `position` to `end`.

    Four at a time: each loads and stores `total` and `vector` once for four rows of `others`. Rows that will be needed
    soon are asked for meanwhile, for most are not in the cache.
    """
    d = len(vector)
    while position + 4 <= end:
        for ahead in range(position + _AHEAD, min(position + _AHEAD + 4, end)):
            row = np.int64(indices[ahead]) * d
            for k in range(0, d, _LINE):
                prefetch(others, row + k)
        # Unsigned, so that no index is looked at for being negative.
        i, j = np.uint32(indices[position]), np.uint32(indices[position + 1])
        m, n = np.uint32(indices[position + 2]), np.uint32(indices[position + 3])
        at_i, at_j, at_m, at_n = -target, -target, -target, -target
        for k in range(d):
            value = vector[k]
            at_i += others[i, k] * value
            at_j += others[j, k] * value
            at_m += others[m, k] * value
            at_n += others[n, k] * value
        at_i *= strength[position]
        at_j *= strength[position + 1]
        at_m *= strength[position + 2]
        at_n *= strength[position + 3]
        for k in range(d):
            pairs = at_i * others[i, k] + at_j * others[j, k]
            total[k] += pairs + (at_m * others[m, k] + at_n * others[n, k])
        position += 4
    while position < end:
        i = np.uint32(indices[position])
        at_i = -target
        for k in range(d):
            at_i += others[i, k] * vector[k]
        at_i *= strength[position]
        for k in range(d):
            total[k] += at_i * others[i, k]
        position += 1


@numba.njit(cache=True)
def _solve_cholesky(system: NDArray[np.float64], side: NDArray[np.float64]) -> None:  # pragma: no cover - compiled
    """Overwrite the lower half of `system` with its Cholesky factor, and `side` with the solution."""
    d = len(side)
    for k in range(d):
        for j in range(k + 1):
            total = system[k, j]
            for i in range(j):
                total -= system[k, i] * system[j, i]
            system[k, j] = np.sqrt(total) if j == k else total / system[j, j]
    for k in range(d):
        for j in range(k):
            side[k] -= system[k, j] * side[j]
        side[k] /= system[k, k]
    for k in range(d - 1, -1, -1):
        for j in range(k + 1, d):
            side[k] -= system[j, k] * side[j]
        side[k] /= system[k, k]
