"""Evaluation end to end on small splits, and its bootstrap against simulation and SciPy."""

import json
import math
from contextlib import contextmanager

import numpy as np
import pytest
from scipy import stats
from scipy.sparse import csr_array

from mgw.core.errors import NothingToEvaluate, ParametersInvalid
from mgw.core.progress import SILENT
from mgw.core.settings.schema import AlsSettings, EvaluateSettings
from mgw.recommend import evaluate as evaluation
from mgw.recommend.als import ALS
from mgw.recommend.baselines import ItemKNN, Popularity
from mgw.recommend.evaluate import evaluate, resampled_means
from mgw.recommend.interactions import Events, strength_matrix
from mgw.recommend.split import Split, seen_matrix, split_cold_users, split_randomly

SETTINGS = EvaluateSettings(top_k=3, recall_k=5, bootstrap_samples=200)


class Fixed:
    """A model whose scores are given."""

    def __init__(self, table):
        self.table = np.asarray(table, dtype=np.float32)

    def scores(self, users):
        return self.table[users]

    def given(self, histories):  # noqa: ARG002 - a Scorer
        return self


def events_of(pairs, n_users, n_items, engagement=1.0):
    users, items = (np.array(axis, dtype=np.int32) for axis in zip(*pairs, strict=True))
    return Events(
        users,
        items,
        np.full(len(users), math.nan),
        np.full(len(users), engagement, dtype=np.float32),
        np.arange(n_users, dtype=np.int64),
        np.arange(n_items, dtype=np.int64),
    )


@pytest.fixture(scope="module")
def split():
    """Sixty users in two camps, each with its own titles, and some titles that everybody likes."""
    rng = np.random.default_rng(7)
    chance = np.full((60, 20), 0.1)
    chance[:30, :8] = chance[30:, 8:16] = 0.6
    chance[:, 16:] = 0.5
    return split_randomly(events_of(np.argwhere(rng.random((60, 20)) < chance).tolist(), 60, 20), 0.3, seed=0)


@pytest.fixture(scope="module")
def models(split):
    matrix = strength_matrix(split.train)
    oracle = split.test.toarray()
    return {"popularity": Popularity.fit(matrix), "item-knn": ItemKNN.fit(matrix), "oracle": Fixed(oracle)}


def small_split(train, test, n_users, n_items):
    known = events_of(train, n_users, n_items)
    return Split("hand", "By hand.", known, known, csr_array(np.array(test, dtype=np.float32)))


def test_figures_are_those_of_a_slow_loop(split, models):
    result = evaluate(models, split, SETTINGS)
    known = set(zip(split.train.users.tolist(), split.train.items.tolist(), strict=True))
    test, users = split.test.toarray(), result.audience.users.tolist()
    pairs = strength_matrix(split.train).toarray()
    for name, model in models.items():
        scores = model.scores(np.arange(60))
        slow = {"ndcg@3": [], "recall@5": [], "precision@3": [], "novelty@3": []}
        shown = set()
        for user in users:
            order = sorted(
                (item for item in range(20) if (user, item) not in known), key=lambda i: (-scores[user, i], i)
            )
            hits = [test[user, item] > 0 for item in order]
            wanted = int((test[user] > 0).sum())
            ideal = sum(1 / math.log2(rank + 2) for rank in range(min(3, wanted)))
            slow["ndcg@3"].append(sum(hit / math.log2(rank + 2) for rank, hit in enumerate(hits[:3])) / ideal)
            slow["recall@5"].append(sum(hits[:5]) / wanted)
            slow["precision@3"].append(sum(hits[:3]) / 3)
            slow["novelty@3"].append(
                np.mean([-math.log2((pairs[:, i] > 0).sum() / (pairs > 0).sum()) for i in order[:3]])
            )
            shown |= set(order[:3])
        for metric, values in slow.items():
            assert result.models[name].per_user[metric] == pytest.approx(np.array(values, dtype=float)), (name, metric)
            assert result.models[name].metrics[metric].value == pytest.approx(np.mean(values))
        assert result.models[name].metrics["coverage@3"].value == pytest.approx(len(shown) / 20)


