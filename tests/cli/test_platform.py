"""Gateway and service together, as `mgw serve` runs them: every route of `sona` in the gateway that comes with mgw.

Who may ask, what is refused and in which shape, what arrives and what comes back; and the service slow, and gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ports import free_port

from mgw.cli.demo_project import DemoProject

ROOT = Path(__file__).parents[2]
USER, TITLE = "u00007", "t0001"
EVENT = {"content_id": TITLE, "at": "2025-12-31T20:00:00Z", "rating": 4}
DEFINITION = {
    "name": "routes", "variants": [{"name": "a", "weight": 0.5}, {"name": "b", "weight": 0.5}],
    "metrics": [{"name": "subscribed", "kind": "binary"}],
}  # fmt: skip


@dataclass(frozen=True)
class Route:
    """A route, with a request that is good, one that is not, and whose it is.

    Attributes:
        method: of it.
        path: below `/api/v1/sona`.
        good: what is answered with 200.
        bad: what is not valid; None where nothing is sent.
        scope: that the token needs; empty where it is about the token's own user.
        is_open: whether it may be asked without a token.
    """

    method: str
    path: str
    good: Any = None
    bad: Any = None
    scope: str = ""
    is_open: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = [
    Route("POST", "/recommendations", {"user_id": USER, "limit": 3}, {"user_id": USER, "limit": 0}),
    Route("POST", "/recommendations/similar", {"content_id": TITLE}, {"content_id": ""}, is_open=True),
    Route("POST", "/personalization/score", {"user_id": USER, "content_id": TITLE}, {"user_id": USER}),
    Route("POST", "/profile/update",
          {"user_id": USER, "viewing_events": [EVENT]}, {"user_id": USER, "viewing_events": []}),
    Route("POST", "/lora/train", {"user_id": USER, "force": True}, {"user_id": USER, "force": "yes"}),
    Route("GET", "/experiments", scope="experiments"),
    Route("GET", "/experiments/routes", scope="experiments"),
    Route("PUT", "/experiments/routes/status", {"status": "running"}, {"status": "flying"}, scope="experiments"),
    Route("GET", "/experiments/routes/metrics", scope="experiments"),
    Route("POST", "/experiments/conversions",
          {"conversions": [{"user_id": USER, "event": "subscribed", "idempotency_key": "1"}]},
          {"conversions": [{"user_id": USER}]}, scope="conversions"),
]  # fmt: skip
ABOUT_A_USER = [route for route in ROUTES if not route.scope and not route.is_open]


@dataclass
class Platform(DemoProject):
    """Service and gateway that run."""

    process: subprocess.Popen[str] | None = None

    def good(self, route: Route, **headers: str) -> Any:
        token = self.token("boss" if route.scope else USER, *filter(None, [route.scope]))
        return self.ask(route.method, f"/sona{route.path}", route.good, token, **headers)

    def processes(self, part: str) -> list[int]:
        """Return the workers of the service."""
        found = []
        for link in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (link / "cmdline").read_bytes().decode(errors="replace")
                if (link / "cwd").readlink() == self.folder and part in line.replace("\0", " "):
                    found.append(int(link.name))
        return found


def begin(platform: Platform, *arguments: str) -> None:
    platform.process = subprocess.Popen(
        [sys.executable, "-m", "mgw", "serve", *arguments], cwd=platform.folder, env=platform.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert platform.process.poll() is None
        with contextlib.suppress(OSError):
            if arguments or platform.ask("GET", "/health/aggregate")[0] == 200:
                platform.ask("GET", "/health")
                return
        time.sleep(0.1)
    raise AssertionError("it does not answer")


def end(platform: Platform) -> None:
    platform.process.terminate()
    assert platform.process.wait(60) == 0


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with a model, adapters and an experiment, and mgw's own gateway on other ports."""
    folder = tmp_path_factory.mktemp("platform")
    (folder / "mgw.yaml").write_text("als: {factors: 16, epochs: 3}\nlora: {rank: 4}\nservice: {deadline_s: 20}\n")
    gateway = yaml.safe_load((ROOT / "configs/gateway.yaml").read_text())
    gateway["port"] = free_port()
    gateway["upstreams"]["sona"] |= {"timeouts": {"first_byte_s": 1.5}, "breaker": {"failures": 1000, "open_s": 1}}
    # Requests without a token, and with bad ones, are counted by address: that they are is for other tests.
    gateway["limits"]["anonymous"] = {"per_second": 1000, "per_minute": 60_000, "burst": 1000}
    (folder / "gateway.yaml").write_text(yaml.safe_dump(gateway))
    (folder / "experiment.yaml").write_text(yaml.safe_dump(DEFINITION))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MGW_")}
    platform = Platform(folder, {**kept, "MGW_SERVICE_PORT": str(free_port())}, gateway["port"])
    platform.mgw("db", "start")
    for step in (
        ("sample", "--users", "300", "--titles", "120", "--events", "9000"), ("train", "als"), ("train", "lora"),
        ("experiment", "create", "experiment.yaml"), ("experiment", "start", "routes"),
        ("experiment", "pause", "routes"),
    ):  # fmt: skip
        platform.mgw(*step)
    yield platform
    platform.mgw("db", "stop")


