"""Off-policy estimates: covering the truth of simulated logs, and silent where the log cannot speak."""

from __future__ import annotations

import numpy as np
import pytest

from mgw.core.errors import ExperimentInvalid, NotEnoughData
from mgw.experiments.off_policy import Log, estimate_value

ACTIONS = 6
ESTIMATORS = ("replay", "ips", "clipped", "snips", "direct", "doubly-robust", "switch")
UNBIASED = ("ips", "snips", "doubly-robust", "switch")


class World:
    """Users who differ, contexts, what each action earns there on average, and two rankings."""

    def __init__(self, seed, *, contexts=8, far=1.0):
        rng = np.random.default_rng(seed)
        self.rates = rng.uniform(0.05, 0.6, (contexts, ACTIONS))
        scores = rng.normal(0, 1, (contexts, ACTIONS))
        self.logging = softmax(scores)
        self.target = softmax(scores + far * rng.normal(0, 1, scores.shape))
        self.model = np.clip(self.rates + rng.normal(0, 0.05, self.rates.shape), 0, 1)

    @property
    def truth(self):
        return float((self.target * self.rates).sum(axis=1).mean())

    def log(self, rng, users=400, each=5):
        n = users * each
        contexts = rng.integers(0, len(self.rates), n)
        draws = rng.random((n, 1))
        actions = (draws > self.logging[contexts].cumsum(axis=1)).sum(axis=1).clip(max=ACTIONS - 1)
        person = np.repeat(np.arange(users), each)
        mood = rng.normal(0, 0.05, users)[person]  # what a user's decisions have in common
        rewards = (rng.random(n) < np.clip(self.rates[contexts, actions] + mood, 0, 1)).astype(float)
        return Log(
            rewards, self.logging[contexts, actions], self.target[contexts, actions], person,
            self.model[contexts, actions], (self.target * self.model)[contexts].sum(axis=1),
        )  # fmt: skip


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def coverage(runs, seed=0):
    world, rng = World(seed), np.random.default_rng(seed + 1)
    covered = dict.fromkeys(UNBIASED, 0)
    for _ in range(runs):
        log = world.log(rng)
        for name in UNBIASED:
            found = estimate_value(log, name)
            covered[name] += found.low <= world.truth <= found.high
    return {name: count / runs for name, count in covered.items()}


def test_intervals_cover_the_truth():
    assert min(coverage(200).values()) >= 0.9


@pytest.mark.nightly
def test_intervals_cover_the_truth_at_size():
    found = coverage(1_000, seed=3)
    assert min(found.values()) >= 0.93, found


def test_each_is_its_formula():
    world = World(2)
    log = world.log(np.random.default_rng(5))
    w, r, q, v = log.target / log.propensities, log.rewards, log.predicted, log.expected
    expected = {
        "ips": (w * r).mean(), "clipped": (np.minimum(w, 2) * r).mean(), "snips": (w * r).sum() / w.sum(),
        "direct": v.mean(), "doubly-robust": (v + w * (r - q)).mean(),
        "switch": (v + np.where(w <= 2, w, 0) * (r - q)).mean(),
    }  # fmt: skip
    for name, value in expected.items():
        found = estimate_value(log, name, clip=2, switch=2)
        assert found.estimate == pytest.approx(value), name
        assert found.low < found.estimate < found.high


def test_a_good_model_narrows_the_interval():
    log = World(2, far=1.5).log(np.random.default_rng(5))
    widths = {name: estimate_value(log, name).high - estimate_value(log, name).low for name in ("ips", "doubly-robust")}
    assert widths["doubly-robust"] < widths["ips"]


def test_replay_is_the_mean_over_what_a_sure_ranking_would_have_done():
    rng = np.random.default_rng(4)
    chosen = rng.integers(0, 4, 4_000)
    rewards = (rng.random(4_000) < np.array([0.1, 0.2, 0.3, 0.4])[chosen]).astype(float)
    log = Log(rewards, np.full(4_000, 0.25), (chosen == 3).astype(float), np.arange(4_000))
    found = estimate_value(log, "replay")
    assert found.estimate == pytest.approx(rewards[chosen == 3].mean())
    assert found.low < 0.4 < found.high


def test_decisions_of_one_user_do_not_count_as_many_users():
    rewards = np.repeat(np.random.default_rng(0).random(200), 50)
    ones = np.ones_like(rewards)
    apart = estimate_value(Log(rewards, ones, ones, np.arange(len(rewards))), "ips")
    together = estimate_value(Log(rewards, ones, ones, np.repeat(np.arange(200), 50)), "ips")
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(50**0.5, rel=0.02)


def column(value, n=1_000):
    return np.full(n, value)


@pytest.mark.parametrize("estimator", [name for name in ESTIMATORS if name != "direct"])
def test_without_support_there_is_no_answer(estimator):
    model = {"predicted": column(0.5), "expected": column(0.5)}
    elsewhere = Log(column(1.0), column(0.9), column(0.0), np.arange(1_000), **model)
    with pytest.raises(NotEnoughData):
        estimate_value(elsewhere, estimator)
    half = Log(column(1.0), column(1.0), column(0.5), np.arange(1_000), **model)
    if estimator != "switch":
        with pytest.raises(NotEnoughData, match=r"50%|other ranking does"):
            estimate_value(half, estimator)
    empty = Log(*(np.empty(0) for _ in range(3)), np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))
    with pytest.raises(NotEnoughData, match="empty"):
        estimate_value(empty, estimator)


def test_few_decisions_that_carry_all_weight_are_said():
    target = np.full(1_000, 1e-4)
    target[:5] = 1.0
    log = Log(column(1.0), np.where(target == 1.0, 0.005, 0.9), target, np.arange(1_000))
    assert log.effective_size == pytest.approx(5, rel=0.01)
    with pytest.raises(NotEnoughData, match="worth 5"):
        estimate_value(log, "snips")


@pytest.mark.parametrize(
    "wrong",
    [
        {"propensities": column(0.0)}, {"propensities": column(1.5)}, {"target": column(-0.1)},
        {"rewards": column(np.nan)}, {"rewards": column(1.0, 7)},
    ],
)  # fmt: skip
def test_a_log_that_cannot_be_is_refused(wrong):
    given = {"rewards": column(1.0), "propensities": column(0.5), "target": column(0.5), "users": np.arange(1_000)}
    with pytest.raises(ExperimentInvalid):
        Log(**{**given, **wrong})


def test_what_takes_a_model_says_so():
    log = Log(column(1.0), column(0.5), column(0.5), np.arange(1_000))
    with pytest.raises(ExperimentInvalid, match="model of the rewards"):
        estimate_value(log, "doubly-robust")