def test_a_model_that_knows_the_answers_is_perfect_and_beats_the_baseline(split, models):
    result = evaluate(models, split, SETTINGS)
    assert result.models["oracle"].metrics["ndcg@3"].value == pytest.approx(1)
    lead = result.models["oracle"].differences["ndcg@3"]
    assert 0 < lead.low < lead.value < lead.high
    assert lead.value == pytest.approx(1 - result.models["popularity"].metrics["ndcg@3"].value)


def test_the_baseline_is_the_first_model_or_the_one_named(split, models):
    first, named = evaluate(models, split, SETTINGS), evaluate(models, split, SETTINGS, baseline="item-knn")
    assert first.baseline == "popularity"
    assert [name for name, model in first.models.items() if model.differences is None] == ["popularity"]
    assert [name for name, model in named.models.items() if model.differences is None] == ["item-knn"]
    one_way = first.models["item-knn"].differences["recall@5"]
    other_way = named.models["popularity"].differences["recall@5"]
    assert (other_way.value, other_way.low, other_way.high) == pytest.approx(
        (-one_way.value, -one_way.high, -one_way.low)
    )


def test_differences_are_paired(split, models):
    twins = evaluate({"one": models["item-knn"], "other": models["item-knn"]}, split, SETTINGS)
    lead, own = twins.models["other"].differences["ndcg@3"], twins.models["other"].metrics["ndcg@3"]
    assert (lead.value, lead.low, lead.high) == (0, 0, 0)
    assert own.low < own.value < own.high


def test_intervals_hold_95_percent_of_the_resampled_means_of_the_figures_and_of_each_users_difference(split, models):
    result = evaluate(models, split, SETTINGS)
    mine, base = result.models["item-knn"], result.models["popularity"]
    for metric, values in mine.per_user.items():
        lead = values - base.per_user[metric]
        for estimate, figures in ((mine.metrics[metric], values), (mine.differences[metric], lead)):
            means = sorted(resampled_means(figures[:, None], 200, seed=0)[:, 0].tolist())
            # 2.5 % of 200 resamples are five.
            assert means[4] - 1e-12 <= estimate.low <= means[5] + 1e-12
            assert means[194] - 1e-12 <= estimate.high <= means[195] + 1e-12


def test_coverage_has_no_interval(split, models):
    model = evaluate(models, split, SETTINGS).models["item-knn"]
    for estimate in (model.metrics["coverage@3"], model.differences["coverage@3"]):
        assert estimate.low is None
        assert estimate.high is None


def test_what_was_seen_is_not_recommended_even_where_it_was_disliked():
    # Title 0 scores best and was seen without being liked; title 2 is held out.
    train = events_of([(0, 0), (0, 1)], 1, 3)
    train.engagement[0] = -1
    split = Split("hand", "By hand.", train, train, csr_array(np.array([[0, 0, 1]], dtype=np.float32)))
    result = evaluate({"model": Fixed([[9, 5, 1]])}, split, EvaluateSettings(top_k=1, recall_k=1))
    assert result.models["model"].per_user["ndcg@1"].tolist() == [1]


def test_one_user_has_figures_and_no_intervals():
    split = small_split([(0, 0)], [[0, 1, 0, 0]], 1, 4)
    model = evaluate({"model": Fixed([[0, 1, 2, 3]])}, split, EvaluateSettings(top_k=10, recall_k=20)).models["model"]
    # Three titles are left, the one held out comes third: the lists are shorter than k.
    assert model.metrics["ndcg@10"].value == pytest.approx(1 / math.log2(4))
    assert model.metrics["recall@20"].value == 1
    assert model.metrics["precision@10"].value == pytest.approx(0.1)
    assert model.metrics["coverage@10"].value == pytest.approx(3 / 4)
    assert all(estimate.low is None and estimate.high is None for estimate in model.metrics.values())


