"""An experiment as it is written down: a YAML file, or the same as JSON in the database.

`Definition` has the keys with what they are for; `check` finds what no type can say.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field

from mgw.core.errors import ExperimentInvalid
from mgw.experiments.assignment import Holdout, Namespace, Range, variant_ranges
from mgw.experiments.conditions import check_condition, names_of
from mgw.experiments.overlay import Overlay

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
OpenShare: TypeAlias = Annotated[float, Meta(gt=0, lt=1)]
Positive: TypeAlias = Annotated[float, Meta(gt=0)]
NonNegative: TypeAlias = Annotated[float, Meta(ge=0)]
UserId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=255)]

VIEWING_EVENTS = ("viewing.titles", "viewing.completion", "viewing.completed", "viewing.dismissed")
"""What is read from the viewing events: titles watched, the sum of how far, those to the end, those turned down."""

ATTRIBUTES = ("user_id", "titles_seen", "device_type", "time_of_day", "mood", "viewing_with")
"""What targeting can ask for in a recommendation."""

_FOREVER_DAYS = 36_500.0


class Variant(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One way to treat users.

    Attributes:
        name: of the variant.
        weight: its share of those who take part; those of all variants sum to 1.
        config: what is laid over the settings for its users.
    """

    name: Name
    weight: Share
    config: Overlay = field(default_factory=Overlay)


