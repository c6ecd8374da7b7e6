"""A breakdown as a picture: for each group and model a dot with its interval, joined by lines. SVG, without scripts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mgw.recommend.evaluate import Estimate
    from mgw.recommend.report.breakdown import Breakdown

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 300, 52, 12, 12, 46
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_MOST_TICKS = 6


def svg(breakdown: Breakdown, metric: str, colours: Mapping[str, int]) -> str:
    """Return the picture.

    Args:
        breakdown: what to show.
        metric: what the vertical axis is called.
        colours: for each model the number of its CSS class.
    """
    top = _top(breakdown)
    models = list(breakdown.models)
    description = f"{breakdown.title}: {metric} of {', '.join(models)} by {breakdown.axis}"
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(description)}">']
    parts += _axes(breakdown, metric, top)
    for place, model in enumerate(models):
        shift = 9 * (place - (len(models) - 1) / 2)  # beside those of the others
        parts += _series(breakdown.models[model], f"m{colours[model]}", shift, top)
    return "".join([*parts, "</svg>"])


def _top(breakdown: Breakdown) -> float:
    highest = [each.high or each.value for found in breakdown.models.values() for each in found if each is not None]
    return max([*highest, 0.01]) * 1.05


def _axes(breakdown: Breakdown, metric: str, top: float) -> Iterator[str]:
    step = next((tick for tick in _TICKS if top / tick <= _MOST_TICKS), 1.0)
    for number in range(int(top / step) + 1):
        y = _y(number * step, top)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number * step:.2f}</text>'
    for place, label in enumerate(breakdown.groups):
        x = _x(place, len(breakdown.groups))
        yield f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{escape(label)}</text>'
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    yield f'<text class="axis" x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(breakdown.axis)}</text>'
    turned = f"translate(12 {_HEIGHT / 2 - 10}) rotate(-90)"
    yield f'<text class="axis" transform="{turned}" text-anchor="middle">{escape(metric)}</text>'


def _series(found: tuple[Estimate | None, ...], css: str, shift: float, top: float) -> Iterator[str]:
    """Yield the dots and the line of one model."""
    points = []
    for at, estimate in enumerate(found):
        if estimate is None:
            continue
        x, y = _x(at, len(found)) + shift, _y(estimate.value, top)
        points.append(f"{x:.1f},{y:.1f}")
        if estimate.low is not None and estimate.high is not None:
            low, high = _y(estimate.low, top), _y(estimate.high, top)
            yield f'<line class="{css} bar" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
        yield f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    yield f'<polyline class="{css}" points="{" ".join(points)}"/>'


def _x(place: int, groups: int) -> float:
    return _LEFT + (place + 0.5) * (_WIDTH - _LEFT - _RIGHT) / groups


def _y(value: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)
