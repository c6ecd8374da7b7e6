"""The pipeline: one viewer at one moment, scored by all sources; what is asked of one user, of a test or of a service.

A viewer of few events is answered by what is popular, less with each event (p = prior_events / (prior_events + n)):

    weights = (1 - p) · w' / Σ w' + p · (all on the context source)
    w'      = w, but content times (1 - p), and graph times the share of the viewer's events whose time is known

What one title says by its words is little, and the graph asks by what was watched last, which needs times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mgw.core.errors import ModelForeign, UsageInvalid
from mgw.recommend.blend import Source, source_weights
from mgw.recommend.collaborative import CollaborativeSource, ItemWeights
from mgw.recommend.content import Catalogue
from mgw.recommend.context import NO_CONTEXT, Context, ContextSource, Trends
from mgw.recommend.foldin import FoldIn, among_embeddings
from mgw.recommend.graph import FIELDS
from mgw.recommend.profile import Profile, ProfileSums, genre_prior
from mgw.recommend.snapshot import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mgw.core.artifacts import Snapshot
    from mgw.core.settings import GraphSettings, Settings
    from mgw.recommend.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The sources of one snapshot.

    Attributes:
        collaborative: the collaborative source.
        content: the content source, a fold-in among the embeddings.
        catalogue: what the titles say of themselves.
        context: the context source.
        word_weights: what a word counts for that two titles share, a rare one more; 0 where it says nothing of what a
            title is about, `(n_words,)`.
        settings: the whole tree; read are content, ease, profile, graph and blend.
    """

    collaborative: CollaborativeSource
    content: FoldIn
    catalogue: Catalogue
    context: ContextSource
    word_weights: NDArray[np.float64]
    settings: Settings

    @classmethod
    def of(
        cls,
        als: FoldIn,
        item_weights: ItemWeights | None,
        catalogue: Catalogue,
        trends: Trends,
        settings: Settings,
    ) -> Self:
        """Put the sources together."""
        genres, names = catalogue.field("genre")
        source = ContextSource(trends, genres, names, catalogue.runtimes, settings.context)
        collaborative = CollaborativeSource(als, item_weights, settings.ease)
        content = among_embeddings(catalogue.embeddings, als.settings, settings.content.regularization)
        return cls(collaborative, content, catalogue, source, _word_weights(catalogue, settings.graph), settings)

    @classmethod
    def of_snapshot(cls, snapshot: Snapshot, settings: Settings) -> Self:
        """Read a snapshot.

        Raises:
            ModelForeign: it is of a version that kept no embeddings.
        """
        catalogue = Catalogue.of(snapshot)
        if catalogue is None:
            raise ModelForeign(
                f"the model {snapshot.manifest.name} has no embeddings of its titles",
                hint="train it again: `mgw train als`",
            )
        fold_in = FoldIn(snapshot.array("item_factors"), settings_of(snapshot), snapshot.array("gram"))
        weights = ItemWeights.of_snapshot(snapshot)
        return cls.of(fold_in, weights, catalogue, Trends.of_snapshot(snapshot), settings)

    def profile(self, viewer: Viewer, stated_genres: Sequence[str] = ()) -> Profile:
        """Make the viewer's profile.

        Raises:
            UsageInvalid: the catalogue has no such genre.
        """
        return self.profile_of_sums(self.profile_sums(viewer), stated_genres)

    def profile_sums(self, viewer: Viewer) -> ProfileSums:
        """Sum up what the viewer's profile is made from."""
        return ProfileSums.of(viewer, self.catalogue.embeddings, self.context.genres, self.settings.profile)

    def profile_of_sums(self, sums: ProfileSums, stated_genres: Sequence[str] = ()) -> Profile:
        """Make a profile; as `profile`."""
        stated = np.array([self._genre(name) for name in stated_genres], dtype=np.int64)
        return Profile.of_sums(sums, genre_prior(self.context.genres, stated), self.settings.profile)

    def scores(
        self,
        viewer: Viewer,
        profile: Profile,
        graph: NDArray[np.float64] | None,
        context: Context = NO_CONTEXT,
        *,
        factors: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float64]:
        """Score every title by every source, `(n_sources, n_items)`; a source that has nothing to say is zero.

        Args:
            viewer: whose events.
            profile: theirs.
            graph: what the graph source says, `(n_items,)`; None where the database is not asked.
            context: the moment.
            factors: the viewer's, where they are not to be folded in, `(d,)`.
        """
        table = np.zeros((len(Source), len(self.catalogue.titles)))
        if factors is not None:
            table[0] = self.collaborative.fold_in.item_factors @ factors
        elif len(viewer.liked):
            table[0] = self.collaborative.scores(viewer)
            among = self.content.user_factors(viewer.liked, viewer.strength).astype(np.float32)
            table[1] = self.catalogue.embeddings @ among
        if graph is not None:
            table[2] = graph
        table[3] = self.context.scores(viewer, profile, context)
        return table

    def _genre(self, name: str) -> int:
        names = [each.casefold() for each in self.context.names]
        if name.casefold() not in names:
            raise UsageInvalid(f"there is no genre {name!r}", hint=f"one of {', '.join(self.context.names)}")
        return names.index(name.casefold())

    def weights(self, viewer: Viewer, *, is_known: bool = False) -> NDArray[np.float64]:
        """Return what each source weighs for a viewer, `(n_sources,)`; of one who is known without events, no less."""
        blend = self.settings.blend
        n_liked = np.inf if is_known else len(viewer.liked)
        return weights_for(n_liked, source_weights(blend), blend.prior_events, timed=viewer.timed)


def weights_for(
    n_liked: float, weights: NDArray[np.float64], prior_events: int, *, timed: float
) -> NDArray[np.float64]:
    """Fit the weights of the sources to what is known of a viewer, `(n_sources,)`.

    Args:
        n_liked: titles with positive evidence.
        weights: as the settings have them, `(n_sources,)`.
        prior_events: how many of these count as much as popularity; infinitely many leave the weights as they are.
        timed: share of the viewer's events whose time is known, 0 to 1.
    """
    prior = prior_events / (prior_events + n_liked) if prior_events else 0.0
    reliance = {Source.CONTENT: 1 - prior, Source.GRAPH: timed}
    fitting = weights * [reliance.get(source, 1.0) for source in Source]
    fitting = fitting if fitting.any() else weights  # nothing else is asked
    shifted: NDArray[np.float64] = (1 - prior) * fitting / max(float(fitting.sum()), 1e-12)
    shifted[list(Source).index(Source.CONTEXT)] += prior
    return shifted


def _word_weights(catalogue: Catalogue, settings: GraphSettings) -> NDArray[np.float64]:
    titles_with = np.maximum(np.bincount(catalogue.features.indices, minlength=len(catalogue.words)), 1)
    fields = [FIELDS.get(word.partition(b" ")[0].decode()) for word in catalogue.words.tolist()]
    weights = np.array([0.0 if field is None else getattr(settings, field) for field in fields])
    return weights * np.log1p(len(catalogue.titles) / titles_with)
