"""What the service answers, asked over HTTP."""

from __future__ import annotations

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import msgspec
import numpy as np
import psycopg
import pytest

from mgw.core.problems import ErrorReply
from mgw.recommend.hybrid import Hybrid
from mgw.recommend.recommender import Recommender
from mgw.service import messages
from mgw.service.endpoints import ENDPOINTS
from tests.service.conftest import SETTINGS

AT = "2026-03-01T20:00:00Z"


@pytest.fixture
def hybrid(service):
    return Hybrid(service.project.store.current(), SETTINGS)


@pytest.fixture
def connection(service):
    with psycopg.connect(service.project.url, options="-c timezone=UTC") as connection:
        yield connection


def event(content="t0001", **values):
    return {"content_id": content, "at": AT, **values}


def update(service, user, *events):
    return service.post("/profile/update", {"user_id": user, "viewing_events": list(events)})


def faults_of(reply):
    return {(fault["at"], fault["message"]) for fault in reply.json["error"]["details"]}


def test_a_list_is_that_of_the_library(service, hybrid, connection):
    reply = service.recommend(limit=7)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    found = msgspec.json.decode(reply.body, type=messages.RecommendationsReply)
    expected = hybrid.recommend(connection, "u00007", 7, rng=np.random.default_rng(0))
    assert [
        (each.content_id, each.title, each.recommendation_type, each.based_on, each.explanation)
        for each in found.recommendations
    ] == [
        (each.content_id, each.title, each.type.value, each.based_on, each.explanation)
        for each in expected.recommendations
    ]
    assert (found.known_user, found.degraded, found.model) == (True, (), hybrid.snapshot.manifest.name)
    assert found.generated_at.utcoffset().total_seconds() == 0


def test_the_options_of_a_request_are_heard(service, hybrid, connection):
    plain = [each["content_id"] for each in service.recommend(limit=10).json["recommendations"]]
    diverse = [
        each["content_id"] for each in service.recommend(limit=10, diversity_threshold=0.8).json["recommendations"]
    ]
    assert plain != diverse
    seen = {row[0] for row in service.project.fetch(
        "SELECT c.external_id FROM viewing_events e JOIN content c ON c.id = e.content_id"
        " JOIN users u ON u.id = e.user_id WHERE u.external_id = 'u00007'"
    )}  # fmt: skip
    assert not seen & set(plain)
    again = service.recommend(limit=80, exclude_watched=False).json["recommendations"]
    assert seen & {each["content_id"] for each in again}
    moment = {"mood": "scared", "time_of_day": "night", "device_type": "tv", "viewing_with": ["partner", "friends"]}
    stated = service.recommend("nobody", limit=5, genres=["Horror"], context=moment).json
    assert stated["known_user"] is False
    assert {each["recommendation_type"] for each in stated["recommendations"]} == {"cold_start"}
    assert stated["recommendations"] != service.recommend("nobody", limit=5).json["recommendations"]


def test_similar_titles_are_those_of_the_library(service):
    reply = service.post("/recommendations/similar", {"content_id": "t0003", "limit": 4})
    found = msgspec.json.decode(reply.body, type=messages.SimilarReply)
    expected = Recommender(service.project.store.current()).similar("t0003", 4)
    assert [(each.content_id, each.similarity) for each in found.similar_content] == [
        (each.content_id, pytest.approx(each.similarity)) for each in expected
    ]
    named = dict(service.project.fetch("SELECT external_id, title FROM content"))
    assert all(named[each.content_id] == each.title for each in found.similar_content)


def test_a_score_is_the_sum_of_what_each_source_gives(service):
    listed = service.recommend(limit=3).json["recommendations"]
    for each in listed:
        reply = service.post("/personalization/score", {"user_id": "u00007", "content_id": each["content_id"]})
        found = msgspec.json.decode(reply.body, type=messages.ScoreReply)
        parts = msgspec.structs.asdict(found.components)
        assert found.score == pytest.approx(sum(parts.values()))
        assert found.score == pytest.approx(each["confidence_score"])
        assert parts.pop("lora_boost") == 0
        assert all(parts.values())


