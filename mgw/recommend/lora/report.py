"""A training of adapters as one HTML page: what they do for everybody's held-out titles."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

from mgw.core.files import write_atomic
from mgw.core.page_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from mgw.recommend.lora.training import Trained

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720, 280, 60, 12, 12, 46
_BINS, _LEAST_REACH = 40, 0.02
_STYLE = "rect.used { fill: #0072b2; } rect.unused { fill: #b9c2cc; } .zero { stroke: var(--soft); }"


def write_report(path: Path, trained: Trained) -> None:
    """Write how much everybody gains.

    Raises:
        DiskFull, ReadOnly: it could not be written.
    """
    write_atomic(path, _page(trained).encode())


def _page(trained: Trained) -> str:
    support = trained.support
    gain, used = support.gain, support.supported
    skipped = "".join(f"<br>{count:,} users have none: {escape(why)}." for why, count in trained.skipped.items())
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{found['users']:,}</td><td>{found['gain']:+.4f}</td>"
        f"<td>{found['adapters']:,}</td></tr>"
        for name, found in trained.groups.items()
    )
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Adapters</title>',
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}{_STYLE}</style>',
            f"<h1>Adapters of {escape(trained.base)}</h1>",
            f"<p>{trained.stored:,} adapters, shared tier {escape(trained.shared)}.{skipped}</p>",
            "<h2>Gain of each user</h2>",
            (
                '<p class="key"><span><i style="background:#0072b2"></i>adapter used</span>'
                '<span><i style="background:#b9c2cc"></i>not used</span></p>'
            ),
            _histogram(gain, used),
            (
                '<p class="note">Of each user the latest titles were held out; the gain is the share of titles that'
                " rank below them, with the adapter less without.</p>"
            ),
            "<h2>By how many titles users like</h2><div class='scroll'><table>",
            f"<tr><th>liked titles</th><th>users</th><th>mean gain</th><th>adapters</th></tr>{rows}</table></div>",
            "</html>",
            "",
        ]
    )


def _histogram(gain: NDArray[np.float64], used: NDArray[np.bool_]) -> str:
    """Draw how many users gain how much; the few at both ends are counted at the edge."""
    reach = max(float(np.percentile(np.abs(gain), 98)), _LEAST_REACH)
    edges = np.linspace(-reach, reach, _BINS + 1)
    within = np.clip(gain, -reach, reach)
    counts = [np.histogram(within[chosen], edges)[0] for chosen in (used, ~used)]
    top = max(int(np.max(counts[0] + counts[1])), 1)
    described = f"Gains of {len(gain):,} users"
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{described}">', *_axes(reach, top)]
    parts += _bars(counts[0], np.zeros_like(counts[0]), top, "used")
    parts += _bars(counts[1], counts[0], top, "unused")
    return "".join([*parts, "</svg>"])


def _axes(reach: float, top: int) -> Iterator[str]:
    for share in (0, top // 2, top) if top > 1 else (0, top):
        y = _y(share, top)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:,}</text>'
    for value in (-reach, -reach / 2, 0.0, reach / 2, reach):
        x = _x((value + reach) / (2 * reach) * _BINS)
        anchor = "end" if value == reach else "middle"
        yield f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="{anchor}">{value:+.3f}</text>'
    middle = _x(_BINS / 2)
    yield f'<line class="zero" x1="{middle}" x2="{middle}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
    yield f'<text class="axis" x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">gain</text>'
    turned = f"translate(12 {_HEIGHT / 2 - 10}) rotate(-90)"
    yield f'<text class="axis" transform="{turned}" text-anchor="middle">users</text>'


def _bars(counts: NDArray[np.int64], below: NDArray[np.int64], top: int, css: str) -> Iterator[str]:
    for place, (count, under) in enumerate(zip(counts.tolist(), below.tolist(), strict=True)):
        if count:
            x, y = _x(place), _y(count + under, top)
            width, height = _x(place + 1) - x - 1, _y(under, top) - y
            yield f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def _x(place: float) -> float:
    return _LEFT + place * (_WIDTH - _LEFT - _RIGHT) / _BINS


def _y(count: int, top: int) -> float:
    return _HEIGHT - _BOTTOM - count / top * (_HEIGHT - _TOP - _BOTTOM)