def test_users_left_out_are_counted_by_reason():
    # 0 can be evaluated, 1 has nothing held out, 2 no history, 3 neither, 4 a history of dislikes only.
    train = events_of([(0, 0), (1, 1), (4, 0)], 5, 3)
    train.engagement[2] = 0
    test = np.zeros((5, 3), dtype=np.float32)
    test[[0, 2, 4], 2] = 1
    split = Split("hand", "By hand.", train, train, csr_array(test))
    result = evaluate({"model": Fixed(np.zeros((5, 3)))}, split, SETTINGS)
    assert result.audience.users.tolist() == [0]
    assert result.audience.left_out == {
        "without_history": 2,
        "without_held_out": 1,
        "without_both": 1,
        "learned_from": 0,
    }


def test_new_users_are_known_by_their_history_alone():
    # Two camps; the model learns from all but a few, whose camp can only be told from the history.
    rng = np.random.default_rng(5)
    chance = np.full((60, 20), 0.02)
    chance[:30, :10] = chance[30:, 10:] = 0.7
    split = split_cold_users(events_of(np.argwhere(rng.random((60, 20)) < chance).tolist(), 60, 20), 0.3, seed=0)
    matrix = strength_matrix(split.train)
    als = ALS.fit(matrix, AlsSettings(factors=4))
    models = {"als": als, "knn": ItemKNN.fit(matrix), "popularity": Popularity.fit(matrix)}
    found = evaluate(models, split, SETTINGS)
    users = found.audience.users
    assert not als.user_factors[users].any()  # not learned from
    own_camp = np.where(users < 30, 0, 10)[:, None]
    for name in ("als", "knn"):
        lists = found.models[name].lists[:, :3]
        assert np.mean((lists >= own_camp) & (lists < own_camp + 10)) > 0.9
        assert found.models[name].differences is None or found.models[name].metrics["ndcg@3"].value > 0.5
    history = seen_matrix(split.history)[users].toarray()
    assert not any(history[row, each].any() for row, each in enumerate(found.models["als"].lists))


def test_a_split_without_anybody_to_ask_is_refused():
    split = small_split([(0, 0)], [[0, 0], [0, 1]], 2, 2)
    with pytest.raises(NothingToEvaluate):
        evaluate({"model": Fixed(np.zeros((2, 2)))}, split, SETTINGS)


def test_scores_that_are_not_numbers_are_refused_by_name(split):
    table = np.zeros((60, 20))
    table[split.audience().users[-1], 3] = math.nan
    with pytest.raises(ParametersInvalid, match="'broken'"):
        evaluate({"broken": Fixed(table)}, split, SETTINGS)


@pytest.mark.parametrize(("models", "baseline"), [({}, None), ({"one": Fixed([[0]])}, "other")])
def test_a_baseline_that_is_not_there_is_refused_before_any_work(split, models, baseline):
    with pytest.raises(ValueError, match="no model to compare with"):
        evaluate(models, split, SETTINGS, baseline=baseline)


def test_the_same_seed_gives_the_same_result_and_batches_make_no_difference(split, models, monkeypatch):
    first = evaluate(models, split, SETTINGS).to_json()
    assert evaluate(models, split, SETTINGS).to_json() == first
    other = evaluate(models, split, EvaluateSettings(top_k=3, recall_k=5, bootstrap_samples=200, seed=1)).to_json()
    assert other["bootstrap"]["seed"] == 1
    low, other_low = (each["models"]["popularity"]["metrics"]["ndcg@3"]["low"] for each in (first, other))
    assert other_low != low
    monkeypatch.setattr(evaluation, "_BATCH_CELLS", 7 * 20)
    batched = evaluate(models, split, SETTINGS).to_json()["models"]
    for name, model in first["models"].items():
        for metric, estimate in model["metrics"].items():
            assert batched[name]["metrics"][metric] == pytest.approx(estimate)


