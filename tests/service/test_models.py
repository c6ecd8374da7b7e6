"""The model of a worker: the one before is gone when another is taken."""

from __future__ import annotations

import gc
import weakref

from mgw.core.settings import AlsSettings, Settings
from mgw.service.models import Models


def test_a_model_that_was_replaced_leaves_nothing(make_project):
    project = make_project()
    models = Models(project.store, project.shared_tiers, Settings(als=AlsSettings(factors=8)))
    try:
        project.train(seed=0)
        models.refresh()
        before = weakref.ref(models.current.hybrid)
        before().in_a_circle = before()  # which only the collector can take apart
        project.train(seed=1)
        models.refresh()
        project.train(seed=2)
        models.refresh()
        assert before() is None
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
