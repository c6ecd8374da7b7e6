"""Tuning: it finds what is better, goes on where it stopped, and never looks at the test."""

import math
import sys

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.sparse import csr_array

from mgw.core.errors import ExtraMissing, NothingToEvaluate
from mgw.core.settings import AlsSettings
from mgw.core.settings.schema import EvaluateSettings
from mgw.recommend import tuning
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.metrics import find_hits, top_columns
from mgw.recommend.metrics import ndcg as ndcg_of
from mgw.recommend.split import choose_split
from mgw.recommend.tuning import Pairs, ndcg, split_for_tuning, tune_als

from .als.test_solver import planted

EVALUATE = EvaluateSettings(split="random", test_share=0.25, top_k=5)
POOR = AlsSettings(factors=6, epochs=6, regularization=0.1, unobserved_weight=1.0)


@pytest.fixture(scope="module")
def events():
    matrix = planted(200, 90)
    users = np.repeat(np.arange(200), np.diff(matrix.indptr)).astype(np.int32)
    n = matrix.nnz
    return Events(
        users, matrix.indices.astype(np.int32), np.full(n, math.nan), np.ones(n, dtype=np.float32),
        np.arange(200, dtype=np.int64), np.arange(90, dtype=np.int64),
    )  # fmt: skip


@pytest.fixture(scope="module")
def pairs(events):
    return split_for_tuning(events, EVALUATE)[0]


def tuned(pairs, tmp_path, trials, **changes):
    tried = []
    found = tune_als(
        pairs, POOR, trials=trials, factors=(6, 8), top_k=5, journal=tmp_path / "tuning" / "als.jsonl",
        on_trial=lambda number, value, settings: tried.append((number, value, settings)), **changes,
    )  # fmt: skip
    return found, tried


def test_it_finds_what_is_better_than_what_it_began_with(pairs, tmp_path):
    found, tried = tuned(pairs, tmp_path, 12)
    assert [number for number, _, _ in tried] == list(range(12))
    assert tried[0][2].regularization == POOR.regularization
    assert found.ndcg == max(value for _, value, _ in tried) > tried[0][1]
    assert found.settings == max(tried, key=lambda each: each[1])[2]
    assert found.trials == 12


def test_the_best_settings_give_the_ndcg_that_is_said(pairs, tmp_path):
    found, _ = tuned(pairs, tmp_path, 4)
    model = tuning.ALS.fit(pairs.train, found.settings)
    assert ndcg(model, pairs, 5) == found.ndcg
    users = np.flatnonzero(np.diff(pairs.validation.indptr))
    wanted = pairs.validation[users]
    slow = ndcg_of(find_hits(top_columns(model.scores(users), pairs.seen[users], 5), wanted), np.diff(wanted.indptr))
    assert found.ndcg == pytest.approx(slow.mean(), abs=1e-3)  # titles without viewers are never listed


def test_it_goes_on_where_it_stopped(pairs, tmp_path):
    _, first = tuned(pairs, tmp_path, 3)
    found, rest = tuned(pairs, tmp_path, 5)
    assert [number for number, _, _ in rest] == [3, 4]
    assert found.ndcg == max(value for _, value, _ in first + rest)
    assert tuned(pairs, tmp_path, 5)[1] == []


def test_what_goes_on_does_not_try_again_what_was_tried(pairs, tmp_path):
    tried = [each[2] for run in (3, 6, 9) for each in tuned(pairs, tmp_path, run)[1]]
    assert len(tried) == len({each.regularization for each in tried}) == 9


def test_another_question_has_trials_of_its_own(pairs, tmp_path):
    common = {"trials": 2, "journal": tmp_path / "als.jsonl"}
    for settings, factors, top_k in (
        (POOR, (6,), 5),
        (POOR, (7,), 5),
        (POOR, (6,), 3),
        (replace(POOR, epochs=2), (6,), 5),
    ):
        tried = []
        found = tune_als(
            pairs, settings, factors=factors, top_k=top_k, on_trial=lambda *each, t=tried: t.append(each), **common
        )
        assert (len(tried), found.trials, found.settings.factors) == (2, 2, factors[0])


def test_new_users_of_the_test_are_not_tuned_on(events):
    settings = replace(EVALUATE, split="cold-users")
    outer = choose_split(events, settings)
    pairs, _ = split_for_tuning(events, settings)
    for part in (pairs.train, pairs.validation, pairs.seen):
        assert part[outer.audience().users].nnz == 0
    assert pairs.validation.nnz > 0


def test_the_test_is_in_neither_part(events):
    test = choose_split(events, EVALUATE).test
    pairs, description = split_for_tuning(events, EVALUATE)
    assert test.nnz > 0
    for part in (pairs.train, pairs.validation, pairs.seen):
        assert (part != 0).multiply(test != 0).nnz == 0
    assert pairs.train.multiply(pairs.validation).nnz == 0
    assert (pairs.train.nnz + pairs.validation.nnz + test.nnz) == strength_matrix(events).nnz
    assert "left aside" in description
    fewer = events.where(np.arange(len(events)) > 5)
    assert split_for_tuning(fewer, EVALUATE)[0].fingerprint() != pairs.fingerprint()


def test_optuna_may_be_missing(pairs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ExtraMissing, match="Optuna"):
        tuned(pairs, tmp_path, 1)


def test_nobody_to_ask_is_said(tmp_path):
    empty = csr_array((3, 4), dtype=np.float32)
    matrix = csr_array(np.ones((3, 4), dtype=np.float32))
    with pytest.raises(NothingToEvaluate):
        ndcg(tuning.ALS.fit(matrix, POOR), Pairs(matrix, empty, matrix), 5)
