"""What is known of an experiment at a moment: who is in it, each metric of each variant, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mgw.core.errors import NotEnoughData
from mgw.experiments.advice import Advice, advise, advise_on_preference
from mgw.experiments.comparison import Comparison, Method, adjusted, compare, compare_quantiles
from mgw.experiments.measure import moments_of
from mgw.experiments.mismatch import mismatch_p_value
from mgw.experiments.preference import find_preference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mgw.experiments.definition import Definition, Metric
    from mgw.experiments.joint import Joint
    from mgw.experiments.measure import Audience, Look
    from mgw.experiments.preference import Preference
    from mgw.experiments.statistics import Moments
    from mgw.experiments.store import Experiment

SHARES_ALPHA = 0.001
"""Below which p-value the shares of users are said to be off: it stops everything, so it is seldom cried."""


@dataclass(frozen=True, slots=True)
class MetricReport:
    """One metric.

    Attributes:
        metric: which one.
        values: of each variant: the mean over users, the ratio or the quantile; None where there is none.
        comparisons: of each variant but the control.
    """

    metric: Metric
    values: tuple[float | None, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """An experiment at a moment.

    Attributes:
        experiment: which one.
        until: what happened before is counted.
        audience: who was exposed.
        shares_p_value: always valid, of that the users were drawn by the weights; None where there are no users.
        metrics: all of them, in their order; none where rankings were interleaved.
        advice: what follows.
        preference: where rankings were interleaved, which one users prefer.
    """

    experiment: Experiment
    until: datetime
    audience: Audience
    shares_p_value: float | None
    metrics: tuple[MetricReport, ...]
    advice: Advice
    preference: Preference | None = None


def make_report(look: Look) -> Report:
    """Analyse an experiment; no row for each user leaves the database."""
    definition = look.experiment.definition
    method, audience = Method.of(definition), look.audience()
    if definition.interleave:
        preference = find_preference(look, method)
        advice = advise_on_preference(definition, preference, method.alpha)
        return Report(look.experiment, look.until, audience, None, (), advice, preference)
    measured = [
        _measure(look, metric, audience, method)
        if metric.quantile is None
        else _measure_quantile(look, metric, audience, _for_family(method, definition, metric))
        for metric in definition.metrics
    ]
    metrics = _adjusted(measured, method)
    shares = shares_p_value(audience)
    is_off = shares is not None and shares < SHARES_ALPHA
    advice = advise(definition, audience.users, metrics, method, shares_off=is_off)
    return Report(look.experiment, look.until, audience, shares, metrics, advice)


def shares_p_value(audience: Audience) -> float | None:
    """Return the always-valid p-value of that the users were drawn by the weights; None where there are none."""
    if not sum(audience.users):
        return None
    return mismatch_p_value([(each.users, each.weights) for each in audience.strata])


def lift_over_time(
    look: Look, metric: Metric, moments: Sequence[datetime]
) -> list[tuple[datetime, tuple[Comparison, ...]]]:
    """Compare the variants as they were at each of some moments, by a metric that is no quantile."""
    method = Method.of(look.experiment.definition)
    found = []
    for until in moments:
        then = replace(look, until=until)
        found.append((until, _measure(then, metric, then.audience(), method).comparisons))
    return found


def _measure(look: Look, metric: Metric, audience: Audience, method: Method) -> MetricReport:
    joints = look.joints(metric, audience)
    values = tuple(_value(metric, [group[place] for group in joints]) for place in range(look.n_variants))
    return MetricReport(metric, values, _compare_means(_strata(metric, joints), metric, method, look.n_variants))


def _measure_quantile(look: Look, metric: Metric, audience: Audience, method: Method) -> MetricReport:
    """Read the quantile of each variant with its bounds; over all users, whatever weights they were assigned by."""
    assert metric.quantile is not None
    values: list[float | None] = [None] * look.n_variants
    bounds: list[tuple[float, float, float] | str] = []
    for place, n in enumerate(audience.users):
        try:
            values[place] = alone = look.quantiles(metric, place, [metric.quantile])[0]
            low, high = look.quantiles(metric, place, method.probabilities(n, metric.quantile))
            bounds.append((low, alone, high))
        except NotEnoughData as error:
            bounds.append(error.message)
    return MetricReport(metric, tuple(values), tuple(_quantile_beside(bounds[0], each) for each in bounds[1:]))


def _quantile_beside(
    control: tuple[float, float, float] | str, variant: tuple[float, float, float] | str
) -> Comparison:
    if isinstance(control, str):
        return Comparison(problem=control)
    return Comparison(problem=variant) if isinstance(variant, str) else compare_quantiles(control, variant)


def _strata(metric: Metric, joints: Sequence[Sequence[Joint]]) -> list[tuple[Moments, ...] | str]:
    """Return the moments of every variant in each stratum, or why there are none."""
    found: list[tuple[Moments, ...] | str] = []
    for group in joints:
        try:
            found.append(moments_of(metric, group))
        except NotEnoughData as error:
            found.append(error.message)
    return found


def _compare_means(
    strata: Sequence[tuple[Moments, ...] | str], metric: Metric, method: Method, n_variants: int
) -> tuple[Comparison, ...]:
    usable = [group for group in strata if not isinstance(group, str)]
    if not usable:
        return (Comparison(problem=str(strata[0])),) * (n_variants - 1)
    more_is_better = metric.direction == "increase"
    return tuple(
        compare([(group[0], group[place]) for group in usable], method, more_is_better=more_is_better)
        for place in range(1, n_variants)
    )


def _value(metric: Metric, joints: Sequence[Joint]) -> float | None:
    whole = sum(joints[1:], start=joints[0])
    try:
        return whole.y.mean / whole.x.mean if metric.kind == "ratio" else whole.y.mean
    except (NotEnoughData, ZeroDivisionError):
        return None


def _for_family(method: Method, definition: Definition, metric: Metric) -> Method:
    """Divide α where there is no p-value to be adjusted: the interval of a quantile, among others that decide."""
    if metric.guardrail or method.correction == "none":
        return method
    comparisons = sum(not each.guardrail for each in definition.metrics) * (len(definition.variants) - 1)
    return replace(method, alpha=method.alpha / comparisons)


def _adjusted(measured: Sequence[MetricReport], method: Method) -> tuple[MetricReport, ...]:
    """Adjust the p-values over all metrics that may win, and all variants; guardrails are looked at by themselves."""
    family = [each for report in measured if not report.metric.guardrail for each in report.comparisons]
    left = iter(adjusted(family, method))
    return tuple(
        report
        if report.metric.guardrail
        else replace(report, comparisons=tuple(next(left) for _ in report.comparisons))
        for report in measured
    )
