"""Spark's own ALS (`pyspark.ml.recommendation.ALS`) on our strengths, and its factors as a model of our kind.

Spark minimises the objective of Hu, Koren & Volinsky (2008), "Collaborative Filtering for Implicit Feedback Datasets",
with regularization by the number of interactions:

    Σ_{(u,i) observed} (1 + α r_ui) (x_u·y_i - 1)²  +  Σ_{all others} (x_u·y_i)²
    + λ' (Σ_u n_u |x_u|² + Σ_i n_i |y_i|²)

Ours, divided by α0, has c_ui/α0 where this has α r_ui, so r is the confidence and α is 1/α0. λ' is such that all rows
together are held back as much as by our λ. What remains different: an observed pair counts 1 more than its strength,
and λ' has no exponent. The titles' factors are Spark's; the users' are folded in exactly and under our own objective,
as for every answer of `mgw recommend`.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from mgw.core.errors import NoEvents
from mgw.recommend.als import ALS
from mgw.recommend.als.solver import solve_users
from mgw.recommend.confidence import confidences, with_reference
from mgw.recommend.spark.session import spark_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress, Stage
    from mgw.core.settings import AlsSettings, SparkSettings

_POLL_S = 0.1
_FACTORS = re.compile(r"(?:user|item)Factors-(\d+)")  # what Spark's ALS names the factors of an epoch


def fit_on_spark(
    matrix: csr_array[np.float32], settings: AlsSettings, spark: SparkSettings, *, threads: int, progress: Progress
) -> ALS:
    """Fit factors to a matrix of strengths on Spark.

    Args:
        matrix: strengths > 0, `(n_users, n_items)`.
        settings: the parameters; `start`, `init_stddev`, `solver`, `cg_steps` and `relaxation` mean nothing to Spark.
        spark: where Spark is.
        threads: for what is done here; 0 means one for each CPU that this process may use.
        progress: where to report epochs.

    Raises:
        NoEvents: the matrix has no interactions.
        ExtraMissing: pyspark is not installed.
        SparkUnavailable: there is no Java, the master does not answer, or Spark gave up.
    """
    if matrix.nnz == 0:
        raise NoEvents("there is no positive evidence to train on", hint="`mgw import` events of titles people watched")
    settings = with_reference(settings, matrix)
    with spark_session(spark) as session:
        item_factors = _fit_titles(session, matrix, settings, progress)
    return ALS(solve_users(matrix, item_factors, settings, threads=threads), item_factors, settings)


def spark_regularization(matrix: csr_array[np.float32], settings: AlsSettings) -> float:
    """Return the λ' with which Spark holds all rows together back as much as our λ does."""
    n_users, n_items = matrix.shape
    interactions = np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=n_items)
    ours = sum(
        float(np.sum((n[n > 0] + settings.unobserved_weight * others) ** settings.regularization_exponent))
        for n, others in zip(interactions, (n_items, n_users), strict=True)
    )
    return settings.regularization * ours / (settings.unobserved_weight * 2 * matrix.nnz)


def _fit_titles(
    session: Any,  # noqa: ANN401 - pyspark is an extra
    matrix: csr_array[np.float32],
    settings: AlsSettings,
    progress: Progress,
) -> NDArray[np.float32]:
    import pyarrow as pa  # noqa: PLC0415 - comes with the extra
    from pyspark.ml import recommendation  # noqa: PLC0415 - an extra

    users = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    pairs = pa.table(
        {"user": users, "title": matrix.indices.astype(np.int32), "strength": confidences(matrix, settings).data}
    )
    blocks = max(2, session.sparkContext.defaultParallelism)
    als = recommendation.ALS(
        rank=settings.factors,
        maxIter=settings.epochs,
        regParam=spark_regularization(matrix, settings),
        alpha=1 / settings.unobserved_weight,
        implicitPrefs=True,
        numUserBlocks=blocks,
        numItemBlocks=blocks,
        userCol="user",
        itemCol="title",
        ratingCol="strength",
        seed=settings.seed,
    )
    frame = session.createDataFrame(pairs)
    with progress.stage("training ALS on Spark", settings.epochs) as stage:
        model = _watched(session.sparkContext, lambda: als.fit(frame), stage, settings.epochs)
    found = model.itemFactors.toArrow()
    factors = np.zeros((matrix.shape[1], settings.factors), dtype=np.float32)
    rows = found["features"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    factors[found["id"].to_numpy()] = rows.reshape(-1, settings.factors)
    return factors


def _watched(context: Any, fit: Callable[[], Any], stage: Stage, epochs: int) -> Any:  # noqa: ANN401
    """Run a fit and report its epochs: Spark says nothing of them, but keeps the factors of the latest."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(fit())
        except Exception as error:  # noqa: BLE001 - raised again where the caller is
            outcome.append(error)

    thread = threading.Thread(target=run, name="Spark's ALS", daemon=True)
    thread.start()
    done = 0
    while thread.is_alive():
        thread.join(_POLL_S)
        names = [rdd.name() or "" for rdd in context._jsc.getPersistentRDDs().values()]  # noqa: SLF001 - has no other
        begun = max((int(found[1]) for name in names if (found := _FACTORS.fullmatch(name))), default=0)
        if begun - 1 > done:
            stage.advance(begun - 1 - done)
            done = begun - 1
    (result,) = outcome
    if isinstance(result, Exception):
        raise result
    stage.advance(epochs - done)
    return result
