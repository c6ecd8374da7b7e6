"""Who is in which variant: computed from the user's id and the experiment's salt, kept nowhere, the same everywhere.

    bucket = (fnv(str(fnv(salt + user_id))) mod 10,000) / 10,000        fnv: FNV-1a, 32 bits, over code points

It is the hash that GrowthBook publishes as version 2, so an assignment can be checked by any of its SDKs, and
`queries/experiments/assign.sql` computes it where the users are. It is hashed twice, so buckets of like salts are
independent of each other.

A variant takes the users of one range of buckets. Ranges begin at the sums of the weights before, whatever share of
the traffic takes part, so that nobody changes the variant when the share grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from mgw.core.errors import ExperimentInvalid

if TYPE_CHECKING:
    from collections.abc import Sequence

_OFFSET, _PRIME, _BITS = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_SUM_TOLERANCE = 1e-3


def fnv1a(text: str) -> int:
    """Return the 32-bit FNV-1a hash of the code points of a text (Fowler, Noll & Vo; GrowthBook's variant of it)."""
    value = _OFFSET
    for character in text:
        value = ((value ^ ord(character)) * _PRIME) & _BITS
    return value


def bucket(salt: str, user_id: str) -> float:
    """Return the user's place in an experiment, in [0, 1), in steps of 1/10,000."""
    return fnv1a(str(fnv1a(salt + user_id))) % 10_000 / 10_000


@dataclass(frozen=True, slots=True)
class Range:
    """The buckets from `start` up to, but not with, `end`."""

    start: float
    end: float

    def __contains__(self, place: float) -> bool:
        return self.start <= place < self.end


@dataclass(frozen=True, slots=True)
class Namespace:
    """A part of the users, of which experiments in the same namespace have different ones: they exclude each other.

    Attributes:
        name: of the namespace.
        places: that are this experiment's.
    """

    name: str
    places: Range

    def __contains__(self, user_id: str) -> bool:
        return self.place(user_id) in self.places

    def place(self, user_id: str) -> float:
        """Return the user's place in the namespace, in [0, 1), in steps of 1/1,000 (GrowthBook's version 1)."""
        return fnv1a(f"{user_id}__{self.name}") % 1_000 / 1_000


def variant_ranges(weights: Sequence[float], traffic: float = 1.0) -> tuple[Range, ...]:
    """Return the buckets of each variant.

    Args:
        weights: of the variants; they sum to 1.
        traffic: the share of users who take part, 0 to 1.

    Raises:
        ExperimentInvalid: a weight or the share is out of its range, or the weights do not sum to 1.
    """
    if not weights or any(not 0 <= weight <= 1 for weight in weights):
        raise ExperimentInvalid(f"weights {list(weights)}: each is 0 to 1, and there is at least one")
    if abs(sum(weights) - 1) > _SUM_TOLERANCE:
        raise ExperimentInvalid(f"weights {list(weights)} sum to {sum(weights):g}", hint="they have to sum to 1")
    if not 0 <= traffic <= 1:
        raise ExperimentInvalid(f"traffic {traffic:g}: the share of users who take part is 0 to 1")
    starts = accumulate(weights, initial=0.0)
    return tuple(Range(start, start + traffic * weight) for start, weight in zip(starts, weights, strict=False))


def choose_variant(place: float, ranges: Sequence[Range]) -> int | None:
    """Return which variant has a bucket, from 0 on; None where nobody has."""
    return next((number for number, each in enumerate(ranges) if place in each), None)


@dataclass(frozen=True, slots=True)
class Holdout:
    """Users who are kept out of every experiment that names the same holdout.

    Attributes:
        name: of the holdout.
        share: of all users.
    """

    name: str
    share: float

    def __contains__(self, user_id: str) -> bool:
        return bucket(self.name, user_id) < self.share


def assign(
    salt: str,
    user_id: str,
    ranges: Sequence[Range],
    namespace: Namespace | None = None,
    holdout: Holdout | None = None,
) -> int | None:
    """Return the variant that a user is in, from 0 on; None where the user takes no part.

    Args:
        salt: the experiment's.
        user_id: the caller's id.
        ranges: of the variants.
        namespace: outside of which nobody takes part.
        holdout: inside of which nobody does.
    """
    if (namespace is not None and user_id not in namespace) or (holdout is not None and user_id in holdout):
        return None
    return choose_variant(bucket(salt, user_id), ranges)
