"""The statistics beside those of others: statsmodels, tea-tasting, and gbstats in an environment of its own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import tea_tasting as tt
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.weightstats import CompareMeans

from mgw.experiments.corrections import benjamini_hochberg, holm
from mgw.experiments.fixed_horizon import welch, welch_p_value
from mgw.experiments.joint import Joint, cuped
from mgw.experiments.planning import users_per_variant
from mgw.experiments.posterior import Posterior
from mgw.experiments.sequential import always_valid_p_value, confidence_sequence
from mgw.experiments.statistics import Difference, Moments

_ROOT = Path(__file__).parents[2]
GBSTATS = _ROOT / ".venv" / "oracle" / "bin" / "python"
TUNED_FOR = 5_000
EXACT = {"rel": 1e-6, "abs": 1e-9}
SEQUENTIAL = {"rel": 1e-5, "abs": 1e-9}


@pytest.fixture(scope="module", params=[1, 2, 3])
def users(request):
    """Plays before and after, and how many of those after were watched to the end, of users of two variants."""
    rng = np.random.default_rng(request.param)
    found = []
    for n, lift in ((4_000, 1.0), (2_500, 1.05)):
        taste = rng.gamma(2, 2, n)
        before, plays = rng.poisson(taste), 1 + rng.poisson(taste * lift)
        found.append({"before": before, "plays": plays, "ends": rng.binomial(plays, rng.beta(5, 3, n))})
    return found


def differences(of, users):
    """Return the difference of the mean of plays and of the ratio of ends to plays."""
    means = [Moments.of(each["plays"]) for each in users]
    ratios = [Joint.of(each["ends"], each["plays"]).ratio() for each in users]
    return {"mean": of(*means), "ratio": of(*ratios)}


def test_fixed_horizons_are_those_of_statsmodels_and_scipy(users):
    control, treatment = (each["plays"] for each in users)
    found = differences(Difference.of, users)["mean"]
    theirs = CompareMeans.from_data(treatment, control)
    interval = welch(found)
    assert (interval.low, interval.high) == pytest.approx(theirs.tconfint_diff(usevar="unequal"), **EXACT)
    assert welch_p_value(found) == pytest.approx(theirs.ttest_ind(usevar="unequal")[1], **EXACT)
    assert welch_p_value(found) == pytest.approx(stats.ttest_ind(treatment, control, equal_var=False).pvalue, **EXACT)


def test_fixed_horizons_and_ratios_are_those_of_tea_tasting(users):
    frames = [pd.DataFrame(each).assign(variant=place) for place, each in enumerate(users)]
    experiment = tt.Experiment(mean=tt.Mean("plays"), ratio=tt.RatioOfMeans("ends", "plays"))
    theirs = experiment.analyze(pd.concat(frames), control=0)
    for name, found in differences(Difference.of, users).items():
        interval = welch(found)
        expected = theirs[name]
        assert interval.estimate == pytest.approx(expected.effect_size, **EXACT)
        assert (interval.low, interval.high) == pytest.approx(
            (expected.effect_size_ci_lower, expected.effect_size_ci_upper), **EXACT
        )
        assert welch_p_value(found) == pytest.approx(expected.pvalue, **EXACT)


def test_cuped_is_the_regression_of_statsmodels_on_the_variant_and_what_was_before(users):
    found = Difference.of(*cuped([Joint.of(each["plays"], each["before"]) for each in users]))
    plays, before = (np.concatenate([each[name] for each in users]) for name in ("plays", "before"))
    variant = np.repeat([0.0, 1.0], [len(each["plays"]) for each in users])
    theirs = sm.OLS(plays, np.column_stack([np.ones_like(variant), variant, before])).fit()
    assert found.estimate == pytest.approx(theirs.params[1], **EXACT)
    assert found.variance**0.5 == pytest.approx(theirs.bse[1], rel=0.05)  # it takes both variances for one


def test_corrections_are_those_of_statsmodels():
    p_values = [0.001, 0.04, 0.03, 0.2, 0.9, 0.04]
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], **EXACT)
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1], **EXACT)


def test_the_number_of_users_is_that_of_statsmodels():
    theirs = NormalIndPower().solve_power(effect_size=0.05, alpha=0.05, power=0.8, alternative="two-sided")
    assert users_per_variant(0.05, 1.0, 1.0) == int(np.ceil(theirs))


def ask_gbstats(asked):
    if not (GBSTATS.parents[1] / "installed").is_file():  # where one of two has no wheel neither is installed
        pytest.skip("gbstats is not here: `make unit` installs it into .venv/oracle where this Python has it")
    script = Path(__file__).parent / "oracle_gbstats.py"
    done = subprocess.run([GBSTATS, script], input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def gbstats(users):
    asked = {
        "means": [each["plays"].tolist() for each in users],
        "ratios": [np.column_stack([each["ends"], each["plays"]]).tolist() for each in users],
        "tuned_for": TUNED_FOR,
    }
    return ask_gbstats(asked)


def daily(rng, effect, days=30, users=400):
    """Return users and conversions of both variants after each day, of a rate of a fifth."""
    found, sides = [], [[0, 0], [0, 0]]
    for _ in range(days):
        for side, rate in zip(sides, (0.2, 0.2 + effect), strict=True):
            side[0] += users
            side[1] += int(rng.binomial(users, rate))
        found.append([list(side) for side in sides])
    return found


def finds(looks):
    sides = ([Moments(n, total, total - total * total / n) for n, total in look] for look in looks)
    return any(confidence_sequence(Difference.of(*each), tuned_for=TUNED_FOR).excludes_zero for each in sides)


@pytest.mark.parametrize("effect", [0.0, 0.015, 0.03])
def test_a_sequence_finds_what_that_of_gbstats_finds(effect):
    """The power is the same because every single experiment is decided the same."""
    rng = np.random.default_rng(11)
    experiments = [daily(rng, effect) for _ in range(60)]
    theirs = ask_gbstats({"means": [[1, 2], [1, 3]], "ratios": [[[1, 1], [2, 3]]] * 2, "tuned_for": TUNED_FOR,
                          "experiments": experiments})  # fmt: skip
    assert [finds(looks) for looks in experiments] == theirs["finds"]


@pytest.mark.parametrize("kind", ["absolute", "relative"])
@pytest.mark.parametrize("metric", ["mean", "ratio"])
def test_everything_is_that_of_gbstats(users, gbstats, metric, kind):
    theirs = gbstats[f"{metric} {kind}"]
    found = differences(Difference.of if kind == "absolute" else Difference.relative, users)[metric]
    assert found.estimate == pytest.approx(theirs["estimate"], **EXACT)
    sequence = confidence_sequence(found, tuned_for=TUNED_FOR)
    assert (sequence.low, sequence.high) == pytest.approx(theirs["sequential"], **SEQUENTIAL)
    assert always_valid_p_value(found, tuned_for=TUNED_FOR) == pytest.approx(theirs["sequential_p"], **SEQUENTIAL)
    belief = Posterior.of(found)
    assert belief.chance_to_win == pytest.approx(theirs["chance_to_win"], **EXACT)
    assert (belief.interval().low, belief.interval().high) == pytest.approx(theirs["credible"], **EXACT)
    if kind == "absolute":
        # Theirs takes the degrees of freedom of the absolute difference for the relative one too.
        assert (welch(found).low, welch(found).high) == pytest.approx(theirs["fixed"], **EXACT)
        assert welch_p_value(found) == pytest.approx(theirs["fixed_p"], **EXACT)
    assert [belief.expected_loss_of_control, belief.expected_loss] == pytest.approx(theirs["risk"], **EXACT)
