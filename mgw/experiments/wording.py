"""The method of an experiment in plain words, for those who have to decide by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.experiments.comparison import Method

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.experiments.definition import Definition

_UNIT = (
    "Every figure is over users: each counts once, from the first exposure on; whatever happened before is left out."
)
_INTERLEAVED = (
    "Both rankings are drafted into one list (team draft: Radlinski, Kurup & Joachims 2008), and what a user watches of"
    " it is a point for the ranking that brought it. A user's credit is the points of the one less those of the other,"
    " as a share of all; the mean over users is compared with 0."
)
_CHANCE = (
    "The chance to win is what to believe of this look by itself, with nothing known before unless the definition says"
    " so. Unlike the interval it is not made for looking often: a high one that comes early often goes again."
)
_CORRECTIONS = {
    "holm": (
        "p-values are adjusted over all metrics but the guardrails and over all variants (Holm 1979), so that the"
        " chance of any false finding is at most alpha."
    ),
    "benjamini-hochberg": (
        "p-values are adjusted over all metrics but the guardrails and over all variants (Benjamini & Hochberg 1995),"
        " so that the expected share of false findings is at most alpha."
    ),
    "none": "p-values are not adjusted for how many comparisons there are.",
}


def method_in_words(definition: Definition) -> Iterator[str]:
    """Yield paragraphs."""
    yield _UNIT
    if definition.interleave:
        yield _INTERLEAVED
    yield _intervals(definition)
    if definition.analysis.method != "bayesian":
        yield _CORRECTIONS[definition.analysis.correction]
    if definition.analysis.method == "sequential" and not definition.interleave:
        yield _CHANCE
    before = [metric.name for metric in definition.metrics if metric.before_days]
    if before:
        yield f"What users did before the exposure is taken out of {', '.join(before)} (CUPED)."


def _intervals(definition: Definition) -> str:
    method = Method.of(definition)
    if method.kind == "sequential":
        return (
            f"Intervals are confidence sequences: in {1 - method.alpha:.0%} of experiments the true difference is"
            " inside at every look, however often one looks, so the experiment may be stopped whenever an interval"
            f" leaves out 0. They are narrowest at {method.tuned_for:,} users of two variants, and wider than those of"
            " a single look: that is the price. (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024.)"
        )
    if method.kind == "fixed":
        return (
            f"Intervals are Welch's and hold for one look, at {definition.analysis.users or 0:,} users. Whoever looks"
            " before and stops at a difference finds one in many experiments that have none."
        )
    prior = definition.analysis.prior_sd
    known = "nothing known before" if prior is None else f"lifts of about {prior:.1%} expected before"
    return f"Intervals hold the difference with probability {1 - method.alpha:.0%} after the data, with {known}."
