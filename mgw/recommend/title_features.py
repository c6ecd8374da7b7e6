"""What the catalogue says of titles, as a sparse matrix: kind, decade, year, genres, themes and people."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from mgw.core.database import queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.recommend.interactions import Events

FEWEST_TITLES = 2
"""A word of one title says nothing about others."""


def read_title_features(connection: Connection[TupleRow], events: Events) -> csr_array[np.float32]:
    """Read the features of the titles of `events`, 1 where a title has a word, `(n_items, n_features)`."""
    rows = queries.training_features(connection)
    column = {int(identity): place for place, identity in enumerate(events.item_ids)}
    words: list[list[str]] = [[] for _ in column]
    for identity, found in rows:
        if identity in column:
            words[column[identity]] = found
    return feature_matrix(words)


def feature_matrix(words: Sequence[Sequence[str]]) -> csr_array[np.float32]:
    """Mark the words that each row has, of those that at least two rows have, in alphabetical order of the words."""
    column = {word: place for place, word in enumerate(vocabulary(words))}
    places = [[column[word] for word in row if word in column] for row in words]
    indptr = np.cumsum([0, *(len(row) for row in places)])
    indices = np.fromiter(chain.from_iterable(places), dtype=np.int32, count=int(indptr[-1]))
    return csr_array((np.ones(len(indices), dtype=np.float32), indices, indptr), shape=(len(words), len(column)))


def vocabulary(words: Sequence[Sequence[str]]) -> list[str]:
    """Return the words that at least two rows have: the columns of `feature_matrix`."""
    counts = Counter(word for row in words for word in row)
    return sorted(word for word, count in counts.items() if count >= FEWEST_TITLES)