@pytest.fixture(scope="module")
def platform(project):
    begin(project)
    yield project
    end(project)


def check_error(content, code=None):
    """Look whether an answer has the shape that all errors have."""
    assert content.keys() == {"error"}
    assert (
        {"code", "message", "request_id"}
        <= content["error"].keys()
        <= {"code", "message", "request_id", "retry_after", "details"}
    )
    assert all(content["error"][key] for key in ("code", "message", "request_id"))
    assert code is None or content["error"]["code"] == code


def test_these_are_all_routes_of_the_service():
    gateway = yaml.safe_load((ROOT / "configs/gateway.yaml").read_text())
    listed = {
        (method, route["path"].removeprefix("/sona").replace("{name}", "routes"))
        for route in gateway["routes"] if route["upstream"] == "sona" for method in route.get("methods", ["GET"])
    }  # fmt: skip
    assert listed == {(route.method, route.path) for route in ROUTES} | {("POST", "/experiments")}


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_who_may_ask_is_answered(platform, route):
    if route.path.endswith("/status"):
        platform.ask("PUT", f"/sona{route.path}", {"status": "paused"}, platform.token("boss", "experiments"))
    status, content, headers = platform.good(route, x_request_id="mine-1")
    assert status == 200, content
    assert headers["x-request-id"] == "mine-1"
    assert headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_without_a_token_and_with_a_bad_one(platform, route):
    status, content, _ = platform.ask(route.method, f"/sona{route.path}", route.good)
    assert status == (200 if route.is_open else 401)
    if not route.is_open:
        check_error(content, "TOKEN_MISSING")
    status, content, _ = platform.ask(route.method, f"/sona{route.path}", route.good, "eyJ.no.token")
    assert status == 401
    check_error(content)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.scope], ids=str)
def test_a_token_without_the_scope(platform, route):
    status, content, _ = platform.ask(route.method, f"/sona{route.path}", route.good, platform.token(USER))
    assert status == 403
    check_error(content, "SCOPE_MISSING")


@pytest.mark.parametrize("route", ABOUT_A_USER, ids=str)
def test_a_token_of_another_user_and_one_that_may_ask_for_anybody(platform, route):
    status, content, _ = platform.ask("POST", f"/sona{route.path}", route.good, platform.token("u00099"))
    assert status == 403
    check_error(content, "OTHER_USER")
    status, content, _ = platform.ask("POST", f"/sona{route.path}", route.good, platform.token("shop", "any-user"))
    assert status == 200, content


@pytest.mark.parametrize("route", [route for route in ROUTES if route.bad is not None], ids=str)
def test_what_is_not_valid_is_refused_by_the_service_with_what_is_wrong(platform, route):
    token = platform.token("boss" if route.scope else USER, *filter(None, [route.scope]))
    status, content, headers = platform.ask(route.method, f"/sona{route.path}", route.bad, token, x_request_id="mine-2")
    assert status == 400
    check_error(content, "BAD_REQUEST")
    assert content["error"]["request_id"] == headers["x-request-id"] == "mine-2"
    assert content["error"]["details"][0]["message"]
    status, content, _ = platform.ask(route.method, f"/sona{route.path}", b"{", token)
    assert status == 400
    check_error(content)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_other_methods(platform, route):
    status, content, headers = platform.ask("DELETE", f"/sona{route.path}", token=platform.token(USER))
    assert status == 405
    check_error(content, "METHOD_NOT_ALLOWED")
    assert route.method in headers["allow"]


