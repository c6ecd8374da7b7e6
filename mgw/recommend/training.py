"""Training: from events to a published model snapshot, and what such a snapshot holds.

    item_factors   (n_items, d) float32    user_factors   (n_users, d) float32
    gram           (d, d) float64          α0 times the Gram matrix of the item factors, for fold-in
    content_ids    (n_items,) bytes        user_ids       (n_users,) bytes     the callers' own ids, UTF-8
    viewers        (n_items,) int64        how many users the training data has with positive evidence for the title
    besides, where the catalogue was given: what `content.catalogue`, `context` and `collaborative` list

The factors of a title without viewers are what its features suggest (`mgw.recommend.als.features`), or zero.

A snapshot names titles by the callers' ids, not by a database's integers, so it can move between databases.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from mgw.recommend.als import ALS, loss
from mgw.recommend.als.solver import Begun
from mgw.recommend.checkpoint import Checkpoint
from mgw.recommend.foldin import weighted_gram
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.versions import library_versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.artifacts import ModelStore, Snapshot
    from mgw.core.progress import Progress
    from mgw.core.settings import AlsSettings, SparkSettings
    from mgw.recommend.collaborative import ItemWeights
    from mgw.recommend.content import Catalogue
    from mgw.recommend.context import Trends
    from mgw.recommend.source import TrainingData


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a snapshot keeps of its titles besides their factors.

    Attributes:
        catalogue: what titles say of themselves.
        trends: what everybody watches, and when.
        item_weights: what titles say of each other; none leaves the collaborative source to ALS.
        encoder: the name of what embedded the titles; none where their words did.
    """

    catalogue: Catalogue
    trends: Trends
    item_weights: ItemWeights | None = None
    encoder: str | None = None

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept with a snapshot."""
        weights = {} if self.item_weights is None else self.item_weights.arrays()
        return self.catalogue.arrays() | self.trends.arrays() | weights


def train_als(
    data: TrainingData,
    store: ModelStore,
    settings: AlsSettings,
    *,
    threads: int,
    progress: Progress,
    features: csr_array[np.float32] | None = None,
    shelf: Shelf | None = None,
    measured: dict[str, Any] | None = None,
    checkpoints: Path | None = None,
    on_resumed: Callable[[int], None] | None = None,
) -> Snapshot:
    """Fit ALS on all events and publish the snapshot.

    Args:
        data: all events.
        store: where to publish.
        settings: the parameters.
        threads: how many; 0 means one for each CPU.
        progress: where to report.
        features: of the titles, `(n_items, n_features)`; those that nobody watched get their factors from them.
        shelf: what else is kept of the titles, for hybrid recommendations; none leaves these out.
        measured: figures of an evaluation with these parameters, for the manifest.
        checkpoints: a folder for how far the training came, in case it is cut short; none keeps nothing.
        on_resumed: told after which epoch it goes on, 0 where this very training left nothing; none begins anew.
    """
    matrix = strength_matrix(data.events)
    described = describe_data(data, matrix)
    checkpoint = None if checkpoints is None else Checkpoint(checkpoints, settings, described["fingerprint"])
    if checkpoint is None:
        model = ALS.fit(matrix, settings, threads=threads, progress=progress)
    else:
        model = fit_resumably(matrix, checkpoint, on_resumed=on_resumed, threads=threads, progress=progress)
    model = _with_cold_titles(model, matrix, features)
    snapshot = _publish(
        store, data, matrix, described, model, shelf=shelf, measured=measured, versions=library_versions()
    )
    if checkpoint is not None:
        checkpoint.clear()
    return snapshot


def train_on_spark(
    data: TrainingData,
    store: ModelStore,
    settings: AlsSettings,
    spark: SparkSettings,
    *,
    threads: int,
    progress: Progress,
    features: csr_array[np.float32] | None = None,
    shelf: Shelf | None = None,
    measured: dict[str, Any] | None = None,
) -> Snapshot:
    """Fit Spark's ALS on all events and publish the snapshot, which is of the same kind as that of `train_als`.

    Args:
        data: all events.
        store: where to publish.
        settings: the parameters.
        spark: where Spark is.
        threads: for what is done here; 0 means one for each CPU.
        progress: where to report.
        features: of the titles, as for `train_als`.
        shelf: what else is kept of the titles, for hybrid recommendations; none leaves these out.
        measured: figures of an evaluation with these parameters, for the manifest.

    Raises:
        ExtraMissing: pyspark is not installed.
        SparkUnavailable: there is no Java, the master does not answer, or Spark gave up.
    """
    from mgw.recommend.spark import fit_on_spark  # noqa: PLC0415 - seldom wanted

    matrix = strength_matrix(data.events)
    model = fit_on_spark(matrix, settings, spark, threads=threads, progress=progress)
    model = _with_cold_titles(model, matrix, features)
    versions = {**library_versions(), "pyspark": version("pyspark")}
    described = describe_data(data, matrix)
    return _publish(store, data, matrix, described, model, shelf=shelf, measured=measured, versions=versions)


def _with_cold_titles(model: ALS, matrix: csr_array[np.float32], features: csr_array[np.float32] | None) -> ALS:
    return model if features is None else model.with_cold_items(features, matrix)


def _publish(
    store: ModelStore,
    data: TrainingData,
    matrix: csr_array[np.float32],
    described: dict[str, Any],
    model: ALS,
    *,
    shelf: Shelf | None,
    measured: dict[str, Any] | None,
    versions: dict[str, str],
) -> Snapshot:
    settings = model.settings
    arrays: dict[str, NDArray[Any]] = {
        "item_factors": model.item_factors,
        "user_factors": model.user_factors,
        "gram": weighted_gram(model.item_factors, settings.unobserved_weight),
        "content_ids": data.content_ids,
        "user_ids": data.user_ids,
        "viewers": np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.int64),
    }
    if shelf is not None:
        arrays |= shelf.arrays()
        versions = versions if shelf.encoder is None else {**versions, "encoder": shelf.encoder}
    return store.publish(
        "als",
        arrays,
        parameters=msgspec.to_builtins(settings),
        data=described,
        metrics={"objective": loss(model, matrix, settings), **(measured or {})},
        versions=versions,
    )


def fit_resumably(
    matrix: csr_array[np.float32],
    checkpoint: Checkpoint,
    *,
    on_resumed: Callable[[int], None] | None,
    threads: int,
    progress: Progress,
) -> ALS:
    """Fit ALS and keep now and then how far it came; go on from there where `on_resumed` is to be told."""

    def note(epoch: int, model: ALS) -> None:
        checkpoint.note(Begun(epoch, model.user_factors, model.item_factors))

    begun = None
    if on_resumed is not None:
        begun = checkpoint.read()
        on_resumed(begun.epoch if begun else 0)
    return ALS.fit(matrix, checkpoint.settings, threads=threads, progress=progress, on_epoch=note, begun=begun)


def describe_data(data: TrainingData, matrix: csr_array[np.float32]) -> dict[str, Any]:
    """Count the training data and take its fingerprint: equal data gives an equal fingerprint in any database."""
    digest = hashlib.sha256()
    for array in (data.user_ids, data.content_ids, matrix.indptr, matrix.indices, matrix.data):
        digest.update(str(array.dtype).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return {
        "events": len(data.events),
        "interactions": int(matrix.nnz),
        "users": data.events.n_users,
        "content": data.events.n_items,
        "fingerprint": f"sha256:{digest.hexdigest()}",
    }
