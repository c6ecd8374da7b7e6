"""What is kept: answers by what was asked for, those that were longest not used going first."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mgw.gateway.cache.freshness import Lifetime
    from mgw.gateway.headers import Headers

Key: TypeAlias = "tuple[str, str]"
"""What is asked for, and by whom: an answer to somebody with a token is kept for them alone."""

_OVERHEAD_BYTES = 512


class Request(Protocol):
    """A request, as far as it says which answer is its own."""

    @property
    def key(self) -> Key:
        """Under which its answer is kept."""

    @property
    def headers(self) -> Headers:
        """What is sent upstream."""


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
        tags: that the upstream gave it, for purging.
    """

    status: int
    headers: Headers
    body: bytes
    vary: tuple[tuple[str, str], ...]
    lifetime: Lifetime
    made_at: float
    tags: frozenset[str] = frozenset()

    @property
    def size_bytes(self) -> int:
        """What it takes."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) + _OVERHEAD_BYTES

    def age_s(self, now: float) -> float:
        """How old it is."""
        return max(now - self.made_at, 0.0)

    def fits(self, request: Request) -> bool:
        """Say whether it is the answer to a request with these headers."""
        return not self.vary or all(request_value(request.headers, name) == value for name, value in self.vary)


class Store:
    """The answers of a process.

    Args:
        size_bytes: that they may take together.
    """

    def __init__(self, size_bytes: int) -> None:
        self._most = size_bytes
        self.size_bytes = 0
        self._kept: OrderedDict[Key, tuple[Stored, ...]] = OrderedDict()
        self._of_place: dict[str, set[Key]] = {}

    def __len__(self) -> int:
        """Return how many places for somebody have answers."""
        return len(self._kept)

    def get(self, request: Request) -> Stored | None:
        """Return the answer to a request, fresh or not."""
        for each in self._kept.get(request.key, ()):
            if each.fits(request):
                self._kept.move_to_end(request.key)
                return each
        return None

    def variants(self, key: Key) -> tuple[Stored, ...]:
        """Return all that is kept for somebody of a place."""
        return self._kept.get(key, ())

    def put(self, key: Key, stored: Stored) -> None:
        """Keep an answer, in place of the one to the same request."""
        if stored.size_bytes > self._most:
            return
        others = tuple(each for each in self._kept.get(key, ()) if each.vary != stored.vary)
        self._replace(key, (stored, *others))
        self._kept.move_to_end(key)
        while self.size_bytes > self._most:
            self._replace(next(iter(self._kept)), ())

    def forget(self, place: str) -> int:
        """Forget what was kept of a place, for whomever, and return how many answers there were."""
        return self._forget(list(self._of_place.get(place, ())))

    def forget_prefix(self, prefix: str) -> int:
        """Forget all places that begin so."""
        return self._forget([key for key in self._kept if key[0].startswith(prefix)])

    def forget_tag(self, tag: str) -> int:
        """Forget all answers with a tag, and what else is kept for the same place and user."""
        return self._forget([key for key, kept in self._kept.items() if any(tag in each.tags for each in kept)])

    def _forget(self, keys: Sequence[Key]) -> int:
        count = sum(len(self._kept[key]) for key in keys)
        for key in keys:
            self._replace(key, ())
        return count

    def _replace(self, key: Key, variants: tuple[Stored, ...]) -> None:
        before = self._kept.pop(key, ())
        self.size_bytes += sum(each.size_bytes for each in variants) - sum(each.size_bytes for each in before)
        if variants:
            self._kept[key] = variants
            self._of_place.setdefault(key[0], set()).add(key)
        elif before:
            keys = self._of_place[key[0]]
            keys.discard(key)
            if not keys:
                del self._of_place[key[0]]


def request_value(request: Headers, name: str) -> str:
    """Return what a request says under a name, all of it, for comparing."""
    return ", ".join(" ".join(value.split()) for key, value in request if key == name)
