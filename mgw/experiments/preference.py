"""Which of two interleaved rankings users prefer, by what they watched of what each of them brought."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.errors import NotEnoughData
from mgw.experiments.interleaving import preference

if TYPE_CHECKING:
    from mgw.experiments.comparison import Method
    from mgw.experiments.measure import Look
    from mgw.experiments.statistics import Interval


@dataclass(frozen=True, slots=True)
class Preference:
    """The mean credit over users, -1 where all prefer the control, 1 where all prefer the other.

    Attributes:
        users: who were shown both.
        with_credit: who watched something of what they were shown.
        interval: of the mean credit; None where there is none, and `problem` says why.
        p_value: of no preference; None for a belief.
        problem: why there is no interval.
    """

    users: int
    with_credit: int
    interval: Interval | None = None
    p_value: float | None = None
    problem: str | None = None


def find_preference(look: Look, method: Method) -> Preference:
    """Ask an interleaved experiment which ranking is preferred."""
    moments, with_credit = look.credits()
    try:
        difference = preference(moments)
    except NotEnoughData as error:
        return Preference(moments.n, with_credit, problem=error.message)
    # What is believed beforehand is of lifts, and says nothing of credits.
    return Preference(moments.n, with_credit, method.interval(difference, math.inf), method.p_value(difference))
