"""What is kept: answers by what was asked for, those that were longest not used going first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from mgw.gateway.cache.freshness import Lifetime
    from mgw.gateway.headers import Headers

Key: TypeAlias = "tuple[str, str]"
"""What is asked for, and by whom: an answer to somebody with a token is kept for them alone."""

_OVERHEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Stored:
    """One answer.

    Attributes:
        status: of it.
        headers: of it, end to end.
        body: whole.
        vary: the headers of the request that it depends on, with what they were.
        lifetime: for how long it is good.
        made_at: seconds since 1970, when it was made, by its age when it came.
    """

    status: int
    headers: Headers
    body: bytes
    vary: tuple[tuple[str, str], ...]
    lifetime: Lifetime
    made_at: float

    @property
    def size_bytes(self) -> int:
        """What it takes."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) + _OVERHEAD_BYTES

    def age_s(self, now: float) -> float:
        """How old it is."""
        return max(now - self.made_at, 0.0)

    def fits(self, request: Headers) -> bool:
        """Say whether it is the answer to a request with these headers."""
        return all(request_value(request, name) == value for name, value in self.vary)


class Store:
    """The answers of a process.

    Args:
        size_bytes: that they may take together.
    """

    def __init__(self, size_bytes: int) -> None:
        self._most = size_bytes
        self._size = 0
        self._kept: OrderedDict[Key, tuple[Stored, ...]] = OrderedDict()

    def get(self, key: Key, request: Headers) -> Stored | None:
        """Return the answer to a request, fresh or not."""
        variants = self._kept.get(key)
        found = next((each for each in variants or () if each.fits(request)), None)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Key, stored: Stored) -> None:
        """Keep an answer, in place of the one to the same request."""
        if stored.size_bytes > self._most:
            return
        others = tuple(each for each in self._kept.get(key, ()) if each.vary != stored.vary)
        self._replace(key, (stored, *others))
        self._kept.move_to_end(key)
        while self._size > self._most:
            self._replace(next(iter(self._kept)), ())

    def forget(self, target: str) -> int:
        """Forget what was kept of a target, for whomever, and return how many answers there were."""
        keys = [key for key in self._kept if key[0] == target]
        count = sum(len(self._kept[key]) for key in keys)
        for key in keys:
            self._replace(key, ())
        return count

    def _replace(self, key: Key, variants: tuple[Stored, ...]) -> None:
        before = self._kept.pop(key, ())
        self._size += sum(each.size_bytes for each in variants) - sum(each.size_bytes for each in before)
        if variants:
            self._kept[key] = variants


def request_value(request: Headers, name: str) -> str:
    """Return what a request says under a name, all of it, for comparing."""
    return ", ".join(" ".join(value.split()) for key, value in request if key == name)