def test_events_are_stored_once_and_count_at_once(service):
    before = service.recommend("ann", limit=20)
    assert (before.json["known_user"], before.headers["x-cache"]) == (False, "miss")
    assert service.recommend("ann", limit=20).headers["x-cache"] == "hit"
    watched = before.json["recommendations"][0]["content_id"]
    events = [
        event(watched, rating=4.5, device="tv"),
        event("t0002", completion_rate=0.4),
        event("t0004", dismissed=True),
    ]
    reply = update(service, "ann", *events)
    assert reply.status == 200
    assert reply.json == {
        "status": "updated", "user_id": "ann", "events_processed": 3, "events_new": 3, "preference_vector_dim": 16,
    }  # fmt: skip
    after = service.recommend("ann", limit=20)
    assert (after.json["known_user"], after.headers["x-cache"]) == (True, "miss")
    assert not {watched, "t0002", "t0004"} & {each["content_id"] for each in after.json["recommendations"]}
    assert update(service, "ann", *events, events[0]).json["events_new"] == 0
    assert service.project.fetch(
        "SELECT c.external_id, completion_rate, rating, dismissed, device, at::text FROM viewing_events e"
        " JOIN users u ON u.id = e.user_id JOIN content c ON c.id = e.content_id WHERE u.external_id = 'ann'"
        " ORDER BY c.external_id = %s DESC, 1", watched,
    ) == [
        (watched, 1, 4.5, False, "tv", "2026-03-01 20:00:00+00"),
        ("t0002", pytest.approx(0.4), None, False, None, "2026-03-01 20:00:00+00"),
        ("t0004", 0, None, True, None, "2026-03-01 20:00:00+00"),
    ]  # fmt: skip
    ((seen, snapshot),) = service.project.fetch(
        "SELECT events_seen, snapshot FROM user_profiles p JOIN users u ON u.id = p.user_id WHERE external_id = 'ann'"
    )
    assert (seen, snapshot) == (3, service.health()["model"]["name"])


def test_of_a_batch_that_is_bad_in_part_nothing_is_stored_and_every_fault_is_named(service):
    reply = update(
        service, "bob",
        event(), event("none"), event(at="2026-03-01T20:00:00"), event(at="2090-01-01T00:00:00Z", rating=7),
        event("no\0", completion_rate=1.5), event(at="2090-01-01T00:00:00Z"), event(colour="red"), 7,
        {"content_id": "t0001"}, event("none", at="1969-01-01T00:00:00+01:00"),
    )  # fmt: skip
    assert (reply.status, reply.json["error"]["code"]) == (400, "BAD_REQUEST")
    found = faults_of(reply)
    assert {at for at, _ in found} == {
        "viewing_events[1].content_id", "viewing_events[2].at", "viewing_events[3].rating",
        "viewing_events[4].content_id", "viewing_events[4].completion_rate", "viewing_events[5].at",
        "viewing_events[6].colour", "viewing_events[7]", "viewing_events[8].at", "viewing_events[9].content_id",
        "viewing_events[9].at",
    }  # fmt: skip
    assert ("viewing_events[1].content_id", "there is no content 'none'") in found
    assert ("viewing_events[5].at", "2090-01-01T00:00:00+00:00 is in the future") in found
    assert service.project.fetch("SELECT 1 FROM users WHERE external_id = 'bob'") == []


def test_many_updates_of_one_user_at_once_are_all_stored(service):
    batches = [[event(f"t00{n:02}", at=f"2026-03-0{day}T20:00:00Z") for day in (1, 2)] for n in range(10, 26)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda batch: update(service, "cleo", *batch), [*batches, *batches]))
    assert {reply.status for reply in replies} == {200}
    assert sum(reply.json["events_new"] for reply in replies) == 32
    assert service.project.fetch(
        "SELECT count(*), max(events_seen) FROM viewing_events e JOIN users u ON u.id = e.user_id"
        " JOIN user_profiles p ON p.user_id = u.id WHERE u.external_id = 'cleo'"
    ) == [(32, 32)]


