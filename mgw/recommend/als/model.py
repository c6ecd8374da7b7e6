"""ALS as a model: parameters in, factors out, and what can be asked of them.

The objective is that of Rendle, Krichene, Zhang & Koren (2021), "Revisiting the Performance of iALS on Item
Recommendation Benchmarks", eq. 2–4, with weights c on the observed pairs (`mgw.recommend.confidence`):

    L(X, Y) = Σ_{(u,i) observed} c_ui (x_u·y_i - 1)²  +  α0 Σ_{all u,i} (x_u·y_i)²
            + Σ_u λ_u |x_u|²  +  Σ_i λ_i |y_i|²
    λ_u = λ (n_u + α0 |I|)^ν      λ_i = λ (n_i + α0 |U|)^ν

The second sum runs over all pairs, observed or not; through the Gram matrix it costs d² per row and not |I|·d.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array

from mgw.core.errors import ParametersInvalid
from mgw.core.progress import SILENT
from mgw.recommend.als import storage
from mgw.recommend.als.features import FeatureMap
from mgw.recommend.als.side import regularization_weights
from mgw.recommend.als.solver import check_strengths, solve_exactly, solve_users, train
from mgw.recommend.confidence import confidences, with_reference
from mgw.recommend.foldin import FoldIn
from mgw.recommend.ranking import best_columns, require_shape

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings
    from mgw.recommend.als.solver import Begun

_LOSS_PAIRS = 65_536  # predicted at once, to stay in the cache


@dataclass(frozen=True, slots=True)
class ALS:
    """A fitted model: nothing changes it; what learns more is another model.

    Attributes:
        user_factors: `(n_users, factors)`; zero for a user without interactions.
        item_factors: `(n_items, factors)`; zero for a title without interactions.
        settings: the parameters.
    """

    user_factors: NDArray[np.float32]
    item_factors: NDArray[np.float32]
    settings: AlsSettings

    @classmethod
    def fit(
        cls,
        matrix: csr_array[np.float32],
        settings: AlsSettings,
        *,
        threads: int = 0,
        progress: Progress = SILENT,
        on_epoch: Callable[[int, ALS], None] | None = None,
        begun: Begun | None = None,
    ) -> Self:
        """Fit factors to a matrix of strengths.

        Args:
            matrix: strengths > 0, `(n_users, n_items)`.
            settings: the parameters.
            threads: how many; 0 means one for each CPU that this process may use.
            progress: where to report epochs.
            on_epoch: called after each epoch with its number, from 1, and the model so far, which goes on changing.
            begun: how far an earlier training with the same matrix and parameters came, to go on from there.

        Raises:
            NoEvents: the matrix has no interactions.
            ParametersInvalid: a strength is not a positive number.
            MemoryShort: it would not fit into the memory that is left.
        """

        def report(epoch: int, users: NDArray[np.float32], items: NDArray[np.float32]) -> None:
            if on_epoch is not None:
                on_epoch(epoch, cls(users, items, settings))

        settings = with_reference(settings, matrix)
        factors = train(matrix, settings, threads=threads, progress=progress, on_epoch=report, begun=begun)
        return cls(*factors, settings)

    def given(self, histories: csr_array[np.float32]) -> Self:
        """Return the model for other users, folded in from their strengths, `(n, n_items)`.

        Raises:
            ParametersInvalid: a strength is not a positive number, or the titles are not those of the training.
        """
        return type(self)(self.fold_in(histories), self.item_factors, self.settings)

    def scores(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """Score every title for some users, `(len(users), n_items)`."""
        return self.user_factors[users] @ self.item_factors.T

    def recommend(
        self,
        users: NDArray[np.integer] | NDArray[np.float32],
        top_k: int = 10,
        *,
        exclude: csr_array[Any] | None = None,
        items: NDArray[np.integer] | None = None,
        threads: int = 0,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """List the best titles of users; titles without interactions, and users without any, have none.

        Args:
            users: rows of the training matrix, `(n,)`, or factors such as `fold_in` gives, `(n, factors)`.
            top_k: length of the lists.
            exclude: the stored entries of each row are not listed, `(n, n_items)`: what a user has seen, for example.
            items: columns that may be listed, `(m,)`; without them, all.
            threads: how many; 0 means one for each CPU that this process may use.

        Returns:
            Columns, `(n, top_k)`, best first, and their scores; -1 and -inf where there is nothing left to list.

        Raises:
            ParametersInvalid: there is no such user or title, a shape does not fit, or a list would have no place.
        """
        factors = self._of_users(np.asarray(users))
        require_shape(exclude, (len(factors), len(self.item_factors)))
        present = self._listable(items)
        y = self.item_factors
        if len(present) < len(y):
            y, exclude = y[present], None if exclude is None else exclude[:, present]
        columns, scores = best_columns(factors, y, top_k, exclude, threads=threads)
        unknown, listed = ~factors.any(axis=1), columns >= 0
        columns[listed] = present[columns[listed]]
        columns[unknown], scores[unknown] = -1, -np.inf
        return columns, scores

    def similar_items(self, item: int, top_k: int = 10) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """List the titles whose factors point most nearly where a title's do, and the cosines, each `(≤ top_k,)`.

        Raises:
            ParametersInvalid: there is no such title, or nobody watched it.
        """
        return _similar(self.item_factors, item, top_k, "title")

    def similar_users(self, user: int, top_k: int = 10) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """List the users whose factors point most nearly where a user's do, and the cosines, each `(≤ top_k,)`.

        Raises:
            ParametersInvalid: there is no such user, or nothing is known of that one.
        """
        return _similar(self.user_factors, user, top_k, "user")

    def fold_in(self, histories: csr_array[np.float32], *, threads: int = 0) -> NDArray[np.float32]:
        """Solve exactly for users by their histories alone, `(n, factors)`; the titles' factors stay as they are.

        Args:
            histories: strengths > 0, `(n, n_items)`.
            threads: how many; 0 means one for each CPU that this process may use.

        Raises:
            ParametersInvalid: a strength is not a positive number, or the titles are not those of the training.
        """
        if histories.shape[1] != len(self.item_factors):
            raise ParametersInvalid(
                f"the histories have {histories.shape[1]} titles, the model {len(self.item_factors)}",
                hint="one column for each title of the training matrix, in its order",
            )
        return solve_users(histories, self.item_factors, self.settings, threads=threads)

    def explain(self, history: csr_array[np.float32], targets: NDArray[np.integer]) -> NDArray[np.float64]:
        """Split a folded-in user's scores over what that user watched.

        Args:
            history: of one user, strengths > 0, `(1, n_items)`.
            targets: titles, `(m,)`.

        Returns:
            What each watched title gives to each target's score, `(m, history.nnz)`, in the order of
            `history.indices`; a row sums to the score.
        """
        fold_in = FoldIn(self.item_factors, self.settings)
        return fold_in.contributions(history.indices.astype(np.int64), history.data, np.asarray(targets))

    def partial_fit(
        self,
        matrix: csr_array[np.float32],
        *,
        users: NDArray[np.integer] | None = None,
        items: NDArray[np.integer] | None = None,
        threads: int = 0,
    ) -> Self:
        """Solve exactly for users and titles whose interactions changed, the users first; all others stay.

        Args:
            matrix: all strengths as they are now; it may have more users and titles than the model, behind those that
                the model has, and these are solved for too.
            users: rows to solve for, `(n,)`.
            items: columns to solve for, `(m,)`, given the users' new factors.
            threads: how many; 0 means one for each CPU that this process may use.

        Raises:
            ParametersInvalid: the matrix is smaller than the model, or a strength is not a positive number.
        """
        n_users, n_items = matrix.shape
        if n_users < len(self.user_factors) or n_items < len(self.item_factors):
            raise ParametersInvalid(
                f"the matrix is {n_users} × {n_items}, the model {len(self.user_factors)} × {len(self.item_factors)}",
                hint="users and titles keep their places; new ones come behind them",
            )
        x, y = _grown(self.user_factors, n_users), _grown(self.item_factors, n_items)
        rows = _with_new(users, len(self.user_factors), n_users, "user")
        columns = _with_new(items, len(self.item_factors), n_items, "title")
        if matrix.nnz:
            check_strengths(matrix)
        weighted = confidences(matrix, self.settings)
        x[rows] = solve_exactly(weighted[rows], y, self.settings, threads=threads)
        y[columns] = solve_exactly(weighted.T.tocsr()[columns], x, self.settings, threads=threads)
        return type(self)(x, y, self.settings)

    def map_items(self, features: csr_array[Any], matrix: csr_array[np.float32]) -> FeatureMap:
        """Fit a map from titles' features to their factors: what it makes of a new title's, `recommend` can list.

        Args:
            features: `(n_items, n_features)`.
            matrix: strengths that the model was fitted on, `(n_users, n_items)`.

        Raises:
            ParametersInvalid: a shape does not fit, or a feature is not a number.
        """
        return self._map(self.item_factors, features, csr_array(matrix.T))

    def map_users(self, features: csr_array[Any], matrix: csr_array[np.float32]) -> FeatureMap:
        """Fit a map from users' features, `(n_users, n_features)`, to their factors; as `map_items`."""
        return self._map(self.user_factors, features, matrix)

    def with_cold_items(self, features: csr_array[Any], matrix: csr_array[np.float32]) -> Self:
        """Return the model in which titles without interactions have the factors that their features suggest.

        Args:
            features: `(n_items, n_features)`.
            matrix: strengths that the model was fitted on, `(n_users, n_items)`.

        Raises:
            ParametersInvalid: a shape does not fit, or a feature is not a number.
        """
        cold = np.flatnonzero(~self.item_factors.any(axis=1))
        filled = self.item_factors.copy()
        filled[cold] = self.map_items(features, matrix).factors(csr_array(features[cold]))
        return type(self)(self.user_factors, filled, self.settings)

    def _map(self, factors: NDArray[np.float32], features: csr_array[Any], rows: csr_array[np.float32]) -> FeatureMap:
        if rows.shape[0] != len(factors):
            raise ParametersInvalid(
                f"the matrix has {rows.shape[0]} rows for {len(factors)} rows of factors",
                hint="the matrix that the model was fitted on",
            )
        weights = regularization_weights(rows, self.settings)
        return FeatureMap.fit(features, factors, weights, self.settings.feature_regularization)

    def save(self, folder: Path | str) -> str:
        """Publish the model as a snapshot in a folder, where `load` finds it; return its name.

        Raises:
            DiskFull, ReadOnly: it could not be written; what was there before is there still.
        """
        return storage.save(folder, self.user_factors, self.item_factors, self.settings)

    @classmethod
    def load(cls, folder: Path | str, name: str | None = None) -> Self:
        """Read the snapshot that was saved last, or the one that is named; the arrays are mapped, not copied.

        Raises:
            ModelMissing, ModelNotFound: there is none.
            ModelForeign: it is not a snapshot of ALS, or of another version of the format.
            ModelDamaged: a file is not what was written.
        """
        return cls(*storage.load(folder, name))

    def _listable(self, items: NDArray[np.integer] | None) -> NDArray[np.intp]:
        listable = np.asarray(self.item_factors.any(axis=1))
        if items is not None:
            items = np.asarray(items)
            _require_places(items, len(listable), "title")
            allowed = np.zeros(len(listable), dtype=np.bool_)
            allowed[items] = True
            listable &= allowed
        return np.flatnonzero(listable)

    def _of_users(self, users: NDArray[Any]) -> NDArray[np.float32]:
        if users.ndim == 2 and users.shape[1] == self.item_factors.shape[1]:
            return np.asarray(users, dtype=np.float32)
        if users.ndim != 1 or not np.issubdtype(users.dtype, np.integer):
            raise ParametersInvalid(
                f"users are rows of the training matrix or factors, not an array of {users.dtype} {users.shape}",
                hint="an array of whole numbers, or what `fold_in` gives",
            )
        _require_places(users, len(self.user_factors), "user")
        known: NDArray[np.float32] = self.user_factors[users]
        return known


