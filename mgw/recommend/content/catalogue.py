"""What a snapshot knows of its titles besides their factors; with it a list is computed and explained without a query.

    titles               (n_items,) bytes            names, UTF-8
    runtimes             (n_items,) float32          minutes, NaN where not known
    words                (n_words,) bytes            what titles can have in common: "genre Drama", "actor …", sorted
    word_indptr, word_indices                        which titles have which, as the rows of a sparse matrix
    embeddings           (n_items, d) float32        rows of unit length, or zero; of words, or by an encoder

They are made anew with every training.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import csr_array

from mgw.core.database import queries
from mgw.core.progress import SILENT
from mgw.recommend.content.embedding import embed
from mgw.recommend.title_features import FEWEST_TITLES, feature_matrix, vocabulary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.artifacts import Snapshot
    from mgw.core.progress import Progress
    from mgw.core.settings import ContentSettings
    from mgw.recommend.content.encoder import Encoder
    from mgw.recommend.interactions import Events

FIELDS = ("genre", "theme", "actor", "director", "writer")
"""The words that embeddings are made of; kind, year and decade say little of what a title is about."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_MOST_TITLES = 0.3
"""A word of the text that more titles have than this share says nothing."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The titles of a snapshot; the attributes are the arrays above."""

    titles: NDArray[np.bytes_]
    runtimes: NDArray[np.float32]
    words: NDArray[np.bytes_]
    features: csr_array[np.float32]
    embeddings: NDArray[np.float32]

    @classmethod
    def of(cls, snapshot: Snapshot) -> Self | None:
        """Read what a snapshot has; None where it is of a version that kept nothing of the kind."""
        if "embeddings" not in snapshot.manifest.arrays:
            return None
        indptr, indices = snapshot.array("word_indptr"), snapshot.array("word_indices")
        words, titles = snapshot.array("words"), snapshot.array("titles")
        features = csr_array(
            (np.ones(len(indices), dtype=np.float32), indices, indptr), shape=(len(titles), len(words))
        )
        return cls(titles, snapshot.array("runtimes"), words, features, snapshot.array("embeddings"))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept with a snapshot."""
        return {
            "titles": self.titles,
            "runtimes": self.runtimes,
            "words": self.words,
            "word_indptr": self.features.indptr.astype(np.int64),
            "word_indices": self.features.indices.astype(np.int32),
            "embeddings": self.embeddings,
        }

    def field(self, name: str) -> tuple[csr_array[np.float32], list[str]]:
        """Return which titles have which words of a field, `(n_items, n)`, and these words without the field's name."""
        prefix = f"{name} ".encode()
        places = [place for place, word in enumerate(self.words.tolist()) if word.startswith(prefix)]
        return csr_array(self.features[:, places]), [
            bytes(self.words[place]).removeprefix(prefix).decode() for place in places
        ]


def read_catalogue(
    connection: Connection[TupleRow],
    events: Events,
    settings: ContentSettings,
    *,
    encoder: Encoder | None = None,
    progress: Progress = SILENT,
) -> Catalogue:
    """Read the titles of `events` and embed them: by an encoder, or without one by their words."""
    column = {int(identity): place for place, identity in enumerate(events.item_ids)}
    names, plots = [""] * len(column), [""] * len(column)
    runtimes = np.full(len(column), np.nan, dtype=np.float32)
    for identity, title, plot, minutes in queries.training_titles(connection):
        if (place := column.get(identity)) is not None:
            names[place], plots[place] = title, plot or ""
            runtimes[place] = np.nan if minutes is None else minutes
    words: list[list[str]] = [[] for _ in column]
    for identity, found in queries.training_features(connection):
        if identity in column:
            words[column[identity]] = found
    features = feature_matrix(words)
    kept = vocabulary(words)
    catalogue = Catalogue(
        _utf8(names), runtimes, _utf8(kept), features, np.zeros((len(names), settings.dimensions), dtype=np.float32)
    )
    if encoder is not None:
        texts = [_described(*each) for each in zip(names, plots, words, strict=True)]
        return replace(catalogue, embeddings=encoder.encode(texts, progress))
    fields = [(catalogue.field(name)[0], 1.0) for name in FIELDS]
    text = text_matrix([f"{title} {plot}" for title, plot in zip(names, plots, strict=True)])
    return replace(catalogue, embeddings=embed([*fields, (text, settings.text_weight)], settings.dimensions))


def _described(title: str, plot: str, words: Sequence[str]) -> str:
    """Write what an encoder reads of a title: "Heat. A thief … Genre: Crime, Drama. Actor: …"."""
    said = [each.rstrip(". ") for each in (title, plot) if each.strip()]
    for name in FIELDS:
        found = [word.removeprefix(f"{name} ") for word in words if word.startswith(f"{name} ")]
        if found:
            said.append(f"{name.capitalize()}: {', '.join(found)}")
    return "".join(f"{each}. " for each in said).strip()


def text_matrix(texts: Sequence[str]) -> csr_array[np.float32]:
    """Count the words of texts, of those that at least two texts have and not too many, `(n, n_words)`."""
    tokens = [_WORD.findall(text.casefold()) for text in texts]
    titles_with = Counter(word for found in tokens for word in set(found))
    most = max(_MOST_TITLES * len(texts), FEWEST_TITLES)
    kept = sorted(word for word, count in titles_with.items() if FEWEST_TITLES <= count <= most)
    column = {word: place for place, word in enumerate(kept)}
    rows, columns = [], []
    for row, found in enumerate(tokens):
        places = [column[word] for word in found if word in column]
        rows += [row] * len(places)
        columns += places
    ones = np.ones(len(rows), dtype=np.float32)
    return csr_array((ones, (rows, columns)), shape=(len(texts), len(column)))  # what stands twice is added up


def _utf8(texts: Sequence[str]) -> NDArray[np.bytes_]:
    return np.array([text.encode() for text in texts] or [b""], dtype=np.bytes_)[: len(texts)]