def test_a_profile_that_events_are_added_to_is_the_one_made_from_all_of_them(service):
    def stored(user):
        return service.project.fetch(
            "SELECT preference, genre_affinities, hours, weekdays, events_seen FROM user_profiles p"
            " JOIN users u ON u.id = p.user_id WHERE external_id = %s", user,
        )[0]  # fmt: skip

    events = [
        event(f"t00{n:02}", at=f"2026-0{1 + n % 3}-{n:02}T1{n % 10}:30:00Z", rating=1 + n % 5) for n in range(10, 28)
    ]
    for start in range(0, 18, 3):
        assert update(service, "dora", *events[max(0, start - 2) : start + 3]).json["events_new"] == 3
    update(service, "emil", *events)
    bit_by_bit, at_once = stored("dora"), stored("emil")
    assert bit_by_bit[4] == at_once[4] == 18
    assert bit_by_bit[0] == pytest.approx(at_once[0], abs=1e-5)
    assert bit_by_bit[1] == pytest.approx(at_once[1])
    assert (bit_by_bit[2], bit_by_bit[3]) == (pytest.approx(at_once[2]), pytest.approx(at_once[3]))
    with psycopg.connect(service.project.url) as connection:  # an event that comes in by another way is not lost
        connection.execute(
            "INSERT INTO viewing_events (user_id, content_id, at, completion_rate) SELECT u.id, c.id, '2026-01-01Z', 1"
            " FROM users u, content c WHERE u.external_id = 'dora' AND c.external_id = 't0030'"
        )
    update(service, "dora", event("t0031"))
    assert stored("dora")[4] == 20


