"""ALS beside the baselines, all fitted on the same side of the same split."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mgw.core.errors import MemoryShort
from mgw.core.files import write_atomic
from mgw.recommend.als import ALS
from mgw.recommend.baselines import EASE, ItemKNN, Popularity, RP3Beta
from mgw.recommend.evaluate import evaluate
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.report import by_epoch, by_history, by_popularity, page
from mgw.recommend.split import choose_split

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from scipy.sparse import csr_array

    from mgw.core.progress import Progress
    from mgw.core.settings import Settings
    from mgw.recommend.baselines import Scorer
    from mgw.recommend.evaluate import Evaluation
    from mgw.recommend.interactions import Events
    from mgw.recommend.split import Split


_ALS = "ALS"
MOST_TITLES_OF_EASE = 20_000
"""More would take EASE minutes and gigabytes; `mgw evaluate` then says that it is left out."""


def compare_with_baselines(
    split: Split, settings: Settings, progress: Progress, features: csr_array[np.float32] | None = None
) -> Evaluation:
    """Fit the baselines and ALS on the training side of a split and measure them on the other.

    Args:
        split: what to learn from and what to find.
        settings: of ALS and of the evaluation.
        progress: where to report.
        features: of the titles, for ALS to place those that nobody watched; none leaves these out.
    """
    matrix = strength_matrix(split.train)
    fits: dict[str, Callable[[csr_array[np.float32]], Scorer]] = {"popularity": Popularity.fit}
    if split.candidates is None:  # of titles that nobody watched the others know nothing at all
        fits |= {"item-kNN": ItemKNN.fit, "RP3β": RP3Beta.fit}
        if matrix.shape[1] <= MOST_TITLES_OF_EASE:
            fits["EASE"] = EASE.fit
    models: dict[str, Scorer] = {}
    with progress.stage("Fitting the baselines", len(fits)) as stage:
        for name, fit in fits.items():
            with suppress(MemoryShort):  # of EASE, which then is left out as where there are too many titles
                models[name] = fit(matrix)
            stage.advance()
    als = ALS.fit(matrix, settings.als, threads=settings.threads, progress=progress)
    models[_ALS] = als if features is None else als.with_cold_items(features, matrix)
    return evaluate(models, split, settings.evaluate, progress, baseline="popularity")


def write_report(path: Path, evaluation: Evaluation, split: Split, settings: Settings, progress: Progress) -> None:
    """Write an evaluation of `compare_with_baselines`, with where the quality is, as one HTML file.

    Raises:
        DiskFull, ReadOnly: it could not be written.
    """
    breakdowns = [by_history(evaluation, split)]
    if split.candidates is None:  # of titles that nobody watched none is more popular, and no epoch makes one known
        breakdowns += [by_popularity(evaluation, split), by_epoch(split, settings, progress)]
    write_atomic(path, page(evaluation, breakdowns).encode())


def measured_als(
    events: Events,
    settings: Settings,
    progress: Progress,
    features: csr_array[np.float32] | None = None,
    fit: Callable[[csr_array[np.float32]], ALS] | None = None,
) -> dict[str, Any]:
    """Measure ALS on a split, for a model's manifest: the split, each metric's mean and its 95 % interval.

    Args:
        events: all events.
        settings: of ALS and of the evaluation.
        progress: where to report.
        features: of the titles, as for `compare_with_baselines`.
        fit: fits the model that is measured, where it is not `ALS.fit`.

    Raises:
        NothingToEvaluate: the split leaves nobody to ask.
    """
    split = choose_split(events, settings.evaluate)
    matrix = strength_matrix(split.train)
    als = fit(matrix) if fit else ALS.fit(matrix, settings.als, threads=settings.threads, progress=progress)
    als = als if features is None else als.with_cold_items(features, matrix)
    evaluation = evaluate({_ALS: als}, split, settings.evaluate, progress).to_json()
    return {"split": evaluation["split"], **evaluation["models"][_ALS]["metrics"]}
