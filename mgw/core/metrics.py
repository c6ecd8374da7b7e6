"""Counters, gauges and histograms: declared once, counted cheaply, and written as Prometheus and OpenMetrics read them.

A family is declared in a registry with its name, what it says and its labels; a child of it, one for each combination
of values, is looked up once and then counted on. How many children a family has is bounded: what comes after is counted
under `other`, so that nobody outside can make them grow. What several processes counted adds up (`merged`), but for
moments, of which there is only the latest.
"""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds for times of answers."""

MOMENT = "_timestamp_seconds"
"""How the name of a gauge ends that says when something was, in seconds since 1970."""

_MOST_CHILDREN = 2_000
_OTHER = "other"
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Exemplar(NamedTuple):
    """One of the values that were counted, with the trace that it was measured in.

    Attributes:
        bucket: of the histogram, from 0.
        trace_id: of W3C Trace Context.
        value: that was observed.
        at: when, in seconds since 1970.
    """

    bucket: int
    trace_id: str
    value: float
    at: float


class _Counted(Protocol):
    @property
    def numbers(self) -> tuple[float, ...]: ...

    @property
    def exemplars(self) -> tuple[Exemplar, ...]: ...


Child = TypeVar("Child", bound=_Counted)
"""A counter, a gauge or a histogram of one combination of labels."""


class Value:
    """A counter or a gauge of one combination of labels.

    Attributes:
        value: what was counted so far, or what it is.
    """

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1.0) -> None:
        """Count."""
        self.value += amount

    @property
    def numbers(self) -> tuple[float, ...]:
        """What it says, as `Sample` has it."""
        return (float(self.value),)

    @property
    def exemplars(self) -> tuple[Exemplar, ...]:
        """None: these are of histograms."""
        return ()


class Distribution:
    """A histogram of one combination of labels.

    Attributes:
        bounds: upper ones, rising.
        counts: of what lies up to each and above the one before, and last of what lies above all.
        total: the sum of everything.
    """

    __slots__ = ("_exemplars", "bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0
        self._exemplars: dict[int, Exemplar] = {}

    def observe(self, value: float, trace_id: str = "") -> None:
        """Count a value.

        Args:
            value: of it.
            trace_id: of the trace that somebody keeps of it; the last one of each bucket is told as its exemplar.
        """
        bucket = bisect_left(self.bounds, value)
        self.counts[bucket] += 1
        self.total += value
        if trace_id:
            self._exemplars[bucket] = Exemplar(bucket, trace_id, value, time.time())

    @property
    def numbers(self) -> tuple[float, ...]:
        """What it says, as `Sample` has it."""
        return (*map(float, self.counts), self.total)

    @property
    def exemplars(self) -> tuple[Exemplar, ...]:
        """One for each bucket that has one."""
        return tuple(self._exemplars.values())


class Sample(Struct, frozen=True):
    """What a child says, as it is sent between processes.

    Attributes:
        labels: their values, in the family's order.
        numbers: the value; of a histogram its counts and then the sum.
        exemplars: of a histogram, at most one for each bucket.
    """

    labels: tuple[str, ...]
    numbers: tuple[float, ...]
    exemplars: tuple[Exemplar, ...] = ()


class FamilySample(Struct, frozen=True):
    """What a family says, as it is sent between processes.

    Attributes:
        name: of it, with its unit; a counter's ends in `_total`.
        help: what it says.
        kind: of its children.
        labels: their names.
        bounds: of a histogram.
        children: of it.
    """

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...]
    bounds: tuple[float, ...]
    children: tuple[Sample, ...]


class Family(Generic[Child]):
    """Children of one name, one for each combination of labels.

    Args:
        name: of it.
        text: what it says.
        kind: of its children.
        labels: their names.
        make: makes a child.
        bounds: of a histogram.
    """

    def __init__(
        self,
        name: str,
        text: str,
        kind: Kind,
        labels: tuple[str, ...],
        *,
        make: Callable[[], Child],
        bounds: tuple[float, ...] = (),
    ) -> None:
        self.name = name
        self._text = text
        self._kind = kind
        self._labels = labels
        self._make = make
        self._bounds = bounds
        self._children: dict[tuple[str, ...], Child] = {}

    def of(self, *values: str) -> Child:
        """Return the child of these values, a new one at first."""
        found = self._children.get(values)
        if found is None:
            key = _bounded(values, self._labels, len(self._children))
            found = self._children.setdefault(key, self._make())
        return found

    def only(self, *values: str) -> Child:
        """Return the child of these values, and forget all others: of what is one thing at a time."""
        found = self.of(*values)
        self._children = {values: found}
        return found

    def sample(self) -> FamilySample:
        """Return what was counted."""
        children = tuple(  # of a list, which is made at once: other threads may count on something new meanwhile
            Sample(values, child.numbers, child.exemplars) for values, child in list(self._children.items())
        )
        return FamilySample(self.name, self._text, self._kind, self._labels, self._bounds, children)


class Registry:
    """What a process counts."""

    def __init__(self) -> None:
        self._families: dict[str, Family[Any]] = {}

    def counter(self, name: str, text: str, *labels: str) -> Family[Value]:
        """Declare a family of counters.

        Args:
            name: ends in `_total`.
            text: what it counts.
            labels: names.
        """
        if not name.endswith("_total"):
            raise ValueError(f"{name}: a counter's name ends in _total")
        return self._declared(Family(name, text, "counter", labels, make=Value))

    def gauge(self, name: str, text: str, *labels: str) -> Family[Value]:
        """Declare a family of gauges."""
        return self._declared(Family(name, text, "gauge", labels, make=Value))

    def histogram(
        self, name: str, text: str, *labels: str, bounds: tuple[float, ...] = SECONDS
    ) -> Family[Distribution]:
        """Declare a family of histograms.

        Args:
            name: ends in its unit.
            text: what it measures.
            labels: names.
            bounds: upper ones, rising.
        """
        make = partial(Distribution, bounds)
        return self._declared(Family(name, text, "histogram", labels, make=make, bounds=bounds))

    def sample(self) -> list[FamilySample]:
        """Return everything that was counted."""
        return [family.sample() for family in self._families.values()]

    def _declared(self, family: Family[Child]) -> Family[Child]:
        if family.name in self._families:
            raise ValueError(f"{family.name} is declared twice")
        self._families[family.name] = family
        return family


def merged(several: Iterable[Iterable[FamilySample]]) -> list[FamilySample]:
    """Add up what several processes counted; families of one name have to be declared alike."""
    families: dict[str, FamilySample] = {}
    sums: dict[str, dict[tuple[str, ...], Sample]] = {}
    for samples in several:
        for family in samples:
            known = families.setdefault(family.name, family)
            if (known.kind, known.labels, known.bounds) != (family.kind, family.labels, family.bounds):
                raise ValueError(f"{family.name} is declared in two ways")
            children = sums.setdefault(family.name, {})
            for child in family.children:
                before = children.get(child.labels)
                add = _latest if family.name.endswith(MOMENT) else _added
                children[child.labels] = child if before is None else add(before, child)
    return [
        FamilySample(
            each.name, each.help, each.kind, each.labels, each.bounds,
            tuple(sums[name].values()),
        )
        for name, each in families.items()
    ]  # fmt: skip


def _added(one: Sample, other: Sample) -> Sample:
    latest = {each.bucket: each for each in sorted([*one.exemplars, *other.exemplars], key=lambda each: each.at)}
    return Sample(one.labels, tuple(map(sum, zip(one.numbers, other.numbers, strict=True))), tuple(latest.values()))


def _latest(one: Sample, other: Sample) -> Sample:
    return max(one, other, key=lambda each: each.numbers)


def render(families: Iterable[FamilySample], *, openmetrics: bool = False) -> str:
    """Write families as text: Prometheus' own format (0.0.4), or OpenMetrics (1.0.0)."""
    lines: list[str] = []
    for family in families:
        base = family.name.removesuffix("_total") if openmetrics and family.kind == "counter" else family.name
        lines += [f"# HELP {base} {_escaped(family.help)}", f"# TYPE {base} {family.kind}"]
        for child in sorted(family.children, key=lambda each: each.labels):
            labels = [f'{name}="{_escaped_value(value)}"' for name, value in zip(family.labels, child.labels)]  # noqa: B905 - what is merged has as many
            lines += _histogram(family, labels, child, openmetrics) if family.kind == "histogram" else [
                f"{family.name}{_braced(labels)} {_number(child.numbers[0])}"
            ]  # fmt: skip
    return "\n".join([*lines, "# EOF"] if openmetrics else lines) + "\n"


