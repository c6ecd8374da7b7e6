"""A token of one user is not good for the data of another, wherever a request names whom it is about."""

from __future__ import annotations

import json

import pytest

from .conftest import listening, starting, token

BODY = {
    "path": "/about",
    "methods": ["POST"],
    "auth": "optional",
    "subject": {"body": "user_id", "unless_scope": "any-user"},
}
BOTH = {"path": "/both/{id}", "methods": ["POST"], "subject": {"path": "id", "body": "user_id"}}
PATH = {"path": "/users/{id}/films/{film}", "subject": {"path": "id"}}
MUCH = {"per_second": 1_000, "per_minute": 60_000, "burst": 1_000}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    limits = dict.fromkeys(("anonymous", "free", "enterprise"), MUCH)
    with (
        listening() as upstream,
        starting(tmp_path_factory.mktemp("subjects"), upstream, BODY, PATH, BOTH, limits=limits) as made,
    ):
        yield made


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"user_id": "42"}', 200, None),
        (b'{"user_id": 42, "more": {"user_id": "43"}}', 200, None),
        (b'{"more": 1}', 200, None),
        (b'{"user_id": null}', 200, None),
        (b"[]", 200, None),
        (b'{"user_id": "43"}', 403, "OTHER_USER"),
        (b'{"user_id": 43}', 403, "OTHER_USER"),
        (b'{"user_id": ["42"]}', 403, "OTHER_USER"),
        (b'{"user_id": true}', 403, "OTHER_USER"),
        (b'{"user_id": "42", "user_id": "43"}', 400, "BAD_REQUEST"),
        (b'{"user_id": "43", "user_\\u0069d": "42"}', 400, "BAD_REQUEST"),
        (b'{"user_id": "42"', 400, "BAD_REQUEST"),
        (b"\xff", 400, "BAD_REQUEST"),
        ('{"user_id": "42"}'.encode("utf-16"), 400, "BAD_REQUEST"),
        (b"[" * 60_000, 400, "BAD_REQUEST"),
        (b'{"x": "' + b"y" * 100_000 + b'", "user_id": "43"}', 403, "OTHER_USER"),
    ],
)
def test_a_body_names_the_tokens_own_user_or_nobody(gateway, body, status, code):
    before = len(gateway.upstream.requests)
    reply = gateway.ask("POST", "/api/about", body, Authorization=token("42"))
    assert reply.status == status
    assert code is None or reply.code == code
    assert len(gateway.upstream.requests) == before + (status == 200)


def test_a_token_may_be_good_for_anybody_and_nobody_may_name_nobody(gateway):
    body = json.dumps({"user_id": "43"}).encode()
    assert gateway.ask("POST", "/api/about", body, Authorization=token("p", scope="any-user")).status == 200
    assert gateway.ask("POST", "/api/about", b"{}").status == 200
    assert gateway.ask("POST", "/api/about", body).code == "TOKEN_MISSING"


def test_a_path_names_the_tokens_own_user(gateway):
    assert gateway.ask("GET", "/api/users/42/films/1", Authorization=token("42")).status == 200
    for path in ("/api/users/43/films/42", "/api/users/%3442/films/1", "/api/users/42%20/films/1"):
        assert gateway.ask("GET", path, Authorization=token("42")).code == "OTHER_USER"
    assert gateway.ask("GET", "/api/users/%34%32/films/1", Authorization=token("42")).status == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("42", b'{"user_id": "42"}', 200),
        ("42", b"{}", 200),
        ("42", b'{"user_id": "43"}', 403),
        ("42", b'{"user_id": ["43"]}', 403),
        ("43", b'{"user_id": "42"}', 403),
        ("43", b"{}", 403),
    ],
)
def test_path_and_body_name_the_same_user(gateway, path, body, status):
    assert gateway.ask("POST", f"/api/both/{path}", body, Authorization=token("42")).status == status
