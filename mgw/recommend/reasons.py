"""Reasons: why a title is on a list, read off what carried its score.

The source that gives most to the score is the one that explains it:

    collaborative   the watched titles that carry the score (`FoldIn.contributions`)
    content         the watched titles whose embeddings, with the weight of their events, carry the score
    graph           the watched titles that share most with it, and what; or the similar users, where these carry it
    context         that it is watched these days, or that its genres fit, whichever gives more
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.recommend.blend import Source
from mgw.recommend.profile import event_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.recommend.graph import GraphScores
    from mgw.recommend.pipeline import Pipeline
    from mgw.recommend.viewer import Viewer

_FIELDS = {"actor": "cast", "director": "director", "theme": "theme", "genre": "genre"}
"""What a field of words is called in reasons, and its weight in `graph.*`."""

LEADS = 0.6
"""A source that gives at least this share of a score names its type; below, the recommendation is hybrid."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a title is on a list.

    Attributes:
        based_on: columns of the watched titles that carry the score, the largest share first.
        shared: what they have in common with the title, as "cast: Robert De Niro"; empty where nothing is known.
    """

    based_on: tuple[int, ...]
    shared: str


@dataclass(frozen=True, slots=True)
class Reasons:
    """Explains one viewer's list.

    Attributes:
        pipeline: that scored it.
        viewer: whose list it is.
        graph: what the graph said; None where it was not asked.
        most: how many watched titles are named at most.
        columns: the titles of the list, `(k,)`.
        carried: what each liked title gives to the ALS score of each title of the list, `(k, n_liked)`.
    """

    pipeline: Pipeline
    viewer: Viewer
    graph: GraphScores | None
    most: int
    columns: NDArray[np.int64]
    carried: NDArray[np.float64]

    @classmethod
    def of_list(
        cls, pipeline: Pipeline, viewer: Viewer, graph: GraphScores | None, columns: NDArray[np.int64], *, most: int
    ) -> Self:
        """Prepare to explain a list."""
        carried = np.zeros((len(columns), 0))
        if len(viewer.liked):
            carried = pipeline.fold_in.contributions(viewer.liked, viewer.strength, columns)
        return cls(pipeline, viewer, graph, most, columns, carried)

    def of(self, place: int, source: Source) -> Reason:
        """Explain why `source` gave the title on a place of the list, from 0, its score."""
        column = int(self.columns[place])
        if source is Source.COLLABORATIVE:
            return self._named(self.carried[place], self.viewer.liked, column)
        if source is Source.CONTENT:
            return self._named(self._content(column), self.viewer.items, column)
        graph = self.graph
        if source is Source.GRAPH and graph is not None and graph.by_titles[column] >= graph.by_users[column]:
            return self._named(self._overlap(column), self.viewer.liked, column)
        return Reason((), "")

    def _content(self, column: int) -> NDArray[np.float64]:
        embeddings = self.pipeline.catalogue.embeddings
        weights = event_weights(self.viewer, self.pipeline.settings.profile)
        return np.asarray(weights * (embeddings[self.viewer.items] @ embeddings[column]))

    def _overlap(self, column: int) -> NDArray[np.float64]:
        features = self.pipeline.catalogue.features
        return np.asarray(features[self.viewer.liked] @ self._weighted_words(column))

    def _weighted_words(self, column: int) -> NDArray[np.float64]:
        """Return the weight of each word that a title has, rare ones more, `(n_words,)`."""
        catalogue = self.pipeline.catalogue
        weights = np.zeros(len(catalogue.words))
        start, end = catalogue.features.indptr[column : column + 2]
        places = catalogue.features.indices[start:end]
        for place in places:
            field = catalogue.words[place].partition(b" ")[0].decode()
            if field in _FIELDS:
                weight = getattr(self.pipeline.settings.graph, _FIELDS[field])
                weights[place] = weight * np.log1p(len(catalogue.titles) / self.pipeline.titles_with[place])
        return weights

    def _named(self, shares: NDArray[np.float64], items: NDArray[np.int64], column: int) -> Reason:
        order = np.argsort(-shares, kind="stable")
        carriers = tuple(dict.fromkeys(int(items[place]) for place in order if shares[place] > 0))[: self.most]
        return Reason(carriers, self._shared(carriers, column))

    def _shared(self, carriers: tuple[int, ...], column: int) -> str:
        """Name the weightiest word that all carriers share with a title; nothing where there is none."""
        if not carriers:
            return ""
        common = self._weighted_words(column) * (self.pipeline.catalogue.features[list(carriers)].toarray().all(axis=0))
        place = int(np.argmax(common))
        field, _, name = self.pipeline.catalogue.words[place].decode().partition(" ")
        return f"{_FIELDS[field]}: {name}" if common[place] > 0 else ""


def leading_source(contributions: NDArray[np.float64]) -> tuple[Source, bool]:
    """Return which source gives most to a score, `(n_sources,)`, and whether it leads by far."""
    given = np.maximum(contributions, 0)
    first = int(np.argmax(contributions))
    return list(Source)[first], bool(given[first] >= LEADS * given.sum())
