"""The collaborative source: what people with the same titles watch, by factors and by titles from titles.

    score_i = (1 - w) · ALS_i + w · Σ_j s_j B_ji        for titles that B knows; else ALS_i
    w       = share · n / (n + prior_titles)            n: how many titles the viewer likes

Both models pull what was watched towards 1 and all else towards 0, so their scores are on one scale and are added as
they are. Each errs where the other does not: ALS sees tastes, EASE sees pairs, of which there are few where few titles
are known. B (EASE, `mgw.recommend.baselines.ease`) is dense, so it is fitted to the most watched titles alone; the
others are for ALS.

    ease_titles    (m,) int32          columns of the titles, ascending
    ease_weights   (m, m) float32      B
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array

from mgw.recommend.baselines import EASE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.core.artifacts import Snapshot
    from mgw.core.settings import EaseSettings
    from mgw.recommend.foldin import FoldIn
    from mgw.recommend.viewer import Viewer


@dataclass(frozen=True, slots=True)
class ItemWeights:
    """What each of the most watched titles says of each other one.

    Attributes:
        titles: their columns, ascending, `(m,)`.
        weights: B, `(m, m)`.
    """

    titles: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, matrix: csr_array[np.float32], settings: EaseSettings) -> Self | None:
        """Fit EASE to the most watched titles of a matrix of strengths; None where there is nothing to fit to.

        Raises:
            MemoryShort: so many titles by titles would not fit.
        """
        viewers = np.bincount(matrix.indices, minlength=matrix.shape[1])
        most = np.argsort(-viewers, kind="stable")[: settings.titles]
        titles = np.sort(most[viewers[most] > 1])  # a title with one viewer says nothing of others
        if len(titles) < 2:
            return None
        model = EASE.fit(csr_array(matrix[:, titles]), regularization=settings.regularization)
        return cls(titles.astype(np.int32), model.weights)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot) -> Self | None:
        """Read what a snapshot has."""
        if "ease_weights" not in snapshot.manifest.arrays:
            return None
        return cls(snapshot.array("ease_titles"), snapshot.array("ease_weights"))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept with a snapshot."""
        return {"ease_titles": self.titles, "ease_weights": self.weights}

    def places(self, columns: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return where some columns are among the titles, and whether they are there at all."""
        places = np.minimum(np.searchsorted(self.titles, columns), len(self.titles) - 1)
        return places, self.titles[places] == columns


@dataclass(frozen=True, slots=True)
class CollaborativeSource:
    """Scores titles by who watched them.

    Attributes:
        fold_in: ALS.
        item_weights: EASE; None leaves all to ALS.
        settings: of EASE; read are its share and what holds it back.
    """

    fold_in: FoldIn
    item_weights: ItemWeights | None
    settings: EaseSettings

    def scores(self, viewer: Viewer) -> NDArray[np.float64]:
        """Score every title, `(n_items,)`; zero for a viewer who likes nothing."""
        if not len(viewer.liked):
            return np.zeros(len(self.fold_in.item_factors))
        vector = self.fold_in.user_factors(viewer.liked, viewer.strength).astype(np.float32)
        scores = (self.fold_in.item_factors @ vector).astype(np.float64)
        if self.item_weights is not None:
            rows, known = self.item_weights.places(viewer.liked)
            by_pairs = viewer.strength[known] @ self.item_weights.weights[rows[known]]
            titles = self.item_weights.titles
            share = self._share(viewer)
            scores[titles] = (1 - share) * scores[titles] + share * by_pairs
        return scores

    def contributions(self, viewer: Viewer, targets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Split the scores of `targets` over the liked titles, `(len(targets), n_liked)`; a row sums to its score."""
        given = self.fold_in.contributions(viewer.liked, viewer.strength, targets)
        if self.item_weights is not None:
            (rows, known), (columns, listed) = self.item_weights.places(viewer.liked), self.item_weights.places(targets)
            pairs = np.zeros((int(listed.sum()), len(viewer.liked)))
            of_titles = self.item_weights.weights[np.ix_(rows[known], columns[listed])].T
            pairs[:, known] = of_titles * viewer.strength[known]
            share = self._share(viewer)
            given[listed] = (1 - share) * given[listed] + share * pairs
        return given

    def _share(self, viewer: Viewer) -> float:
        n_liked = len(viewer.liked)
        return self.settings.share * n_liked / max(n_liked + self.settings.prior_titles, 1)
