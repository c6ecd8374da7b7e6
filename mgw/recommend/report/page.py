"""An evaluation as one page that needs nothing but itself: the table, the differences, and where the quality is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from mgw.core.page_style import COLOURS, STYLE
from mgw.recommend.report.plot import svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mgw.recommend.evaluate import Estimate, Evaluation
    from mgw.recommend.report.breakdown import Breakdown

_LOWER_IS_BETTER = ("gini@",)


def page(evaluation: Evaluation, breakdowns: Iterable[Breakdown]) -> str:
    """Return the page."""
    colours = {name: place % len(COLOURS) for place, name in enumerate(evaluation.models)}
    figures = {name: found.metrics for name, found in evaluation.models.items()}
    leads = {name: found.differences for name, found in evaluation.models.items() if found.differences}
    left_out = ", ".join(f"{n:,} {why.replace('_', ' ')}" for why, n in evaluation.audience.left_out.items() if n)
    asked = f"{len(evaluation.audience.users):,} users evaluated" + (f"; left out: {left_out}" if left_out else "")
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Evaluation</title>',
        '<meta name="viewport" content="width=device-width"><style>',
        STYLE,
        *(f".m{n} {{ stroke: {c}; fill: {c}; }} polyline.m{n} {{ fill: none; }}" for n, c in enumerate(COLOURS)),
        "</style><h1>Evaluation</h1>",
        f"<p>{escape(evaluation.description)} {escape(asked)}.</p>",
        f"<h2>Means over users</h2>{_table(figures, sign='', mark=True)}",
        f'<p class="note">{escape(_note(evaluation))}</p>',
    ]
    if leads:
        parts.append(f"<h2>Difference to {escape(evaluation.baseline)}, paired by user</h2>")
        parts.append(_table(leads, sign="+", mark=False))
    for breakdown in breakdowns:
        drawn = svg(breakdown, heading(breakdown.metric), colours)
        parts.append(f"<h2>{escape(breakdown.title)}</h2>{_key(breakdown, colours)}{drawn}")
    return "\n".join([*parts, "</html>", ""])


def _note(evaluation: Evaluation) -> str:
    drawn = f"{evaluation.bootstrap_samples:,} resamples, seed {evaluation.seed}"
    return f"± half of the 95 % bootstrap interval over users ({drawn}); bold: the largest, of Gini the smallest."


def heading(metric: str) -> str:
    """Write a metric as people do: `ndcg@10` is NDCG@10, `hit_rate@10` is Hit rate@10."""
    name, _, k = metric.partition("@")
    return f"{name.upper() if name in {'ndcg', 'map', 'mrr'} else name.replace('_', ' ').capitalize()}@{k}"


def _key(breakdown: Breakdown, colours: Mapping[str, int]) -> str:
    spans = (
        f'<span><i style="background:{COLOURS[colours[name]]}"></i>{escape(name)}</span>' for name in breakdown.models
    )
    return f'<p class="key">{"".join(spans)}</p>'


def _table(models: Mapping[str, Mapping[str, Estimate]], *, sign: str, mark: bool) -> str:
    metrics = next(iter(models.values()))
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in models)
    rows = "".join(
        f'<tr><th scope="row">{heading(metric)}</th>{"".join(_cells(metric, models, sign, mark=mark))}</tr>'
        for metric in metrics
    )
    return f'<div class="scroll"><table><tr><th></th>{head}</tr>{rows}</table></div>'


def _cells(metric: str, models: Mapping[str, Mapping[str, Estimate]], sign: str, *, mark: bool) -> Iterator[str]:
    values = [found[metric].value for found in models.values()]
    best = min(values) if metric.startswith(_LOWER_IS_BETTER) else max(values)
    for found in models.values():
        each = found[metric]
        half = "" if each.low is None or each.high is None else f" <small>±{(each.high - each.low) / 2:.4f}</small>"
        css = ' class="best"' if mark and each.value == best else ""
        yield f"<td{css}>{each.value:{sign}.4f}{half}</td>"