BAD = {
    "no JSON": (b'{"user_id": ', "the body is not JSON", None),
    "nothing": (b"", "the body is not JSON", None),
    "not UTF-8": (b'{"user_id": "\xff"}', "the body is not JSON", None),
    "half a character": (b'{"user_id": "\\ud800"}', "the body is not JSON", None),
    "NaN": (b'{"user_id": "a", "diversity_threshold": NaN}', "the body is not JSON", None),
    "infinity": (b'{"user_id": "a", "diversity_threshold": 1e999}', "", None),
    "deeper than any stack": (b'{"user_id": ' + b"[" * 100_000, "not valid", ""),
    "a list": (b"[]", "not valid", ""),
    "no user": (b"{}", "not valid", "user_id"),
    "an empty user": (b'{"user_id": ""}', "not valid", "user_id"),
    "a long user": (b'{"user_id": "' + b"a" * 256 + b'"}', "not valid", "user_id"),
    "a user that cannot be stored": (b'{"user_id": "a\\u0000"}', "not valid", "user_id"),
    "a number for a user": (b'{"user_id": 7}', "not valid", "user_id"),
    "limit 0": (b'{"user_id": "a", "limit": 0}', "not valid", "limit"),
    "limit 10,000": (b'{"user_id": "a", "limit": 10000}', "not valid", "limit"),
    "limit 1e30": (b'{"user_id": "a", "limit": 1e30}', "not valid", "limit"),
    "a threshold above 1": (b'{"user_id": "a", "diversity_threshold": 1.1}', "not valid", "diversity_threshold"),
    "an unknown mood": (b'{"user_id": "a", "context": {"mood": "odd"}}', "not valid", "context.mood"),
    "an unknown field": (b'{"user_id": "a", "limits": 3}', "not valid", "limits"),
    "an unknown genre": (b'{"user_id": "a", "genres": ["Nonsense"]}', "there is no genre 'Nonsense'", None),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_request_is_refused_by_name(service, name):
    body, message, at = BAD[name]
    reply = service.ask("POST", "/api/v1/recommendations", body, x_request_id="r-1")
    error = msgspec.json.decode(reply.body, type=ErrorReply).error
    assert (reply.status, error.code, error.request_id, reply.headers["x-request-id"]) == (
        400,
        "BAD_REQUEST",
        "r-1",
        "r-1",
    )
    assert message in error.message
    if at is not None:
        assert [fault.at for fault in error.details] == [at]


@pytest.mark.parametrize("path", ["/recommendations/similar", "/personalization/score"])
def test_unknown_content_is_not_found(service, path):
    user = {} if "similar" in path else {"user_id": "u00007"}
    reply = service.post(path, {"content_id": "'; DROP TABLE content; --", **user})
    assert (reply.status, reply.json["error"]["code"]) == (404, "CONTENT_UNKNOWN")


def test_nobody_has_no_score(service):
    reply = service.post("/personalization/score", {"user_id": "nobody", "content_id": "t0001"})
    assert (reply.status, reply.json["error"]["code"]) == (404, "USER_UNKNOWN")


def test_sql_in_an_id_is_an_id(service):
    hostile = "'; DROP TABLE viewing_events; --"
    assert service.recommend(hostile).json["known_user"] is False
    assert update(service, hostile, event()).json["events_new"] == 1
    assert service.recommend(hostile).json["known_user"] is True


@pytest.mark.parametrize("path", ["/recommendations", "/profile/update"])
def test_a_body_of_100_mb_is_not_read(service, path):
    size = 100_000_000
    for head in (f"Content-Length: {size}", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
            raw.sendall(f"POST /api/v1{path} HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n".encode())
            try:
                if "chunked" in head:
                    for _ in range(200):
                        raw.sendall(b"80000\r\n" + b" " * 0x80000 + b"\r\n")
            except OSError:
                pass  # it has heard enough
            assert raw.recv(12) == b"HTTP/1.1 413"


def test_a_body_that_ends_before_its_end_is_no_request(service):
    body = json.dumps({"user_id": "gus", "viewing_events": [event()]}).encode()
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw:
        raw.sendall(b"POST /api/v1/profile/update HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n" + body)
        raw.shutdown(socket.SHUT_WR)
        raw.recv(4096)
    assert service.recommend("gus").json["known_user"] is False


def test_paths_and_methods(service):
    assert service.ask("GET", "/api/v1/nothing").json["error"]["code"] == "NOT_FOUND"
    for path in ("/api/v1/recommendations", "/docs", "/health"):
        reply = service.ask("DELETE", path)
        assert (reply.status, reply.json["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")
        assert reply.headers["allow"] == ("POST" if "api" in path else "GET, HEAD")
    reply = service.ask("HEAD", "/api/v1/health/ready")
    assert (reply.status, reply.body) == (200, b"")
    made = {service.ask("GET", "/health", x_request_id=bad).headers["x-request-id"] for bad in ("", "a b", "x" * 129)}
    assert len(made) == 3
    assert all(re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", each) for each in made)


def test_health(service):
    for path in ("/health", "/health/ready", "/api/v1/health", "/api/v1/health/ready"):
        reply = service.ask("GET", path)
        found = msgspec.json.decode(reply.body, type=messages.HealthReply)
        assert (reply.status, found.status, found.database, found.model.error) == (200, "ok", "ok", None)
        assert found.model.name == service.project.store.current_name()


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_openapi_document_describes_every_endpoint_and_nothing_dangles(service):
    document = service.ask("GET", "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    described = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert described == {(endpoint.path, endpoint.method) for endpoint in ENDPOINTS}
    schemas = document["components"]["schemas"]
    assert {reference.rpartition("/")[2] for reference in references(document)} == set(schemas)
    request = schemas["RecommendationsRequest"]["properties"]
    assert {"minimum": 1, "maximum": 100, "type": "integer"} in request["limit"]["anyOf"]
    for path, _ in described:
        for status, response in document["paths"][path][next(iter(document["paths"][path]))]["responses"].items():
            assert response["content"]["application/json"]["schema"]
            assert status == "200" or status in {"400", "404", "409", "413", "503", "504"}


def test_the_documentation_page_names_everything_and_loads_nothing(service):
    reply = service.ask("GET", "/docs")
    page = reply.body.decode()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    for endpoint in ENDPOINTS:
        assert endpoint.path in page
    for name in ("diversity_threshold", "viewing_with", "preference_vector_dim", "retry_after"):
        assert name in page
    assert not re.search(r"https?://|src=|@import|<script|<link", page)
