"""`Cache-Control` of requests and answers, read as RFC 9111, section 5.2, has it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Directives: TypeAlias = "Mapping[str, str | None]"

_DIRECTIVE = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?\s*(?:,|$)')
_LONGEST_S = 2_147_483_648


def parse_directives(values: Iterable[str]) -> Directives:
    """Read all `Cache-Control` headers of a message; names are lower, and the first of two alike counts.

    >>> parse_directives(['max-age=60, Private="set-cookie"', "no-store"])
    {'max-age': '60', 'private': 'set-cookie', 'no-store': None}
    """
    return _parsed(tuple(values))


@lru_cache(maxsize=1024)
def _parsed(values: tuple[str, ...]) -> Directives:
    """Read them, once for values that come again and again."""
    found: dict[str, str | None] = {}
    for value in values:
        place = 0
        while place < len(value):
            match = _DIRECTIVE.match(value, place)
            if match is None:  # what cannot be read is skipped up to the next comma
                comma = value.find(",", place)
                place = len(value) if comma < 0 else comma + 1
                continue
            quoted, plain = match[2], match[3]
            found.setdefault(match[1].lower(), quoted if quoted is not None else plain)
            place = max(match.end(), place + 1)
    return found


def seconds_of(directives: Directives, name: str) -> float | None:
    """Return a directive's number of seconds; None where it is not there. What is no number is stale at once."""
    if name not in directives:
        return None
    text = directives[name] or ""
    return min(float(text), _LONGEST_S) if text.isascii() and text.isdecimal() else 0.0
