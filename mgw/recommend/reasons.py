"""Reasons: why a title is on a list, read off what carried its score.

The source that gives most to the score is the one that explains it:

    collaborative   the watched titles that carry the score: it is a sum over them
    content         the same, among the embeddings
    graph           the watched titles that share most with it, and what; or the similar users, where these carry it
    context         that it is watched these days, or that its genres fit, whichever gives more
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.recommend.blend import Source
from mgw.recommend.graph import FIELDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgw.recommend.graph import GraphScores
    from mgw.recommend.pipeline import Pipeline
    from mgw.recommend.viewer import Viewer

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
        sources: which source is to explain each.
        carried: what each liked title gives to the score of each title by its source, `(k, n_liked)`.
    """

    pipeline: Pipeline
    viewer: Viewer
    graph: GraphScores | None
    most: int
    columns: NDArray[np.int64]
    sources: list[Source]
    carried: NDArray[np.float64]

    @classmethod
    def of_list(
        cls,
        pipeline: Pipeline,
        viewer: Viewer,
        graph: GraphScores | None,
        columns: NDArray[np.int64],
        sources: list[Source],
        *,
        most: int,
    ) -> Self:
        """Prepare to explain a list."""
        carried = np.zeros((len(columns), len(viewer.liked)))
        for source, split in ((Source.COLLABORATIVE, _split_collaborative), (Source.CONTENT, _split_content)):
            places = [place for place, each in enumerate(sources) if each is source]
            if places and len(viewer.liked):
                carried[places] = split(pipeline, viewer, columns[places])
        return cls(pipeline, viewer, graph, most, columns, sources, carried)

    def of(self, place: int) -> Reason:
        """Explain how the title on a place of the list, from 0, came by its score."""
        column, source = int(self.columns[place]), self.sources[place]
        if source in {Source.COLLABORATIVE, Source.CONTENT}:
            return self._named(self.carried[place], self.viewer.liked, column)
        graph = self.graph
        if source is Source.GRAPH and graph is not None and graph.by_titles[column] >= graph.by_users[column]:
            return self._named(self._overlap(column), self.viewer.liked, column)
        return Reason((), "")

    def _overlap(self, column: int) -> NDArray[np.float64]:
        words = self._words(column)
        weights = np.zeros(len(self.pipeline.word_weights))
        weights[words] = self.pipeline.word_weights[words]
        return np.asarray(self.pipeline.catalogue.features[self.viewer.liked] @ weights)

    def _words(self, column: int) -> NDArray[np.int32]:
        features = self.pipeline.catalogue.features
        return np.asarray(features.indices[features.indptr[column] : features.indptr[column + 1]])

    def _named(self, shares: NDArray[np.float64], items: NDArray[np.int64], column: int) -> Reason:
        carriers: dict[int, None] = {}
        for place in np.argsort(-shares, kind="stable"):
            if shares[place] <= 0 or len(carriers) == self.most:
                break
            carriers[int(items[place])] = None
        return Reason(tuple(carriers), self._shared(tuple(carriers), column))

    def _shared(self, carriers: tuple[int, ...], column: int) -> str:
        """Name the weightiest word that all carriers share with a title; nothing where there is none."""
        if not carriers:
            return ""
        common = set(self._words(column).tolist()).intersection(*(self._words(each).tolist() for each in carriers))
        weights = self.pipeline.word_weights
        place = max(sorted(common), key=lambda word: float(weights[word]), default=None)
        if place is None or weights[place] == 0:
            return ""
        field, _, name = self.pipeline.catalogue.words[place].decode().partition(" ")
        return f"{FIELDS[field]}: {name}"


def _split_collaborative(pipeline: Pipeline, viewer: Viewer, columns: NDArray[np.int64]) -> NDArray[np.float64]:
    return pipeline.collaborative.contributions(viewer, columns)


def _split_content(pipeline: Pipeline, viewer: Viewer, columns: NDArray[np.int64]) -> NDArray[np.float64]:
    return pipeline.content.contributions(viewer.liked, viewer.strength, columns)


def leading_sources(contributions: NDArray[np.float64]) -> list[tuple[Source, bool]]:
    """Return which source gives most to each score, `(n_sources, k)`, and whether it leads by far."""
    given = np.maximum(contributions, 0)
    first = np.argmax(contributions, axis=0)
    leads = given[first, np.arange(len(first))] >= LEADS * given.sum(axis=0)
    sources = list(Source)
    return [(sources[place], bool(far)) for place, far in zip(first, leads, strict=True)]
