"""What gbstats says of two variants, as JSON on stdout: run by `test_oracles` in an environment that has it."""

import json
import sys

from gbstats.bayesian.tests import EffectBayesianABTest, EffectBayesianConfig
from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
from gbstats.models.statistics import RatioStatistic, SampleMeanStatistic

given = json.load(sys.stdin)
SEQUENTIAL = SequentialConfig(difference_type="absolute", sequential_tuning_parameter=given["tuned_for"])


def mean(values):
    return SampleMeanStatistic(n=len(values), sum=sum(values), sum_squares=sum(v * v for v in values))


def ratio(rows):
    ys, xs = zip(*rows, strict=True)
    return RatioStatistic(
        n=len(rows), m_statistic=mean(ys), d_statistic=mean(xs), m_d_sum_of_products=sum(y * x for y, x in rows)
    )


def finds(looks):
    """Say whether a sequence excludes 0 at some look at a rate, given as users and conversions of both variants."""
    for control, treatment in looks:
        sides = [SampleMeanStatistic(n=n, sum=total, sum_squares=total) for n, total in (control, treatment)]
        low, high = SequentialTwoSidedTTest(*sides, SEQUENTIAL).confidence_interval
        if low > 0 or high < 0:
            return True
    return False


found = {"finds": [finds(looks) for looks in given.get("experiments", ())]}
for name, (control, treatment) in {
    "mean": [mean(values) for values in given["means"]],
    "ratio": [ratio(rows) for rows in given["ratios"]],
}.items():
    for kind in ("absolute", "relative"):
        fixed = TwoSidedTTest(control, treatment, FrequentistConfig(difference_type=kind)).compute_result()
        config = SequentialConfig(difference_type=kind, sequential_tuning_parameter=given["tuned_for"])
        sequential = SequentialTwoSidedTTest(control, treatment, config).compute_result()
        bayes = EffectBayesianABTest(control, treatment, EffectBayesianConfig(difference_type=kind)).compute_result()
        found[f"{name} {kind}"] = {
            "estimate": fixed.expected, "fixed": list(fixed.ci), "fixed_p": fixed.p_value,
            "sequential": list(sequential.ci), "sequential_p": sequential.p_value,
            "chance_to_win": bayes.chance_to_win, "credible": list(bayes.ci), "risk": list(bayes.risk),
        }  # fmt: skip
json.dump(found, sys.stdout)
