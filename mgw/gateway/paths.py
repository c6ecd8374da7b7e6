"""Paths: understood once, in one way, or refused.

The server in front has decoded the path by the time it is here. What is routed is sent upstream, encoded anew from what
was understood: nobody behind the gateway can read it in another way. Refused is what somebody could read otherwise all
the same: dot segments, empty segments, backslashes, control characters, and bytes that are not UTF-8.
"""

from __future__ import annotations

import re
from urllib.parse import quote

OWN_PATHS = frozenset({"/health", "/health/live", "/health/ready", "/health/aggregate", "/metrics"})
"""Of the gateway itself, below its prefix and without it."""

_AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\�]|//|(?:^|/)\.{1,2}(?:/|$)")
_KEPT = "/-._~!$&'()*+,;=:@"
"""What may stand in a path as it is (RFC 3986, section 3.3)."""

_AS_IT_IS = re.compile(r"(?:/[A-Za-z0-9_~$-][A-Za-z0-9._~!$&'()*+,;=:@-]*)+", re.ASCII)
"""Most paths: plain, and sent as they are."""

_QUERY = re.compile(r'[!"$-~]*', re.ASCII)


def is_plain(path: str) -> bool:
    """Say whether a decoded path can be read in one way only.

    >>> is_plain("/content/tt 42"), is_plain("/api/../admin"), is_plain("/a//b"), is_plain("content")
    (True, False, False, False)
    """
    if _AS_IT_IS.fullmatch(path) is not None:
        return True
    return path.startswith("/") and _AMBIGUOUS.search(path) is None


def encoded(path: str) -> str:
    """Write a decoded path as it is sent; what decodes to it again.

    >>> encoded("/content/tt 42%/é")
    '/content/tt%2042%25/%C3%A9'
    """
    return path if _AS_IT_IS.fullmatch(path) is not None else quote(path, safe=_KEPT)


def is_query(query: str) -> bool:
    """Say whether a query string can be sent as it is, byte for byte."""
    return not query or _QUERY.fullmatch(query) is not None
