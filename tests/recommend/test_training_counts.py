"""Trainings are counted whatever comes of them, and nothing of the counting stands in their way."""

from __future__ import annotations

import contextlib

import pytest

from mgw.core.count_files import add_counts
from mgw.core.metrics import Registry
from mgw.recommend.training_counts import counted, read_trainings

NEVER = {(kind, outcome): 0.0 for kind in ("als", "lora") for outcome in ("done", "failed", "interrupted")}


def runs(state):
    (family,) = (each for each in read_trainings(state) if each.name == "mgw_training_runs_total")
    return {child.labels: child.numbers[0] for child in family.children}


def test_before_the_first_training_each_outcome_is_told_as_0(tmp_path):
    assert runs(tmp_path) == NEVER
    with contextlib.suppress(ValueError), counted(tmp_path, "als"):
        raise ValueError
    assert runs(tmp_path) == {**NEVER, ("als", "failed"): 1.0}
    with counted(tmp_path, "lora"):
        pass
    assert runs(tmp_path) == {**NEVER, ("als", "failed"): 1.0, ("lora", "done"): 1.0}


def test_counts_of_another_version_neither_fail_a_training_nor_hide_why_it_failed(tmp_path):
    registry = Registry()
    registry.histogram("mgw_training_seconds", "Otherwise.", "kind", bounds=(1.0,)).of("als").observe(0.5)
    add_counts(tmp_path / "training.counts", registry.sample())
    assert runs(tmp_path) == NEVER
    with pytest.raises(RuntimeError, match="of the training itself"), counted(tmp_path, "als"):
        raise RuntimeError("of the training itself")
    with counted(tmp_path, "als"):
        pass
    assert runs(tmp_path) == {**NEVER, ("als", "failed"): 1.0, ("als", "done"): 1.0}