def test_the_summary_is_plain_json(split, models):
    result = evaluate(models, split, SETTINGS)
    summary = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert summary == result.to_json()
    assert summary["split"] == {"name": "random", "description": split.description}
    assert summary["users"]["evaluated"] == len(result.audience.users)
    assert summary["bootstrap"] == {"samples": 200, "confidence": 0.95, "seed": 0}
    assert list(summary["models"]) == ["popularity", "item-knn", "oracle"]
    assert summary["models"]["popularity"]["differences"] is None
    assert summary["models"]["oracle"]["metrics"]["ndcg@3"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert summary["models"]["oracle"]["metrics"]["coverage@3"]["low"] is None


def test_progress_is_told_of_every_user(split, models):
    seen = []

    class Recorder:
        @contextmanager
        def stage(self, description, total=None):
            with SILENT.stage(description) as stage:
                stage.advance = lambda amount=1: seen.append(amount)
                yield stage
            seen.append((description, total))

    evaluate({"popularity": models["popularity"]}, split, SETTINGS, Recorder())
    n_users = len(split.audience().users)
    assert seen == [n_users, ("Evaluating popularity", n_users)]


# The bootstrap -------------------------------------------------------------------------------------------------------


def test_resampled_means_follow_their_seed_whatever_the_batch(monkeypatch):
    values = np.random.default_rng(0).random((50, 3))
    first = resampled_means(values, 40, seed=1)
    assert first.shape == (40, 3)
    assert (resampled_means(values, 40, seed=1) == first).all()
    assert (resampled_means(values, 40, seed=2) != first).any()
    monkeypatch.setattr(evaluation, "_BATCH_CELLS", 7 * 50)
    assert resampled_means(values, 40, seed=1) == pytest.approx(first)


def test_all_columns_share_the_draws():
    values = np.random.default_rng(0).random((50, 1))
    means = resampled_means(np.hstack([values, 2 * values]), 30, seed=0)
    assert means[:, 1] == pytest.approx(2 * means[:, 0])


def test_intervals_agree_with_those_of_scipy():
    values = np.random.default_rng(3).exponential(size=300)
    ours = np.quantile(resampled_means(values[:, None], 20_000, seed=0)[:, 0], [0.025, 0.975])
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=1).confidence_interval
    # The standard error of a quantile of 20,000 resamples is some 2 % of the interval's width.
    assert ours == pytest.approx([theirs.low, theirs.high], abs=0.05 * (theirs.high - theirs.low))


def test_intervals_hold_a_known_mean_as_often_as_they_say():
    rng = np.random.default_rng(11)
    columns = rng.exponential(size=(200, 1500))  # 1,500 evaluations of 200 users whose mean is 1
    low, high = np.quantile(resampled_means(columns, 400, seed=5), [0.025, 0.975], axis=0)
    held = np.mean((low <= 1) & (high >= 1))
    # One set of draws for all columns leaves the columns independent: the standard error of the share is .0056.
    assert 0.925 <= held <= 0.965


def test_only_candidates_are_ranked():
    pairs = [(user, item) for user in range(4) for item in (0, 1, 2 + user % 2, 4)]
    events = events_of(pairs, 4, 6)
    cold = np.isin(events.items, [2, 3])
    test = csr_array(strength_matrix(events.where(cold)))
    split = Split("cold-items", "", events.where(~cold), events.where(~cold), test, np.array([2, 3, 5]))
    # Of all titles the best is 5 and those that nobody may rank; of the candidates each user has the right one second.
    table = [[9, 9, 3 - user % 2, 2 + user % 2, 9, 4] for user in range(4)]
    found = evaluate({"fixed": Fixed(table)}, split, SETTINGS)
    model = found.models["fixed"]
    assert model.lists[:, :3].tolist() == [[5, 2, 3], [5, 3, 2]] * 2
    assert np.all(model.lists[:, 3:] == -1)
    assert model.metrics["mrr@3"].value == 0.5
