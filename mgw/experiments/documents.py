"""Experiments and reports as JSON: what the command line prints and the service answers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from mgw.experiments.definition import Definition

if TYPE_CHECKING:
    from mgw.experiments.preference import Preference
    from mgw.experiments.report import MetricReport, Report
    from mgw.experiments.statistics import Interval
    from mgw.experiments.store import Experiment


class ExperimentDocument(Struct, frozen=True, kw_only=True):
    """An experiment, and where it is."""

    name: str
    status: Literal["draft", "running", "paused", "completed", "archived"]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    definition: Definition


class IntervalDocument(Struct, frozen=True):
    """A difference, and where the true one is."""

    estimate: float
    low: float
    high: float


class ComparisonDocument(Struct, frozen=True, kw_only=True):
    """A variant less the control. What could not be computed is null, and `problem` says why.

    `lift` is the difference as a share of the control's mean. `adjusted_p_value` counts how many comparisons there are.
    """

    variant: str
    difference: IntervalDocument | None
    lift: IntervalDocument | None
    p_value: float | None
    adjusted_p_value: float | None
    chance_to_win: float | None
    expected_loss: float | None
    problem: str | None


class MetricDocument(Struct, frozen=True, kw_only=True):
    """A metric: its value for each variant, and each variant beside the control."""

    name: str
    kind: str
    guardrail: bool
    values: dict[str, float | None]
    comparisons: tuple[ComparisonDocument, ...]


class VariantDocument(Struct, frozen=True):
    """How many users are in a variant."""

    name: str
    users: int


class UncountedDocument(Struct, frozen=True):
    """Conversions that no metric counts: of users who were never exposed, and of those who converted before."""

    without_exposure: int
    before_exposure: int


class AdviceDocument(Struct, frozen=True):
    """What follows, for programs and for people, and which variant it is about."""

    verdict: Literal["do-not-trust", "stop", "ship", "keep-control", "wait", "cannot-say"]
    variant: str | None
    sentence: str


class PreferenceDocument(Struct, frozen=True, kw_only=True):
    """Of two interleaved rankings, the mean credit over users: -1 is all for the control, 1 all for the other."""

    users: int
    with_credit: int
    interval: IntervalDocument | None
    p_value: float | None
    problem: str | None


class ReportDocument(Struct, frozen=True, kw_only=True):
    """What is known of an experiment. `shares_p_value` is of that the users were drawn by the weights."""

    experiment: str
    status: str
    until: datetime
    method: str
    alpha: float
    variants: tuple[VariantDocument, ...]
    shares_p_value: float | None
    mixed_users: int
    uncounted_conversions: dict[str, UncountedDocument]
    metrics: tuple[MetricDocument, ...]
    advice: AdviceDocument
    preference: PreferenceDocument | None


def experiment_document(experiment: Experiment) -> ExperimentDocument:
    """Return an experiment."""
    return ExperimentDocument(
        name=experiment.name,
        status=experiment.status,
        created_at=experiment.created_at,
        started_at=experiment.started_at,
        ended_at=experiment.ended_at,
        definition=experiment.definition,
    )


def report_document(made: Report) -> ReportDocument:
    """Return a report."""
    definition = made.experiment.definition
    names = [variant.name for variant in definition.variants]
    return ReportDocument(
        experiment=made.experiment.name,
        status=made.experiment.status,
        until=made.until,
        method=definition.analysis.method,
        alpha=definition.analysis.alpha,
        variants=tuple(map(VariantDocument, names, made.audience.users)),
        shares_p_value=made.shares_p_value,
        mixed_users=made.audience.mixed,
        uncounted_conversions={event: UncountedDocument(*counts) for event, counts in made.audience.uncounted.items()},
        metrics=tuple(_metric(each, names) for each in made.metrics),
        advice=AdviceDocument(made.advice.verdict, made.advice.variant, made.advice.sentence),
        preference=None if made.preference is None else _preference(made.preference),
    )


def _metric(found: MetricReport, names: list[str]) -> MetricDocument:
    return MetricDocument(
        name=found.metric.name,
        kind=found.metric.kind,
        guardrail=found.metric.guardrail,
        values=dict(zip(names, found.values, strict=True)),
        comparisons=tuple(
            ComparisonDocument(
                variant=name,
                difference=_interval(each.difference),
                lift=_interval(each.lift),
                p_value=each.p_value,
                adjusted_p_value=each.adjusted_p_value,
                chance_to_win=each.chance_to_win,
                expected_loss=each.expected_loss,
                problem=each.problem,
            )
            for name, each in zip(names[1:], found.comparisons, strict=True)
        ),
    )


def _preference(found: Preference) -> PreferenceDocument:
    return PreferenceDocument(
        users=found.users,
        with_credit=found.with_credit,
        interval=_interval(found.interval),
        p_value=found.p_value,
        problem=found.problem,
    )


def _interval(interval: Interval | None) -> IntervalDocument | None:
    return None if interval is None else IntervalDocument(interval.estimate, interval.low, interval.high)
