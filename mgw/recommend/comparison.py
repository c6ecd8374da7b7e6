"""ALS beside the baselines, all fitted on the same side of the same split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.recommend.als import ALS
from mgw.recommend.baselines import ItemKNN, Popularity
from mgw.recommend.evaluate import evaluate
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.split import choose_split

if TYPE_CHECKING:
    from mgw.core.progress import Progress
    from mgw.core.settings import Settings
    from mgw.recommend.baselines import Scorer
    from mgw.recommend.evaluate import Evaluation
    from mgw.recommend.interactions import Events


_ALS = "ALS"


def compare_with_baselines(events: Events, settings: Settings, progress: Progress) -> Evaluation:
    """Fit popularity, item-kNN and ALS on the training side of a split and measure them on the other.

    Raises:
        NothingToEvaluate: the split leaves nobody to ask.
    """
    split = choose_split(events, settings.evaluate)
    matrix = strength_matrix(split.train)
    with progress.stage("Fitting popularity and item-kNN", 2) as stage:
        popularity = Popularity.fit(matrix)
        stage.advance()
        item_knn = ItemKNN.fit(matrix)
        stage.advance()
    als = ALS.fit(matrix, settings.als, threads=settings.threads, progress=progress)
    models: dict[str, Scorer] = {"popularity": popularity, "item-kNN": item_knn, _ALS: als}
    return evaluate(models, split, settings.evaluate, progress, baseline="popularity")


def measured_als(events: Events, settings: Settings, progress: Progress) -> dict[str, Any]:
    """Measure ALS on a split, for a model's manifest: the split, each metric's mean and its 95 % interval.

    Raises:
        NothingToEvaluate: the split leaves nobody to ask.
    """
    split = choose_split(events, settings.evaluate)
    als = ALS.fit(strength_matrix(split.train), settings.als, threads=settings.threads, progress=progress)
    evaluation = evaluate({_ALS: als}, split, settings.evaluate, progress).to_json()
    return {"split": evaluation["split"], **evaluation["models"][_ALS]["metrics"]}
