"""Whose request it is about: a token of one user is not good for the data of another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mgw.core.problems import bad_request
from mgw.gateway.refusals import of_another_user, unauthorized
from mgw.gateway.routing import pieces

if TYPE_CHECKING:
    from mgw.gateway.definition import Subject
    from mgw.gateway.tokens import Caller


def require_own(subject: Subject, caller: Caller | None, template: str, path: str, content: object) -> None:
    """Refuse a request that names another user than its token.

    Args:
        subject: where the user is named.
        caller: who asks; nobody may name nobody.
        template: of the path.
        path: of the request.
        content: its body, whole.

    Raises:
        Problem: it names another one, or the body cannot be read, or names one twice.
    """
    if caller is not None and subject.unless_scope is not None and subject.unless_scope in caller.scopes:
        return
    named = None if subject.body is None else _named_in(content, subject.body)
    if subject.path is not None:
        place = pieces(template).index(f"{{{subject.path}}}")
        in_path = pieces(path)[place]
        if named not in {None, in_path}:
            raise of_another_user()
        named = in_path
    if named is None:
        return
    if caller is None:
        raise unauthorized("TOKEN_MISSING", "what is about a user takes their token: Authorization: Bearer …")
    if named != caller.user_id:
        raise of_another_user()


def _named_in(content: object, key: str) -> str | None:
    """Return the user that a body names; None where it names none."""
    if not isinstance(content, bytes):
        return None
    try:
        found = json.loads(content.decode(), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise bad_request("the body is no JSON, or has a key twice") from error
    if not isinstance(found, dict) or found.get(key) is None:
        return None
    named = found[key]
    return str(named) if isinstance(named, (str, int)) and not isinstance(named, bool) else ""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse what readers could understand differently: of two keys alike some take the first, some the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found
