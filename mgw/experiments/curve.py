"""Lifts over time as a picture: a line for each variant, its interval as a band, and zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.page_style import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from mgw.experiments.statistics import Interval

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 760, 300, 64, 16, 12, 34
_FIRST_COLOUR = 4


@dataclass(frozen=True, slots=True)
class Curve:
    """One variant.

    Attributes:
        name: of it.
        points: the lift at moments, in order.
    """

    name: str
    points: tuple[tuple[datetime, Interval | None], ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        return _LEFT + (at - self.start) / (self.end - self.start) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def colour_of(number: int) -> int:
    """Return the place in `COLOURS` of the curve of this number."""
    return (number + _FIRST_COLOUR) % len(COLOURS)


def curve_svg(curves: Sequence[Curve]) -> str:
    """Draw curves, of which one has two points at least."""
    scale = _scale(curves)
    names = ", ".join(curve.name for curve in curves)
    parts = [f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Lift over time of {names}">']
    parts += _axes(scale)
    for number, curve in enumerate(curves):
        parts += _drawn(curve, scale, colour_of(number))
    return "".join([*parts, "</svg>"])


def _scale(curves: Sequence[Curve]) -> _Scale:
    """Fit everything but the widest beginnings: the first intervals are as wide as all others together."""
    at = [moment for curve in curves for moment, _ in curve.points]
    found = [interval for curve in curves for _, interval in curve.points if interval is not None]
    lows, highs = sorted(each.low for each in found), sorted(each.high for each in found)
    cut = len(found) // 6
    low, high = min(lows[cut], 0.0), max(highs[-1 - cut], 0.0)
    room = (high - low) * 0.08 or 0.01
    return _Scale(min(at), max(at), low - room, high + room)


def _axes(scale: _Scale) -> Iterator[str]:
    for place in range(5):
        value = scale.low + (scale.high - scale.low) * place / 4
        y = scale.y(value)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:+.1%}</text>'
    zero = scale.y(0.0)
    yield f'<line class="zero" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{zero:.1f}" y2="{zero:.1f}"/>'
    for place, anchor in ((0, "start"), (1, "middle"), (2, "end")):
        at = scale.start + (scale.end - scale.start) * place / 2
        yield f'<text class="axis" x="{scale.x(at):.1f}" y="{_HEIGHT - 10}" text-anchor="{anchor}">{at:%Y-%m-%d}</text>'


def _drawn(curve: Curve, scale: _Scale, colour: int) -> Iterator[str]:
    points = [(scale.x(at), each) for at, each in curve.points if each is not None]
    if len(points) < 2:
        return
    up = " ".join(f"{x:.1f},{scale.y(each.high):.1f}" for x, each in points)
    down = " ".join(f"{x:.1f},{scale.y(each.low):.1f}" for x, each in reversed(points))
    line = " ".join(f"{x:.1f},{scale.y(each.estimate):.1f}" for x, each in points)
    yield f'<polygon class="m{colour}" style="opacity:.16;stroke:none" points="{up} {down}"/>'
    yield f'<polyline class="m{colour}" points="{line}"/>'