def _similar(
    factors: NDArray[np.float32], place: int, top_k: int, kind: str
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    _require_places(np.array([place]), len(factors), kind)
    if not factors[place].any():
        raise ParametersInvalid(f"nothing is known of the {kind} {place}", hint="it has no interaction in the training")
    lengths = np.linalg.norm(factors, axis=1)
    present = np.flatnonzero(lengths)
    present = present[present != place]
    directions = factors[present] / lengths[present, None]
    columns, cosines = best_columns(factors[[place]] / lengths[place], directions, top_k)
    listed = columns[0] >= 0
    return present[columns[0][listed]].astype(np.int32), cosines[0][listed]


def _require_places(places: NDArray[np.integer], count: int, kind: str) -> None:
    wrong = places[(places < 0) | (places >= count)]
    if len(wrong):
        raise ParametersInvalid(f"there is no {kind} {wrong[0]}", hint=f"the model has {count}, counted from 0")


def _with_new(places: NDArray[np.integer] | None, before: int, now: int, kind: str) -> NDArray[np.int64]:
    """Return some places and those from `before` on, of `now` in all, each once and in order."""
    named = np.asarray([] if places is None else places, dtype=np.int64)
    _require_places(named, now, kind)
    return np.union1d(named, np.arange(before, now))


def _grown(factors: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    grown = np.zeros((rows, factors.shape[1]), dtype=np.float32)
    grown[: len(factors)] = factors
    return grown


def loss(model: ALS, matrix: csr_array[np.float32], settings: AlsSettings) -> float:
    """Return the objective that `ALS.fit` minimises, in float64."""
    by_user = matrix.tocsr()
    users = np.repeat(np.arange(len(model.user_factors)), np.diff(by_user.indptr))
    weights, observed = confidences(by_user, with_reference(settings, by_user)).data, 0.0
    for start in range(0, by_user.nnz, _LOSS_PAIRS):
        part = slice(start, start + _LOSS_PAIRS)
        x, y = model.user_factors[users[part]], model.item_factors[by_user.indices[part]]
        predicted = np.einsum("nd,nd->n", x, y).astype(np.float64)
        observed += float(weights[part].astype(np.float64) @ (predicted - 1) ** 2)
    x, y = model.user_factors.astype(np.float64), model.item_factors.astype(np.float64)
    unobserved = settings.unobserved_weight * float(np.sum((x.T @ x) * (y.T @ y)))
    norms = regularization_weights(by_user, settings) @ (x**2).sum(1) + regularization_weights(
        by_user.T.tocsr(), settings
    ) @ (y**2).sum(1)
    return observed + unobserved + float(norms)
