"""What to do, in one sentence that is never stronger than the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgw.experiments.comparison import Comparison, Method
    from mgw.experiments.definition import Definition, Metric
    from mgw.experiments.preference import Preference
    from mgw.experiments.report import MetricReport
    from mgw.experiments.statistics import Interval

Verdict: TypeAlias = Literal["do-not-trust", "stop", "ship", "keep-control", "wait", "cannot-say"]
Harm: TypeAlias = Literal["harmed", "safe", "unclear"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What follows from a report.

    Attributes:
        verdict: for programs.
        sentence: for people.
        variant: which one it is about; None where it is about all.
    """

    verdict: Verdict
    sentence: str
    variant: str | None = None


def advise(
    definition: Definition,
    users: Sequence[int],
    metrics: Sequence[MetricReport],
    method: Method,
    *,
    shares_off: bool,
) -> Advice:
    """Say what follows.

    Args:
        definition: of the experiment.
        users: of each variant.
        metrics: what is known of each, the one that decides first.
        method: of the intervals.
        shares_off: whether the shares of users are not as they should be.
    """
    if shares_off:
        return Advice(
            "do-not-trust",
            "Do not decide by this: the variants do not have the shares of users that they should have, so some users"
            " are lost on one side, and every difference may come from that. Find out where they are lost.",
        )
    names = [variant.name for variant in definition.variants]
    for report in metrics:
        if report.metric.guardrail:
            for name, each in zip(names[1:], report.comparisons, strict=True):
                if harm_of(report.metric, each) == "harmed":
                    return Advice("stop", _harm_sentence(name, report.metric, each), name)
    planned = definition.analysis.users
    if method.kind == "fixed" and planned is not None and sum(users) < planned:
        return Advice(
            "wait",
            f"Wait: the horizon is fixed at {planned:,} users, and there are {sum(users):,}. What is shown before that"
            " is no ground to decide.",
        )
    return _decide(definition, metrics, method, names)


def advise_on_preference(definition: Definition, found: Preference, alpha: float) -> Advice:
    """Say what follows from an interleaved experiment."""
    control, other = (variant.name for variant in definition.variants)
    if found.interval is None:
        return Advice("cannot-say", f"Nothing can be said of a preference yet: {found.problem}.")
    said = f"{found.interval.estimate:+.3f} ({found.interval.low:+.3f} to {found.interval.high:+.3f})"
    if not found.interval.excludes_zero:
        return Advice("wait", f"No preference between {control} and {other} has been found: {said}.")
    better = other if found.interval.estimate > 0 else control
    sentence = (
        f"Users prefer what {better} ranks, by {said} in {1 - alpha:.0%} intervals. How much more they would watch"
        " with it alone takes an experiment with two groups."
    )
    return Advice("ship" if better == other else "keep-control", sentence, better)


def harm_of(metric: Metric, comparison: Comparison) -> Harm:
    """Say whether a guardrail is worse by more than its margin, is not, or may be."""
    found = comparison.lift if comparison.lift is not None else comparison.difference
    if found is None or (comparison.lift is None and metric.margin):
        return "unclear"
    low, high = (found.low, found.high) if metric.direction == "increase" else (-found.high, -found.low)
    if high < -metric.margin:
        return "harmed"
    return "safe" if low > -metric.margin else "unclear"


def _decide(definition: Definition, metrics: Sequence[MetricReport], method: Method, names: Sequence[str]) -> Advice:
    first = metrics[0]
    better: list[tuple[float, str, Comparison]] = []
    worse: list[tuple[str, Comparison]] = []
    for name, each in zip(names[1:], first.comparisons, strict=True):
        if each.difference is None or not each.is_found(method.alpha):
            continue
        gain = each.difference.estimate if first.metric.direction == "increase" else -each.difference.estimate
        if gain > 0:
            better.append((gain, name, each))
        else:
            worse.append((name, each))
    if better:
        _, name, each = max(better, key=lambda found: found[0])
        return _win(definition, metrics, name, each, rivals=len(better) - 1)
    if worse and len(worse) == len(names) - 1:
        name, each = worse[0]
        others = "no variant is better" if len(worse) > 1 else f"{name} is worse"
        return Advice(
            "keep-control",
            f"Keep {names[0]}: {others} in {first.metric.name}, {name} by {_said(each)}.",
            names[0],
        )
    if worse:
        said = " and ".join(f"{name} is worse in {first.metric.name}, by {_said(each)}" for name, each in worse)
        return Advice("wait", f"{said}. Of the other variants no difference to {names[0]} has been found yet.")
    return _nothing_found(definition, first)


def _win(
    definition: Definition, metrics: Sequence[MetricReport], name: str, each: Comparison, *, rivals: int
) -> Advice:
    place = definition.position(name) or 0
    unclear = [
        report.metric.name
        for report in metrics
        if report.metric.guardrail and harm_of(report.metric, report.comparisons[place - 1]) == "unclear"
    ]
    sentence = f"{name} is better than {definition.variants[0].name} in {metrics[0].metric.name}, by {_said(each)}."
    if rivals:
        sentence += (
            f" {rivals} other{' is' if rivals == 1 else 's are'} better too; which of them is best was not asked."
        )
    if unclear:
        return Advice(
            "wait", f"{sentence} Whether it harms {' and '.join(unclear)} is not clear yet: wait for that.", name
        )
    guarded = any(report.metric.guardrail for report in metrics)
    return Advice("ship", sentence + (" No guardrail is harmed by more than its margin." if guarded else ""), name)


def _nothing_found(definition: Definition, first: MetricReport) -> Advice:
    known = [each for each in first.comparisons if each.difference is not None]
    if not known:
        why = next((each.problem for each in first.comparisons if each.problem), "there are no users")
        return Advice("cannot-say", f"Nothing can be said of {first.metric.name} yet: {why}.")
    lifts = [each.lift for each in known if each.lift is not None]
    if not lifts:
        return Advice("wait", f"No difference in {first.metric.name} has been found.")
    reach = max(max(abs(lift.low), abs(lift.high)) for lift in lifts)
    sentence = f"No difference in {first.metric.name} has been found; lifts beyond ±{reach:.1%} are ruled out"
    least = definition.analysis.minimum_effect
    if least is not None and reach < least:
        return Advice(
            "keep-control",
            f"{sentence}, and {least:.1%} is what was worth finding: keep {definition.variants[0].name}.",
            definition.variants[0].name,
        )
    return Advice("wait", f"{sentence}. That is not the same as no difference: more users narrow it.")


def _harm_sentence(name: str, metric: Metric, each: Comparison) -> str:
    allowed = f", more than the {metric.margin:.1%} that it may be" if metric.margin else ""
    return f"Stop {name}: it is worse in the guardrail {metric.name}, by {_said(each)}{allowed}."


def _said(each: Comparison) -> str:
    found: Interval | None = each.lift
    if found is not None:
        return f"{found.estimate:+.1%} ({found.low:+.1%} to {found.high:+.1%})"
    assert each.difference is not None
    return f"{each.difference.estimate:+.4g} ({each.difference.low:+.4g} to {each.difference.high:+.4g})"
