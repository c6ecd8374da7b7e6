"""Baselines: what a model must beat before its complexity is worth anything.

Well tuned, models as simple as these beat many a published neural one (Dacrema, Cremonesi & Jannach 2019, "Are we
really making much progress?"). Each is made by `fit` from a matrix of strengths, never changes afterwards, and is a
`Scorer`, which is all that `evaluate` asks of a model.
"""

from mgw.recommend.baselines.ease import EASE
from mgw.recommend.baselines.item_knn import ItemKNN
from mgw.recommend.baselines.popularity import Popularity
from mgw.recommend.baselines.rp3beta import RP3Beta
from mgw.recommend.baselines.scorer import Scorer

__all__ = ["EASE", "ItemKNN", "Popularity", "RP3Beta", "Scorer"]
