"""Connection strings with their passwords taken out, for everything that is shown, logged or written as JSON.

The rule where a text is ambiguous: rather hide too much than show a piece of a password.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from msgspec.structs import replace

from mgw.core.settings.keys import keys

if TYPE_CHECKING:
    from mgw.core.settings.schema import Settings

MASK = "***"

_SECRET_NAME = re.compile(r"password|secret|^scram_", re.IGNORECASE)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(.*)\Z", re.DOTALL)
_PAIR = re.compile(
    # libpq, section 34.1.1.1: keyword = value, the value bare or in single quotes, backslash escapes in both.
    r"""\s*(?P<name>[A-Za-z_]\w*)\s*=\s*(?P<value>'(?:\\.|[^'\\])*'|(?:\\.|[^\s'\\])*)(?=\s|\Z)""",
    re.DOTALL,
)


def redact_url(text: str) -> str:
    """Return a database URL, or a `key=value` connection string, with every password replaced by `***`.

    A text that is neither is hidden as a whole.

    >>> redact_url("postgresql://ada:secret@db.example/films?sslmode=require")
    'postgresql://ada:***@db.example/films?sslmode=require'
    >>> redact_url("host=db.example user=ada password='a b'")
    'host=db.example user=ada password=***'
    >>> redact_url("secret")
    '***'
    """
    url = _URL.match(text)
    if url:
        return url[1] + _without_parameters(_without_userinfo(url[2]))
    return _without_pairs(text)


def redacted(settings: Settings) -> Settings:
    """Return the settings with every secret key (see `Key.secret`) fit to be shown."""
    tree: Any = settings
    for key in keys().values():
        value = key.get(tree)
        if key.secret and isinstance(value, str):
            tree = _replaced(tree, key.path, redact_url(value))
    shown: Settings = tree
    return shown


def shown_key(text: str) -> str:
    """Return a key from a file as messages show it: short, in quotes, and redacted should it be a URL."""
    text = redact_url(text) if "://" in text else text
    return repr(text if len(text) <= 60 else text[:57] + "…")


def _without_userinfo(rest: str) -> str:
    """Hide what stands between the first colon and the last @.

    A well-formed URL escapes `@`, `/` and `?` in a password; up to the last @ also hides one that does not.
    """
    before, at, after = rest.rpartition("@")
    user, colon, _ = before.partition(":")
    return f"{user}:{MASK}@{after}" if at and colon else rest


def _without_parameters(rest: str) -> str:
    base, question, query = rest.partition("?")
    parameters = []
    for parameter in query.split("&"):
        name, equals, _ = parameter.partition("=")
        secret = equals and _SECRET_NAME.search(unquote_plus(name))
        parameters.append(f"{name}={MASK}" if secret else parameter)
    return base + question + "&".join(parameters)


def _without_pairs(text: str) -> str:
    shown, position = [], 0
    while text[position:].strip():
        pair = _PAIR.match(text, position)
        if pair is None:
            return MASK
        # libpq expands a whole URL given as dbname.
        secret = _SECRET_NAME.search(pair["name"]) or "://" in pair["value"]
        value = MASK if secret else pair["value"]
        shown.append(pair["name"] + "=" + value)
        position = pair.end()
    return " ".join(shown)


def _replaced(struct: Any, path: tuple[str, ...], value: object) -> Any:  # noqa: ANN401 - any struct of the tree
    name, *below = path
    return replace(struct, **{name: _replaced(getattr(struct, name), tuple(below), value) if below else value})
