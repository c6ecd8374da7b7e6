"""Embeddings of titles by latent semantic analysis: TF-IDF and a truncated singular value decomposition.

    w_tj = (1 + ln tf_tj) · ln(n / df_j)         for each field (text, genres, cast, …), each row of unit length
    [fields · weights] ≈ U S Vᵀ                  the embedding of a title is its row of U S, of unit length

Deerwester, Dumais, Furnas, Landauer & Harshman (1990), "Indexing by Latent Semantic Analysis"; the weights are those of
Salton & Buckley (1988), "Term-weighting approaches in automatic text retrieval", table 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack
from scipy.sparse.linalg import svds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def embed(fields: Sequence[tuple[csr_array[Any], float]], dimensions: int) -> NDArray[np.float32]:
    """Embed titles; one set of fields gives one set of embeddings, bit for bit on one machine.

    Args:
        fields: for each field how often each title has each word, `(n, n_words)`, and the field's weight.
        dimensions: how long an embedding is at most; what the words do not fill is zero.

    Returns:
        Rows of unit length, zero for a title without a word, `(n, dimensions)`.
    """
    n = fields[0][0].shape[0]
    matrix = csr_array(hstack([weight * unit_rows(tf_idf(counts)) for counts, weight in fields], format="csr"))
    embeddings = np.zeros((n, dimensions), dtype=np.float32)
    rank = min(dimensions, min(matrix.shape) - 1)
    if rank < 1 or matrix.nnz == 0:
        return embeddings
    # A start of its own, so that the directions are not those of chance.
    left, values, _ = svds(matrix, k=rank, v0=np.ones(min(matrix.shape)), solver="arpack")
    found = left[:, ::-1] * values[::-1]
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    embeddings[:, :rank] = np.divide(found, lengths, out=np.zeros_like(found), where=lengths > 1e-9)
    return embeddings


def tf_idf(counts: csr_array[Any]) -> csr_array[np.float64]:
    """Weigh words: more where a title has them often, less where many titles have them."""
    n = counts.shape[0]
    titles_with = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log(n / np.maximum(titles_with, 1))
    weights = (1 + np.log(counts.data.astype(np.float64))) * rarity[counts.indices]
    return csr_array((weights, counts.indices, counts.indptr), shape=counts.shape)


def unit_rows(matrix: csr_array[np.float64]) -> csr_array[np.float64]:
    """Bring each row that is not zero to unit length."""
    lengths = np.sqrt(np.asarray(matrix.power(2).sum(axis=1))).ravel()
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return csr_array(diags_array(scale) @ matrix)
