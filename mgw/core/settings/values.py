"""Whether a value fits a key, and how to say what would fit in words that need no knowledge of Python.

msgspec decides; this module adds what it leaves open (numbers that are not finite or do not fit 64 bits, empty text,
control characters) and says `expected a whole number of at least 1, got 'many'`.
"""

from __future__ import annotations

import math
import unicodedata
from pathlib import PurePath
from typing import TYPE_CHECKING

import msgspec
from msgspec.inspect import BoolType, FloatType, IntType, LiteralType, Metadata, NoneType, StrType, Type, UnionType

from mgw.core.settings.redaction import redact_url

if TYPE_CHECKING:
    from mgw.core.settings.keys import Key

_SHOWN_LENGTH = 60
_INT_BITS = 63  # what NumPy, Numba and PostgreSQL's bigint hold, beside the sign


class UnfitError(ValueError):
    """A value does not fit its key; the text says what was expected and, unless it is secret, what was there."""


def checked(key: Key, value: object, *, from_text: bool) -> object:
    """Return `value` as the type of `key`.

    Args:
        key: the setting.
        value: a plain value, as YAML or a flag gives it.
        from_text: whether a text may stand for a number or a boolean, as it must in the environment.

    Raises:
        UnfitError: it is of another type, out of range, or not finite.
    """
    value = str(value) if isinstance(value, PurePath) else value
    if from_text and isinstance(value, str) and not _accepts_text(key.info):
        value = value.strip()
    try:
        result: object = msgspec.convert(value, key.type, strict=not (from_text and isinstance(value, str)))
    except msgspec.ValidationError as error:
        raise UnfitError(f"expected {expected(key.info)}, {_got(key, value)}") from error
    problem = _unusable(result)
    if problem:
        raise UnfitError(f"{problem}; expected {expected(key.info)}")
    return result


def expected(info: Type) -> str:
    """Say what a type takes: `a whole number of at least 1`, `one of auto, time`, `text`."""
    if isinstance(info, Metadata):
        return expected(info.type)
    if isinstance(info, UnionType):
        return " or ".join(expected(one) for one in info.types if not isinstance(one, NoneType))
    if isinstance(info, LiteralType):
        return "one of " + ", ".join(str(value) for value in info.values)
    if isinstance(info, IntType | FloatType):
        return ("a whole number" if isinstance(info, IntType) else "a number") + _range(info)
    if isinstance(info, BoolType):
        return "true or false"
    return "text" if isinstance(info, StrType) else "a list"


def _range(info: IntType | FloatType) -> str:
    low = info.ge if info.gt is None else info.gt
    high = info.le if info.lt is None else info.lt
    if low is not None and high is not None:
        bounds = [bound for bound, excluded in ((low, info.gt), (high, info.lt)) if excluded is not None]
        without = f" ({' and '.join(f'{bound:g}' for bound in bounds)} excluded)" if bounds else ""
        return f" from {low:g} to {high:g}{without}"
    if low is not None:
        return f" of at least {low:g}" if info.gt is None else f" greater than {low:g}"
    if high is not None:
        return f" of at most {high:g}" if info.lt is None else f" less than {high:g}"
    return ""


def _got(key: Key, value: object) -> str:
    if key.secret:
        return "got something else (not shown, it may be secret)"
    if isinstance(value, str):
        shown = redact_url(value) if "://" in value else value
        return "got the text " + repr(shown if len(shown) <= _SHOWN_LENGTH else shown[:_SHOWN_LENGTH] + "…")
    if isinstance(value, list | dict):
        return "got a list" if isinstance(value, list) else "got a section of keys"
    if isinstance(value, int) and value.bit_length() > _INT_BITS:
        return "got a number of more than 64 bits"  # str() itself refuses thousands of digits
    return "got nothing" if value is None else f"got {str(value).lower()}"


def _unusable(value: object) -> str | None:
    """Say why a value of the right type is still of no use; None where it is fine."""
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, int) and value.bit_length() > _INT_BITS:
        return "does not fit into 64 bits"
    if isinstance(value, str) and not value.strip():
        return "is empty; leave the key out for its default"
    if isinstance(value, str) and any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in value):
        # A path with a line feed or half a surrogate cannot be shown, and a NUL ends it for the system.
        return "holds a control character or is not UTF-8"
    return None


def _accepts_text(info: Type) -> bool:
    if isinstance(info, Metadata):
        return _accepts_text(info.type)
    if isinstance(info, UnionType):
        return any(_accepts_text(one) for one in info.types)
    return isinstance(info, StrType)