class Metric(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is measured, for each user.

    Attributes:
        name: of the metric.
        kind: `binary`, whether there was an event; `count`, how many; `mean`, the sum of their values; `ratio`, that
            sum by the sum of another event's; `quantile`, of the sums over the users.
        event: that is counted, by the metric's name where it is left out. Those of `viewing.` need not be recorded.
        per: the event below the line of a ratio.
        quantile: which one, 0 to 1.
        window_days: for how long after a user's first exposure; none means without end.
        winsorize: sums above this quantile, of the users who have one, are taken as it is, so that a few users do not
            decide.
        direction: which way is better.
        guardrail: whether it is there to do no harm, and not to be won.
        margin: how much worse a guardrail may be, as a share of the control's mean.
        before_days: how long before the exposure the same metric is looked at to narrow the interval (CUPED); none
            means not at all.
    """

    name: Name
    kind: Literal["binary", "count", "mean", "ratio", "quantile"] = "mean"
    event: Name | None = None
    per: Name | None = None
    quantile: OpenShare | None = None
    window_days: Positive | None = None
    winsorize: OpenShare | None = None
    direction: Literal["increase", "decrease"] = "increase"
    guardrail: bool = False
    margin: NonNegative = 0.0
    before_days: Positive | None = None

    @property
    def counted(self) -> str:
        """The event that is counted."""
        return self.event or self.name

    @property
    def window_s(self) -> float:
        """For how long after the first exposure, in seconds."""
        return 86_400 * (self.window_days or _FOREVER_DAYS)


class NamespacePart(
    Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"start": "from", "end": "to"}
):
    """A part of a namespace: experiments with other parts of the same one exclude each other.

    Attributes:
        name: of the namespace.
        start: where the part begins, `from`, 0 to 1.
        end: where it ends, `to`.
    """

    name: Name
    start: Share
    end: Share


class HoldoutPart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Users who are kept out of every experiment that names the same holdout.

    Attributes:
        name: of the holdout.
        share: of all users.
    """

    name: Name
    share: Share


class RampStep(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when on which share of users takes part.

    Attributes:
        after_days: since the experiment was started first.
        traffic: the share.
    """

    after_days: NonNegative
    traffic: Share


class Analysis(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the report is made.

    Attributes:
        method: `sequential` holds at every look; `fixed` at one, when `users` have been exposed; `bayesian` says what
            to believe.
        alpha: the chance of a false finding.
        power: the chance to find `minimum_effect`, for planning.
        minimum_effect: the lift that is worth finding, as a share of the control's mean.
        users: how many users the experiment was planned for, over all variants.
        tuned_for: at how many users of two variants a sequence is narrowest; `users` where it is left out, or 10,000.
        correction: over all metrics but guardrails, and all variants.
        prior_sd: how large lifts usually are, for `bayesian`; none means that nothing was known.
    """

    method: Literal["sequential", "fixed", "bayesian"] = "sequential"
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05
    power: OpenShare = 0.8
    minimum_effect: Positive | None = None
    users: Annotated[int, Meta(ge=2)] | None = None
    tuned_for: Annotated[int, Meta(ge=2)] | None = None
    correction: Literal["holm", "benjamini-hochberg", "none"] = "holm"
    prior_sd: Positive | None = None


class Definition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An experiment.

    Attributes:
        name: of the experiment.
        hypothesis: what is thought to happen, in words.
        variants: the control first.
        metrics: the one that decides first.
        salt: hashed with the user's id; the name where it is left out.
        traffic: the share of users who take part.
        ramp: the share over time, in place of `traffic`.
        namespace: the part of the users that is this experiment's.
        holdout: users who are kept out.
        targeting: a condition on the user and the request.
        forced: users who get a variant whatever else holds, to try it; they are left out of the analysis.
        sticky: whether who was exposed stays in the variant when the weights change.
        exposure_window_hours: one exposure is kept for each user and so many hours.
        interleave: whether one list is drafted from the lists of both variants, for every user.
        pause_on_harm: whether the service pauses it when a guardrail is broken or the shares of users are not as they
            should be.
        analysis: how the report is made.
    """

    name: Name
    variants: Annotated[tuple[Variant, ...], Meta(min_length=2, max_length=20)]
    metrics: Annotated[tuple[Metric, ...], Meta(min_length=1, max_length=50)]
    hypothesis: str = ""
    salt: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    traffic: Share = 1.0
    ramp: tuple[RampStep, ...] = ()
    namespace: NamespacePart | None = None
    holdout: HoldoutPart | None = None
    targeting: dict[str, Any] = field(default_factory=dict)
    forced: dict[UserId, Name] = field(default_factory=dict)
    sticky: bool = True
    exposure_window_hours: Positive = 24.0
    interleave: bool = False
    pause_on_harm: bool = True
    analysis: Analysis = field(default_factory=Analysis)

    @property
    def weights(self) -> list[float]:
        """Of the variants."""
        return [variant.weight for variant in self.variants]

    @property
    def events(self) -> set[str]:
        """What the metrics count."""
        return {metric.counted for metric in self.metrics} | {metric.per for metric in self.metrics if metric.per}

    @property
    def part(self) -> Namespace | None:
        """The part of a namespace that is this experiment's."""
        part = self.namespace
        return None if part is None else Namespace(part.name, Range(part.start, part.end))

    @property
    def held_out(self) -> Holdout | None:
        """The users who are kept out."""
        return None if self.holdout is None else Holdout(self.holdout.name, self.holdout.share)

    def traffic_after(self, seconds: float) -> float:
        """Return the share of users who take part so long after the start."""
        reached = [step.traffic for step in self.ramp if 86_400 * step.after_days <= seconds]
        return reached[-1] if reached else 0.0 if self.ramp else self.traffic

    def position(self, variant: str) -> int | None:
        """Return the place of a variant; None where there is none of this name."""
        return next((place for place, each in enumerate(self.variants) if each.name == variant), None)


def check(definition: Definition) -> None:
    """Find what is wrong with an experiment beyond the types of its keys.

    Raises:
        ExperimentInvalid: it cannot be run, or not be analysed.
    """
    variant_ranges(definition.weights, definition.traffic)
    _require_once("variant", [variant.name for variant in definition.variants])
    _require_once("metric", [metric.name for metric in definition.metrics])
    for metric in definition.metrics:
        _check_metric(metric)
    if definition.metrics[0].guardrail:
        raise ExperimentInvalid(
            f"metrics: {definition.metrics[0].name} is a guardrail", hint="the first metric is the one that decides"
        )
    if definition.namespace is not None and not definition.namespace.start < definition.namespace.end:
        raise ExperimentInvalid("namespace: it ends before it begins")
    _check_ramp(definition.ramp)
    check_condition(definition.targeting)
    for asked in sorted(name.partition(".")[0] for name in names_of(definition.targeting)):
        if asked not in ATTRIBUTES:
            raise ExperimentInvalid(f"targeting.{asked}: nobody knows that", hint=f"one of {', '.join(ATTRIBUTES)}")
    for user_id, name in definition.forced.items():
        if definition.position(name) is None:
            raise ExperimentInvalid(f"forced.{user_id}: there is no variant {name!r}")
    if definition.analysis.method == "fixed" and definition.analysis.users is None:
        raise ExperimentInvalid(
            "analysis.users: a fixed horizon takes the number of users that it is fixed at",
            hint="`mgw experiment plan` finds it",
        )
    if definition.interleave and (len(definition.variants) != 2 or definition.weights[0] != 0.5):
        raise ExperimentInvalid("interleave: takes two variants of weight 0.5 each")


def _check_metric(metric: Metric) -> None:
    where = f"metrics.{metric.name}"
    if (metric.kind == "ratio") != (metric.per is not None):
        raise ExperimentInvalid(f"{where}: `per` is what a ratio takes, and nothing else")
    if (metric.kind == "quantile") != (metric.quantile is not None):
        raise ExperimentInvalid(f"{where}: `quantile` is what a quantile takes, and nothing else")
    if metric.kind in {"binary", "quantile"} and metric.winsorize is not None:
        raise ExperimentInvalid(f"{where}: a metric of kind {metric.kind} is not winsorized")
    if metric.kind in {"ratio", "quantile"} and metric.before_days is not None:
        raise ExperimentInvalid(f"{where}: a {metric.kind} takes nothing from before the exposure")
    for event in (metric.counted, metric.per or ""):
        if event.startswith("viewing.") and event not in VIEWING_EVENTS:
            raise ExperimentInvalid(f"{where}: {event!r} is not read from viewing", hint=f"one of {VIEWING_EVENTS}")
    if metric.margin and not metric.guardrail:
        raise ExperimentInvalid(f"{where}: `margin` is what a guardrail takes")


def _check_ramp(ramp: tuple[RampStep, ...]) -> None:
    for before, after in pairwise(ramp):
        if not (before.after_days < after.after_days and before.traffic <= after.traffic):
            raise ExperimentInvalid(
                "ramp: each step is later than the one before and has at least as many users",
                hint="who was let in would be let out again, and be missed in the analysis",
            )


def _require_once(kind: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ExperimentInvalid(f"there are two {kind}s of the name {name!r}")
