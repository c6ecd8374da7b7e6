"""A report as one page: what follows, the metrics, the lift over time, who is in it, and the method in plain words."""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING

from mgw.core.files import write_atomic
from mgw.core.page_style import COLOURS, STYLE
from mgw.experiments.advice import harm_of
from mgw.experiments.curve import Curve, colour_of, curve_svg
from mgw.experiments.report import SHARES_ALPHA, lift_over_time
from mgw.experiments.wording import method_in_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from mgw.experiments.comparison import Comparison
    from mgw.experiments.definition import Metric
    from mgw.experiments.measure import Look
    from mgw.experiments.report import MetricReport, Report

_VERDICTS = {
    "ship": "good", "stop": "bad", "do-not-trust": "bad", "keep-control": "calm", "wait": "calm", "cannot-say": "calm",
}  # fmt: skip
_STYLE = """
.advice { border-left: 4px solid var(--line); padding: .6rem 1rem; margin: 1rem 0; font-size: 1.05rem; }
.advice.good { border-color: #009e73; } .advice.bad { border-color: #d55e00; }
.plot rect.span { opacity: .3; } .plot .zero { stroke: var(--soft); stroke-dasharray: 3 3; }
td.left { text-align: left; }
td svg { width: 220px; height: 18px; vertical-align: middle; } .share { background: #0072b2; height: .7em; }
.tree { list-style: none; padding-left: 1rem; border-left: 1px solid var(--line); } .tree b { font-weight: 600; }
"""
_FOREST_WIDTH, _FOREST_HEIGHT = 220, 18


def write_page(path: Path, look: Look, made: Report, *, looks: int) -> None:
    """Write a report as a page.

    Args:
        path: of the file.
        look: at the experiment, for the lift at earlier moments.
        made: the report.
        looks: at how many moments the lift is drawn, at most one a day.

    Raises:
        DiskFull, ReadOnly: it could not be written.
    """
    write_atomic(path, "\n".join(_parts(look, made, looks)).encode())


def moments_between(start: datetime, end: datetime, most: int) -> list[datetime]:
    """Return the moments to look at: evenly over the time, at most one a day, the end the last."""
    count = max(min((end - start) // timedelta(days=1), most), 1)
    return [start + (end - start) * place / count for place in range(1, count + 1)]


def _parts(look: Look, made: Report, looks: int) -> Iterator[str]:
    definition = made.experiment.definition
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(definition.name)}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}{_STYLE}'
    yield "".join(f".m{n} {{ stroke: {c}; fill: {c}; }}" for n, c in enumerate(COLOURS))
    yield f"polyline {{ fill: none !important; }}</style><h1>{escape(definition.name)}</h1>"
    if definition.hypothesis:
        yield f"<p>{escape(definition.hypothesis)}</p>"
    yield f'<p class="note">{escape(made.experiment.status)}, as of {made.until:%Y-%m-%d %H:%M} UTC</p>'
    yield f'<p class="advice {_VERDICTS[made.advice.verdict]}">{escape(made.advice.sentence)}</p>'
    if made.metrics:
        yield "<h2>Metrics</h2>" + _tree(made)
        yield from _over_time(look, made, looks)
        yield "<h2>Users</h2>" + _balance(made)
    elif made.preference is not None:
        yield f"<p>{made.preference.users:,} users were shown both rankings in one list; "
        yield f"{made.preference.with_credit:,} watched something of it.</p>"
    yield "<h2>Method</h2>" + _method(made)
    yield "</html>\n"


def _tree(made: Report) -> str:
    """Show what decides, what else may win, and what must not be harmed, each with its intervals."""
    names = [variant.name for variant in made.experiment.definition.variants]
    first, *others = made.metrics
    groups = [
        ("Decides", [first]),
        ("Besides", [each for each in others if not each.metric.guardrail]),
        ("Guardrails", [each for each in others if each.metric.guardrail]),
    ]
    reach = max((_reach(each) for found in made.metrics for each in found.comparisons), default=0.0) or 1.0
    return "".join(
        f'<h3>{title}</h3><ul class="tree">{"".join(_metric(each, names, reach) for each in found)}</ul>'
        for title, found in groups
        if found
    )


def _metric(found: MetricReport, names: list[str], reach: float) -> str:
    metric = found.metric
    head = (
        "<tr><th>variant</th><td>value</td><td>lift</td><td>interval</td><td></td><td>p</td><td>chance to win</td></tr>"
    )
    rows = f"<tr><th>{escape(names[0])}</th><td>{_number(found.values[0])}</td><td colspan=5></td></tr>"
    for name, value, each in zip(names[1:], found.values[1:], found.comparisons, strict=True):
        rows += f"<tr><th>{escape(name)}</th><td>{_number(value)}</td>{_cells(metric, each, reach)}</tr>"
    title = f"<b>{escape(metric.name)}</b> <span class=axis>{escape(_described(metric))}</span>"
    return f"<li>{title}<div class=scroll><table>{head}{rows}</table></div></li>"


