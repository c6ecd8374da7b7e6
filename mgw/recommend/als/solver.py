"""Training the factors: half-steps in turn, over users and over titles.

What is minimised stands in `mgw.recommend.als.model`; how one half-step does it in `mgw.recommend.als.kernels`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from msgspec.structs import replace
from threadpoolctl import threadpool_limits

from mgw.core.errors import MemoryShort, NoEvents, ParametersInvalid
from mgw.core.memory import available_bytes
from mgw.recommend.als.kernels import improve_rows, solve_rows
from mgw.recommend.als.side import Side
from mgw.recommend.als.start import starting_values
from mgw.recommend.confidence import confidences
from mgw.recommend.foldin import weighted_gram
from mgw.recommend.threads import numba_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings

_LEAST_REGULARIZATION = 1e-5
_MOST_REGULARIZATION = 1e30  # more would leave float32, and everything is zero long before


class Begun(NamedTuple):
    """How far a training came.

    Attributes:
        epoch: the number of epochs that are done.
        user_factors: `(n_users, d)`.
        item_factors: `(n_items, d)`.
    """

    epoch: int
    user_factors: NDArray[np.float32]
    item_factors: NDArray[np.float32]


def train(
    matrix: csr_array[np.float32],
    settings: AlsSettings,
    *,
    threads: int,
    progress: Progress,
    on_epoch: Callable[[int, NDArray[np.float32], NDArray[np.float32]], None],
    begun: Begun | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Fit factors to a matrix of strengths.

    Args:
        matrix: strengths > 0, `(n_users, n_items)`.
        settings: the parameters.
        threads: how many; 0 means one for each CPU that this process may use.
        progress: where to report epochs.
        on_epoch: called after each epoch with its number, from 1, and the factors so far, which go on changing.
        begun: how far an earlier training with the same matrix and parameters came; its arrays are written to.

    Returns:
        The users' factors, `(n_users, d)`, and the titles', `(n_items, d)`.

    Raises:
        NoEvents: the matrix has no interactions.
        ParametersInvalid: a strength is not a positive number.
        MemoryShort: it would not fit into the memory that is left.
    """
    check_strengths(matrix)
    _require_memory(matrix, settings.factors)
    weighted = confidences(matrix, settings)
    users, items = Side.of(weighted, settings), Side.of(weighted.T.tocsr(), settings)
    with (
        threadpool_limits(1, user_api="blas"),
        numba_threads(threads),
        progress.stage("training ALS", settings.epochs) as stage,
    ):
        done, x, y = begun or Begun(0, *starting_values(users, items, settings))
        stage.advance(done)
        for epoch in range(done + 1, settings.epochs + 1):
            # The users' starting values are only a guess at the solution, or nothing at all: no way to go further.
            _half_step(users, y, x, settings, 1.0 if epoch == 1 else settings.relaxation)
            _half_step(items, x, y, settings, 1.0 if epoch == 1 else settings.relaxation)
            stage.advance()
            on_epoch(epoch, x, y)
    return x, y


def solve_users(
    histories: csr_array[np.float32], item_factors: NDArray[np.float32], settings: AlsSettings, *, threads: int
) -> NDArray[np.float32]:
    """Solve for the factors of some users alone, `(n, d)`: zero for one without interactions.

    Args:
        histories: strengths > 0, the whole history of each, `(n, n_items)`.
        item_factors: `(n_items, d)`, which stay as they are.
        settings: the parameters that they were trained with.
        threads: how many; 0 means one for each CPU that this process may use.

    Raises:
        ParametersInvalid: a strength is not a positive number.
    """
    if histories.nnz:
        check_strengths(histories)
    return solve_exactly(confidences(histories, settings), item_factors, settings, threads=threads)


def solve_exactly(
    weighted: csr_array[np.float32], others: NDArray[np.float32], settings: AlsSettings, *, threads: int
) -> NDArray[np.float32]:
    """Solve for the factors of some rows alone, `(n_rows, d)`, by their `confidences`, `(n_rows, n_columns)`."""
    factors = np.zeros((weighted.shape[0], others.shape[1]), dtype=np.float32)
    if weighted.nnz:
        side = Side.of(weighted, settings)
        with threadpool_limits(1, user_api="blas"), numba_threads(threads):
            _half_step(side, others, factors, replace(settings, solver="cholesky"), 1.0)
    return factors


def check_strengths(matrix: csr_array[np.float32]) -> None:
    """Make sure that there are strengths and that they can be weights.

    Raises:
        NoEvents: there is none.
        ParametersInvalid: one is not a positive number.
    """
    if matrix.nnz == 0:
        raise NoEvents("there is no interaction to train on", hint="import viewing events, or try `mgw sample`")
    if not np.all(np.isfinite(matrix.data)) or matrix.data.min() <= 0:
        raise ParametersInvalid("a strength is not a positive number", hint="leave out pairs without positive evidence")


def _require_memory(matrix: csr_array[np.float32], factors: int) -> None:
    """Refuse a training that would not fit.

    That is both matrices, the weights beside the strengths, both sides of factors, the titles' once more while the
    start is made, and a few d by d.
    """
    n_rows = matrix.shape[0] + 2 * matrix.shape[1]
    fixed = 2 * (matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes) + matrix.data.nbytes
    needed = fixed + 4 * n_rows * factors + 40 * factors**2
    available = available_bytes()
    if available is not None and needed > available:
        # The largest d with 40·d² + 4·n·d = available - fixed.
        room = max(available - fixed, 0)
        fits = int((math.sqrt((4 * n_rows) ** 2 + 160 * room) - 4 * n_rows) / 80)
        raise MemoryShort(
            f"training with {factors} factors needs {needed / 1e9:,.1f} GB, {available / 1e9:,.1f} GB are left",
            hint=f"at most {fits} factors fit" if fits else "not even one factor fits: free some memory",
        )


def _half_step(
    side: Side, others: NDArray[np.float32], factors: NDArray[np.float32], settings: AlsSettings, relaxation: float
) -> None:
    gram = weighted_gram(others, settings.unobserved_weight)
    # Next to no regularization may leave a system singular, and the rounding errors of float32 would then grow into
    # the factors without end. This much more is below what float32 can tell from none.
    floor = _LEAST_REGULARIZATION * np.trace(gram) / len(gram) + np.finfo(np.float32).tiny
    regularization = np.clip(side.regularization, floor, _MOST_REGULARIZATION)
    rows = side.shares, side.indptr, side.indices, side.strength, others
    if settings.solver == "cholesky":
        solve_rows(*rows, gram, regularization, relaxation, factors)
        return
    inverse = np.linalg.inv(gram + regularization.mean() * np.eye(len(gram)))
    preconditioner = ((inverse + inverse.T) / 2).astype(np.float32)
    improve_rows(
        *rows,
        gram.astype(np.float32),
        preconditioner,
        regularization.astype(np.float32),
        settings.cg_steps,
        relaxation,
        factors,
    )