def _histogram(family: FamilySample, labels: list[str], child: Sample, openmetrics: bool) -> list[str]:
    lines, count = [], 0.0
    exemplars = {each.bucket: each for each in child.exemplars} if openmetrics else {}
    for bucket, (bound, more) in enumerate(zip((*family.bounds, math.inf), child.numbers[:-1], strict=True)):
        count += more
        at = _braced([*labels, f'le="{_number(bound)}"'])
        lines.append(f"{family.name}_bucket{at} {_number(count)}{_shown(exemplars.get(bucket))}")
    return [
        *lines,
        f"{family.name}_sum{_braced(labels)} {_number(child.numbers[-1])}",
        f"{family.name}_count{_braced(labels)} {_number(count)}",
    ]


def _shown(exemplar: Exemplar | None) -> str:
    """Return an exemplar as OpenMetrics has it (section "Exemplars")."""
    if exemplar is None:
        return ""
    return f' # {{trace_id="{_escaped_value(exemplar.trace_id)}"}} {_number(exemplar.value)} {exemplar.at:.3f}'


def _bounded(values: tuple[str, ...], labels: tuple[str, ...], children: int) -> tuple[str, ...]:
    if len(values) != len(labels):
        raise ValueError(f"labels {labels} have no values {values}")
    return values if children < _MOST_CHILDREN else (_OTHER,) * len(values)


def _braced(labels: Sequence[str]) -> str:
    return f"{{{','.join(labels)}}}" if labels else ""


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _escaped_value(text: str) -> str:
    return _escaped(text).replace('"', r"\"")
