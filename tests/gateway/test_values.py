"""What decides on values: paths, the table of routes, headers."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.gateway.definition import Route
from mgw.gateway.headers import client_address, end_to_end, networks, outgoing
from mgw.gateway.paths import encoded, is_plain, is_query
from mgw.gateway.routing import NotAllowed, Routes


@pytest.mark.parametrize(
    "path",
    [
        "/api/../admin",
        "/..",
        "/.",
        "/a/./b",
        "/a/..",
        "/a//b",
        "//",
        "a",
        "",
        "/a\\b",
        "/a\x00b",
        "/a\nb",
        "/a\x7f",
        "/a\ufffd",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(path):
    assert not is_plain(path)


@pytest.mark.parametrize("path", ["/", "/a", "/a/", "/.well-known/x", "/a/..b/c..", "/tt%20", "/é/ü", "/a b"])
def test_what_can_be_read_in_one_way_passes(path):
    assert is_plain(path)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(lambda text: "/" + text))
def test_what_is_sent_decodes_to_what_was_routed_and_holds_nothing_else(path):
    sent = encoded(path)
    assert unquote(sent) == path
    assert all("!" <= letter <= "~" for letter in sent)
    assert not set(sent) & set("?#\\ ")
    if is_plain(path):
        assert is_plain(unquote(sent))


def test_a_query_is_sent_byte_for_byte_or_not_at_all():
    assert is_query("a=%20&b=c+d&&e=%zz")
    for bad in ("a b", "a#b", "a\r\nHost: x", "é"):
        assert not is_query(bad)


class Leaf(NamedTuple):
    route: Route
    template: str


def table(*routes, prefix="/api"):
    made = [
        msgspec.convert({"path": path, "methods": methods, "upstream": name}, Route) for path, methods, name in routes
    ]
    return Routes(made, prefix, Leaf)


def test_what_is_spelled_out_goes_before_what_stands_for_any():
    routes = table(
        ("/content/{id}", ["GET"], "any"),
        ("/content/trending", ["GET"], "spelled"),
        ("/content/trending", ["PUT"], "put"),
        ("/{x}/trending", ["DELETE"], "deleted"),
        ("/a/{b}/c", ["GET"], "deep"),
    )

    def asked(method, path):
        return routes.find(method, path).route.upstream

    assert asked("GET", "/api/content/trending") == "spelled"
    assert asked("GET", "/api/content/42") == "any"
    assert asked("DELETE", "/api/content/trending") == "deleted"
    assert asked("HEAD", "/api/content/42") == "any"
    assert asked("GET", "/api/a/x/c") == "deep"
    assert routes.find("GET", "/api/content/42").template == "/api/content/{id}"
    for path in (
        "/api/content",
        "/api/content/",
        "/api/content/42/",
        "/content/42",
        "/api",
        "/",
        "/api/a/x/c/d",
        "/api/a//c",
    ):
        assert routes.find("GET", path) is None, path
    assert routes.find("POST", "/api/content/42") == NotAllowed(("GET", "HEAD"))
    assert routes.find("POST", "/api/content/trending") == NotAllowed(("DELETE", "GET", "HEAD", "PUT"))


names = st.sampled_from(["a", "b", "{x}", "{y}"])


@given(
    st.lists(st.lists(names, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)), max_size=8, unique=True),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4),
)
def test_the_tree_finds_what_a_list_would(paths, asked):
    routes = table(*((path, ["GET"], "u") for path in paths), prefix="")

    def fits(path):
        parts = path.split("/")[1:]
        return len(parts) == len(asked) and all(
            part in (piece, "{x}", "{y}") for part, piece in zip(parts, asked, strict=True)
        )

    found = routes.find("GET", "/" + "/".join(asked))
    assert (found is not None) == any(map(fits, paths))
    if found is not None:
        assert fits(found.template)


def test_headers_of_one_connection_stay_there():
    given_headers = [
        ("connection", "close, X-Secret"),
        ("x-secret", "1"),
        ("keep-alive", "5"),
        ("upgrade", "h2c"),
        ("te", "trailers"),
        ("transfer-encoding", "chunked"),
        ("proxy-authorization", "Basic x"),
        ("accept", "*/*"),
        ("set-cookie", "a"),
        ("set-cookie", "b"),
    ]
    assert end_to_end(given_headers) == [("accept", "*/*"), ("set-cookie", "a"), ("set-cookie", "b")]


def test_who_asks_is_believed_only_of_trusted_proxies():
    trusted = networks(["10.0.0.0/8", "::1"])
    assert client_address("1.2.3.4", "9.9.9.9", trusted) == "1.2.3.4"
    assert client_address("10.0.0.1", "9.9.9.9, 8.8.8.8", trusted) == "8.8.8.8"
    assert client_address("10.0.0.1", "9.9.9.9, 10.2.3.4", trusted) == "9.9.9.9"
    assert client_address("::ffff:10.0.0.1", "8.8.8.8", trusted) == "8.8.8.8"
    assert client_address("10.0.0.1", "8.8.8.8, nonsense", trusted) == "10.0.0.1"
    assert client_address("10.0.0.1", None, trusted) == "10.0.0.1"


def test_what_a_client_says_of_itself_is_replaced():
    forged = [
        ("x-auth-user", "root"),
        ("x-auth-tier", "enterprise"),
        ("x-forwarded-for", "1.1.1.1"),
        ("host", "evil"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "theirs"),
        ("content-length", "5"),
        ("cookie", "a=b"),
    ]
    common = {"client": "2.2.2.2", "scheme": "http", "host": "api.example.org", "request_id": "ours"}
    sent = dict(outgoing(forged, peer_trusted=False, **common))
    assert sent == {
        "cookie": "a=b",
        "forwarded": 'for="2.2.2.2";host="api.example.org";proto=http',
        "x-forwarded-for": "2.2.2.2",
        "x-forwarded-host": "api.example.org",
        "x-forwarded-proto": "http",
        "x-request-id": "ours",
    }
    assert dict(outgoing(forged, peer_trusted=True, **common))["x-forwarded-proto"] == "https"
    quoted = [("x-forwarded-host", 'a";for="9.9.9.9')]
    common["client"] = "2001:db8::1"
    sent = dict(outgoing(quoted, peer_trusted=True, **common))
    assert sent["forwarded"] == 'for="[2001:db8::1]";host="api.example.org";proto=http'
