"""Single values of a row: what PostgreSQL can store, numbers, and how a value is shown in a message."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

LONGEST_NAME = 255
"""Of ids, genres, themes and people, in characters: they are indexed, and an index entry has less than 2.7 kB."""

_SHOWN_CHARACTERS = 60


class Unusable(ValueError):
    """A value cannot be used; caught where the column that it stands in is known.

    Attributes:
        kind: what sort of fault, for counting.
        reason: the sentence, with the value.
    """

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


def shown(text: str) -> str:
    r"""Quote a text for a message: control characters escaped, and not longer than a line.

    >>> shown("Alien"), shown("a" * 100)[-4:], shown("\x1b[2J")
    ("'Alien'", "aa'…", "'\\x1b[2J'")
    """
    return repr(text) if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]!r}…"


def listed(names: tuple[str, ...], most: int = 20) -> str:
    """List the columns of a table for a message, the first few of many, as they are where they are plain.

    >>> listed(("user", "content"))
    'user, content'
    """
    plain = [name if name.isprintable() and len(name) <= _SHOWN_CHARACTERS else shown(name) for name in names[:most]]
    return ", ".join(plain) + (f", … ({len(names)} in all)" if len(names) > most else "")


def is_text(text: str) -> bool:
    """Tell whether a text is nothing but characters, without a stand-in for a byte that could not be decoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_text(text: str, what: str) -> None:
    """Make sure that PostgreSQL can store a text.

    Raises:
        Unusable: it holds a NUL character, or bytes that were not of the file's encoding.
    """
    if "\0" in text:
        raise Unusable(f"bad {what}", "the text holds a NUL character")
    if not text.isascii() and not is_text(text):
        code = next(ord(character) for character in text if "\ud800" <= character <= "\udfff")
        # Where a byte cannot be decoded the reader leaves a stand-in for it (`surrogateescape`).
        found = f"the byte {code & 0xFF:#04x}" if 0xDC80 <= code <= 0xDCFF else f"half a character, U+{code:04X}"
        raise Unusable("not text", f"{shown(text)} holds {found}, which is not text in the file's encoding")


def check_name(text: str, what: str) -> None:
    """Make sure that a text can be an id or a name.

    Raises:
        Unusable: it is empty, too long, or PostgreSQL cannot store it.
    """
    if not text:
        raise Unusable(f"no {what}", f"the {what} is empty")
    if len(text) > LONGEST_NAME:
        raise Unusable(f"{what} too long", f"{shown(text)} has {len(text):,} characters, {LONGEST_NAME} at most may be")
    check_text(text, what)


def check_known(content_id: str, known: Container[str]) -> None:
    """Make sure that an id is one of the catalogue's.

    Raises:
        Unusable: it is not, or cannot be an id.
    """
    check_name(content_id, "content id")
    if content_id not in known:
        raise Unusable("unknown content", f"there is no content {shown(content_id)}")


def moment(text: str, what: str, timezone: tzinfo = UTC) -> datetime:
    """Read a moment: seconds since 1970, or ISO 8601, in `timezone` where it names none.

    Raises:
        Unusable: it is neither.
    """
    try:
        return _moment(text, timezone)
    except (ValueError, OverflowError, OSError):
        raise Unusable(f"bad {what}", f"{shown(text)} is neither seconds since 1970 nor ISO 8601") from None


def _moment(text: str, timezone: tzinfo) -> datetime:
    if text.replace(".", "", 1).lstrip("-").isdecimal():
        return datetime.fromtimestamp(float(text), UTC)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=timezone)


def number(text: str, what: str) -> float:
    """Read a number, which may come out infinite or not a number.

    Raises:
        Unusable: it is none.
    """
    try:
        if "_" not in text:  # Python's own idea of a number
            return float(text)
    except ValueError:
        pass
    raise Unusable(f"bad {what}", f"{shown(text)} is not a number")
