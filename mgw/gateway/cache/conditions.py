"""Conditional and range requests, answered from what is stored (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mgw.gateway.cache.freshness import date_of
from mgw.gateway.headers import header

if TYPE_CHECKING:
    from mgw.gateway.headers import Headers

_TAG = re.compile(r'(?:W/)?"[^"]*"')
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def is_not_modified(request: Headers, stored: Headers) -> bool:
    """Say whether the client has what is stored already."""
    asked = header(request, "if-none-match")
    if asked is not None:
        own = header(stored, "etag")
        if asked.strip() == "*":
            return True
        return own is not None and _weak(own) in {_weak(tag) for tag in _TAG.findall(asked)}
    since = date_of(header(request, "if-modified-since"))
    changed = date_of(header(stored, "last-modified"))
    return since is not None and changed is not None and changed <= since


def range_of(request: Headers, stored: Headers, length: int) -> tuple[int, int] | None:
    """Return which part is asked for, first and last byte; None is the whole.

    Several ranges, ones that cannot be read, and ones that are for another version (`If-Range`) get the whole.

    Raises:
        ValueError: the part is not there.
    """
    asked = _RANGE.fullmatch((header(request, "range") or "").strip())
    if asked is None or not (asked[1] or asked[2]) or not _is_for(header(request, "if-range"), stored):
        return None
    if not asked[1]:
        count = int(asked[2])
        if count == 0 or length == 0:
            raise ValueError("no last bytes")
        return max(length - count, 0), length - 1
    first = int(asked[1])
    last = min(int(asked[2]), length - 1) if asked[2] else length - 1
    if asked[2] and int(asked[2]) < first:
        return None
    if first >= length:
        raise ValueError("behind the end")
    return first, last


def _is_for(if_range: str | None, stored: Headers) -> bool:
    if if_range is None:
        return True
    if if_range.startswith('"'):
        return if_range == header(stored, "etag")
    if if_range.startswith("W/"):
        return False
    return date_of(if_range) is not None and if_range == header(stored, "last-modified")


def _weak(tag: str) -> str:
    return tag.removeprefix("W/")