def _cells(metric: Metric, each: Comparison, reach: float) -> str:
    if each.difference is None:
        return f'<td class="left" colspan=5>{escape(each.problem or "")}</td>'
    found = each.lift or each.difference
    form = "{:+.2%}" if each.lift else "{:+.4g}"
    low, estimate, high = (form.format(value) for value in (found.low, found.estimate, found.high))
    p = each.p_value if metric.guardrail or each.adjusted_p_value is None else each.adjusted_p_value
    harm = f" {harm_of(metric, each)}" if metric.guardrail else ""
    chance = "" if each.chance_to_win is None else f"{each.chance_to_win:.1%}"
    bar = _forest(each, reach) if each.lift else ""
    return (
        f"<td>{estimate}</td><td>{low} to {high}{harm}</td><td>{bar}</td>"
        f"<td>{'' if p is None else f'{p:.3g}'}</td><td>{chance}</td>"
    )


def _forest(each: Comparison, reach: float) -> str:
    """Draw an interval beside the others of the report, zero in the middle."""
    assert each.lift is not None
    middle = _FOREST_WIDTH / 2

    def x(value: float) -> float:
        return middle + max(min(value / reach, 1.0), -1.0) * (middle - 4)

    return (
        f'<svg class="plot" viewBox="0 0 {_FOREST_WIDTH} {_FOREST_HEIGHT}" role="img" aria-label="interval">'
        f'<line class="zero" x1="{middle}" x2="{middle}" y1="0" y2="{_FOREST_HEIGHT}"/>'
        f'<rect class="span m4" x="{x(each.lift.low):.1f}" y="6" height="6"'
        f' width="{max(x(each.lift.high) - x(each.lift.low), 1):.1f}"/>'
        f'<circle class="m4" cx="{x(each.lift.estimate):.1f}" cy="9" r="3.5"/></svg>'
    )


def _over_time(look: Look, made: Report, looks: int) -> Iterator[str]:
    metric = made.metrics[0].metric
    began = made.experiment.started_at
    if began is None or metric.quantile is not None or not sum(made.audience.users) or began >= made.until:
        return
    found = lift_over_time(look, metric, moments_between(began, made.until, looks))
    names = [variant.name for variant in made.experiment.definition.variants[1:]]
    curves = [
        Curve(name, tuple((at, each[place].lift) for at, each in found if each[place].lift is not None))
        for place, name in enumerate(names)
    ]
    if any(len(curve.points) > 1 for curve in curves):
        yield f"<h2>Lift of {escape(metric.name)} over time</h2>"
        yield f'<p class="key">{"".join(_key(number, curve.name) for number, curve in enumerate(curves))}</p>'
        yield curve_svg(curves)
        yield '<p class="note">Each point counts all users and events up to then; the band is its interval.</p>'


def _key(number: int, name: str) -> str:
    return f'<span><i style="background:{COLOURS[colour_of(number)]}"></i>{escape(name)}</span>'


def _balance(made: Report) -> str:
    definition = made.experiment.definition
    total = sum(made.audience.users)
    weights = made.experiment.phases[-1].weights if made.experiment.phases else tuple(definition.weights)
    rows = "".join(
        _share(variant.name, users, users / total if total else 0.0, weight)
        for variant, users, weight in zip(definition.variants, made.audience.users, weights, strict=True)
    )
    said = "There are no users yet."
    if made.shares_p_value is not None:
        off = made.shares_p_value < SHARES_ALPHA
        said = f"Whether the users were drawn by the weights: p = {made.shares_p_value:.3g}, " + (
            "which is not so." if off else "nothing speaks against it."
        )
    left_out = (
        [f"{made.audience.mixed:,} users were met in two variants and are left out."] if made.audience.mixed else []
    )
    left_out += [
        f"{event}: not counted are {without:,} conversions without exposure and {before:,} before it."
        for event, (without, before) in made.audience.uncounted.items()
    ]
    head = "<tr><th>variant</th><td>users</td><td>share</td><td>weight</td><td></td></tr>"
    notes = "".join(f"<p class=note>{escape(text)}</p>" for text in [said, *left_out])
    return f'<div class="scroll"><table>{head}{rows}</table></div>{notes}'


def _share(name: str, users: int, share: float, weight: float) -> str:
    bar = f'<div class="share" style="width:{180 * share:.0f}px"></div>'
    return f"<tr><th>{escape(name)}</th><td>{users:,}</td><td>{share:.2%}</td><td>{weight:.2%}</td><td>{bar}</td></tr>"


def _method(made: Report) -> str:
    return "".join(f"<p>{escape(text)}</p>" for text in method_in_words(made.experiment.definition))


def _described(metric: Metric) -> str:
    window = f", {metric.window_days:g} days from the exposure on" if metric.window_days else ""
    per = f" per {metric.per}" if metric.per else ""
    which = f" {metric.quantile:g}" if metric.quantile else ""
    better = "more is better" if metric.direction == "increase" else "less is better"
    return f"{metric.kind}{which} of {metric.counted}{per}{window}; {better}"


def _reach(each: Comparison) -> float:
    return 0.0 if each.lift is None else max(abs(each.lift.low), abs(each.lift.high))


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