def test_what_the_service_does_not_know(platform):
    boss = platform.token("boss", "experiments")
    for method, path, message, token in (
        ("POST", "/recommendations/similar", {"content_id": "nothing"}, None),
        ("POST", "/personalization/score", {"user_id": USER, "content_id": "nothing"}, platform.token(USER)),
        ("GET", "/experiments/nothing", None, boss),
        ("GET", "/experiments/nothing/metrics", None, boss),
        ("PUT", "/experiments/nothing/status", {"status": "running"}, boss),
    ):
        status, content, _ = platform.ask(method, f"/sona{path}", message, token)
        assert status == 404
        check_error(content)
    status, content, _ = platform.ask("POST", "/sona/experiments", DEFINITION, boss)
    assert status == 409
    check_error(content)


def test_names_and_queries_arrive_as_they_were_sent(platform):
    boss = platform.token("boss", "experiments")
    named = {**DEFINITION, "name": "a.b-c_d"}
    assert platform.ask("POST", "/sona/experiments", named, boss)[0] == 200
    status, content, _ = platform.ask("GET", "/sona/experiments/a.b-c_d?x=1&x=%2F", token=boss)
    assert (status, content["definition"]["name"] if "definition" in content else content["name"]) == (200, "a.b-c_d")
    assert platform.ask("GET", "/sona/experiments/a%2Eb-c_d", token=boss)[0] in {200, 400}


def test_who_acted_is_in_the_audit_trail_by_the_name_of_the_token(platform):
    boss = platform.token("boss", "experiments")
    definition = {**DEFINITION, "name": "audited"}
    status, _, _ = platform.ask(
        "POST", "/sona/experiments", definition, boss, user_agent="test/1", x_auth_user="mallory"
    )
    assert status == 200
    entries = json.loads(platform.mgw("audit", "list", "--resource", "audited", "--json"))["entries"]
    assert [(each["action"], each["user_id"], each["user_agent"]) for each in entries] == [
        ("experiment.created", "boss", "test/1")
    ]
    assert entries[0]["ip"] == "127.0.0.1"


def test_an_event_that_is_sent_is_known_to_the_next_answer(platform):
    token = platform.token("u00011")
    first = platform.ask("POST", "/sona/recommendations", {"user_id": "u00011", "limit": 5}, token)[1]
    title = first["recommendations"][0]["content_id"]
    event = {"content_id": title, "at": datetime.now(UTC).isoformat(), "completion_rate": 1.0}
    sent = {"user_id": "u00011", "viewing_events": [event]}
    assert platform.ask("POST", "/sona/profile/update", sent, token)[1]["events_new"] == 1
    assert platform.ask("POST", "/sona/profile/update", sent, token)[1]["events_new"] == 0
    after = platform.ask("POST", "/sona/recommendations", {"user_id": "u00011", "limit": 5}, token)[1]
    assert title not in [each["content_id"] for each in after["recommendations"]]


def test_a_service_that_is_slow_is_given_up_in_time(platform):
    workers = platform.processes("spawn_main")
    service = [pid for pid in workers if b"MGW_SERVICE_PORT" in Path(f"/proc/{pid}/environ").read_bytes()]
    listening = [pid for pid in service if _parent_serves(pid, "service")]
    assert listening
    for pid in listening:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        status, content, _ = platform.good(ROUTES[0])
        took = time.monotonic() - began
    finally:
        for pid in listening:
            os.kill(pid, signal.SIGCONT)
    assert status == 504
    check_error(content, "UPSTREAM_TIMEOUT")
    assert content["error"]["retry_after"] == 1
    assert took < 10
    assert platform.good(ROUTES[0])[0] == 200


def _parent_serves(pid, what):
    with contextlib.suppress(OSError):
        parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
        return f"--only\0{what}" in Path(f"/proc/{parent}/cmdline").read_text()
    return False


def test_a_service_that_is_not_there(project):
    """The gateway by itself: what it can say of the service is said in the shape of all errors, at once."""
    alone = Platform(project.folder, {**project.environment, "MGW_SERVICE_PORT": str(free_port())}, free_port())
    alone.tokens = dict(project.tokens)
    begin(alone, "--only", "gateway", "--port", str(alone.port))
    try:
        for route in ROUTES:
            status, content, headers = alone.good(route)
            assert status == 503, route
            check_error(content, "UPSTREAM_UNREACHABLE")
            assert headers["retry-after"] == "1"
        status, content, _ = alone.ask("GET", "/health/aggregate")
        assert (status, content["upstreams"]["sona"]["status"]) == (503, "down")
        assert alone.ask("GET", "/health")[0] == 200
    finally:
        end(alone)
