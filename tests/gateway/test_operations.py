"""A gateway that runs is looked after: its file read anew, workers that die, what it counts, and its admin port."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import pytest
from ports import free_port
from waiting import until

from .conftest import answering, listening, starting, token

OPEN = {"path": "/open/{id}", "methods": ["GET", "POST"], "auth": "none"}
KEPT = {"path": "/kept/{id}", "auth": "none", "cache": {"ttl_s": 600}}
MANY = {name: {"per_second": 10_000, "per_minute": 600_000, "burst": 10_000} for name in ("anonymous", "free")}


def upstream_at(*upstreams):
    return {"urls": [f"http://127.0.0.1:{each.port}" for each in upstreams]}


class Load:
    """Requests without a pause, from several threads, each on connections that it keeps."""

    def __init__(self, gateway, path="/api/open/1", threads=4):
        self.statuses, self.errors = [], []
        self._gateway, self._path = gateway, path
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        until(lambda: len(self.statuses) > 20)
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def more(self, count=100):
        """Wait for so many more."""
        before = len(self.statuses)
        until(lambda: len(self.statuses) >= before + count or self.errors)

    def _ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._gateway.port, timeout=20)
        with contextlib.closing(connection):
            while not self._ended.is_set():
                try:
                    connection.request("GET", self._path)
                    answer = connection.getresponse()
                    answer.read()
                    self.statuses.append(answer.status)
                except (OSError, http.client.HTTPException) as error:
                    self.errors.append(repr(error))
                    connection.close()


def test_a_file_that_changes_is_read_anew_and_no_request_is_lost(start):
    gateway = start(OPEN, limits=MANY, workers=2)
    assert gateway.ask("GET", "/api/new").status == 404
    with listening() as other, Load(gateway) as load:
        other.answer = answering(body=b"other")
        gateway.write(routes=[{"upstream": "own", **OPEN}, {"path": "/new", "auth": "none", "upstream": "own"}])
        gateway.told("was read anew")
        assert {gateway.ask("GET", "/api/new").status for _ in range(20)} == {200}  # of every worker
        load.more()
        gateway.write(upstreams={"own": upstream_at(other)})
        gateway.told("was read anew", times=2)
        assert {gateway.ask("GET", "/api/open/1").body for _ in range(20)} == {b"other"}
        gateway.process.send_signal(signal.SIGHUP)
        gateway.told("says what it said")
        load.more()
    assert load.errors == []
    assert set(load.statuses) == {200}


def test_a_file_that_cannot_be_used_is_refused_and_what_was_there_stays(start):
    gateway = start(OPEN, limits=MANY)
    good = dict(gateway.document)
    (gateway.folder / "gateway.yaml").write_text("routes: [{path: /open, upstrem: own}]")
    said = gateway.told("refused, what was read before stays")
    assert "did you mean upstream?" in said
    assert gateway.ask("GET", "/api/open/1").status == 200
    gateway.write(tokens={"keys": {"secret_file": "gone"}}, routes=[{"path": "/own", "upstream": "own"}])
    assert "cannot read gone" in gateway.told("refused", times=2)
    assert gateway.ask("GET", "/api/open/1").status == 200
    assert until(lambda: gateway.metric("mgw_gateway_reloads_total", outcome="refused")) == 2
    gateway.write(**good)
    gateway.told("was read anew")
    gateway.write(port=1, workers=7)
    assert "port, workers: taken when the gateway is started anew" in gateway.told("was read anew", times=2)
    assert gateway.ask("GET", "/api/open/1").status == 200


def test_a_file_that_is_half_written_is_left_until_it_is_whole(start):
    gateway = start(OPEN, limits=MANY)
    whole = json.dumps({**gateway.document, "routes": [{"upstream": "own", **OPEN}, {"upstream": "own", **KEPT}]})
    with (gateway.folder / "gateway.yaml").open("w") as file:
        for place in range(0, len(whole), 100):
            file.write(whole[place : place + 100])
            file.flush()
            threading.Event().wait(0.05)
            assert gateway.ask("GET", "/api/open/1").status == 200
    gateway.told("was read anew")
    assert gateway.ask("GET", "/api/kept/1").status == 200
    assert "refused" not in (gateway.folder / "err").read_text()
    (gateway.folder / "gateway.yaml").write_text("")
    assert "routes: there are none" in gateway.told("refused")
    assert gateway.ask("GET", "/api/open/1").status == 200


def test_a_secret_that_is_changed_counts_at_once(start):
    gateway = start({"path": "/own"})
    old = token("ann")
    assert gateway.ask("GET", "/api/own", Authorization=old).status == 200
    (gateway.folder / "secret").write_text("another-secret-of-more-than-32-bytes!!!!")
    gateway.told("was read anew")
    assert gateway.ask("GET", "/api/own", Authorization=old).code == "TOKEN_INVALID"


def test_what_did_not_change_is_kept_when_the_file_is_read_anew(start, upstream):
    limits = {name: {"per_second": 1, "per_minute": 3, "burst": 3} for name in ("anonymous", "free")}
    gateway = start(KEPT, limits=limits)
    upstream.answer = answering("cache-control: public, max-age=600")
    assert [gateway.ask("GET", "/api/kept/1").status for _ in range(3)] == [200] * 3
    gateway.write(body_limit_bytes=5)
    gateway.told("was read anew")
    assert gateway.ask("GET", "/api/kept/1").status == 429
    assert len(upstream.requests) == 1


def test_a_worker_that_is_killed_is_replaced_and_the_others_answer_meanwhile(start):
    gateway = start(OPEN, limits=MANY, workers=2)
    first = set(until(lambda: len(found := gateway.workers()) == 2 and found))
    victim = min(first)
    gateway.write(routes=[{"upstream": "own", **OPEN}, {"path": "/new", "auth": "none", "upstream": "own"}])
    gateway.told("was read anew")
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(found := set(gateway.workers())) == 2 and victim not in found)

    def answered():
        try:
            return gateway.ask("GET", "/api/new").status
        except OSError:  # a connection that the kernel had given to the dead one
            return 0

    until(lambda: [answered() for _ in range(20)] == [200] * 20)  # the new one has the file as it is now


def test_counts_of_all_workers_are_added_up_and_those_of_the_dead_stay(start):
    gateway = start(OPEN, limits=MANY, workers=2)
    until(lambda: len(gateway.workers()) == 2)
    for number in range(40):
        assert gateway.ask("GET", f"/api/open/{number}").status == 200
    labels = {"route": "/api/open/{id}", "method": "GET", "status": "200"}
    until(lambda: gateway.metric("mgw_gateway_requests_total", **labels) == 40)
    until(lambda: gateway.metric("mgw_gateway_request_seconds_count", route="/api/open/{id}") == 40)
    until(lambda: gateway.metric("mgw_gateway_upstream_requests_total", upstream="own", outcome="answered") == 40)
    gateway.ask("GET", "/api/none/at/all")
    until(lambda: gateway.metric("mgw_gateway_requests_total", route="none", status="404") == 1)
    victim = gateway.workers()[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in gateway.workers() and len(gateway.workers()) == 2)
    found = [gateway.metric("mgw_gateway_requests_total", **labels) for _ in range(20)]
    assert found == [40] * 20


def test_metrics_are_for_those_nearby(start):
    gateway = start(OPEN, metrics_from=["10.0.0.0/8"], trusted_proxies=["127.0.0.1"])
    assert gateway.ask("GET", "/metrics").status == 404
    assert gateway.ask("GET", "/metrics", X_Forwarded_For="8.8.8.8").status == 404
    reply = gateway.ask("GET", "/metrics", X_Forwarded_For="10.1.1.1", Accept="application/openmetrics-text")
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    assert reply.body.endswith(b"# EOF\n")


def test_the_health_of_upstreams_is_asked_at_once_and_not_too_often(start, upstream, tmp_path):
    def slow(connection, request):
        if b"/well" in request.partition(b"\r\n")[0]:
            time.sleep(0.3)
        connection.sendall(answering(status="200 OK" if b"/well" in request else "404 None"))

    upstream.answer = slow
    well = {**upstream_at(upstream, upstream, upstream), "health": {"path": "/well", "interval_s": 600}}
    gone = {"urls": [f"http://127.0.0.1:{free_port()}"]}
    gateway = start(OPEN, upstreams={"own": well, "one": {**well, "health": None}, "gone": gone})
    before = time.monotonic()
    reply = gateway.ask("GET", "/health/aggregate")
    assert time.monotonic() - before < 1.5
    found = reply.json["upstreams"]
    assert (reply.status, reply.json["status"]) == (503, "degraded")
    assert {name: each["status"] for name, each in found.items()} == {"own": "ok", "one": "down", "gone": "down"}
    assert (found["own"]["instances"], found["own"]["well"]) == (3, 3)
    asked = len(upstream.requests)
    assert gateway.ask("GET", "/api/health/aggregate").json == reply.json
    assert len(upstream.requests) == asked
    assert gateway.ask("GET", "/health/ready").status == 200
    assert gateway.ask("POST", "/health").status == 405


@pytest.fixture
def looked_after(start, upstream):
    """A gateway with an admin port and two workers."""
    upstream.answer = answering("cache-control: public, max-age=600", "cache-tag: film, n-1")
    gateway = start(KEPT, OPEN, admin={"port": free_port()}, limits=MANY, workers=2)
    until(lambda: len(gateway.admin("GET", "/state").json["workers"]) == 2)
    return gateway


def kept(gateway, path, asked=30):
    """Say whether an answer is kept, by every worker that is asked."""
    return {"hit" in gateway.ask("GET", path).headers["cache-status"] for _ in range(asked)}


def test_answers_are_purged_by_url_prefix_and_tag_in_every_worker(looked_after, upstream):
    gateway = looked_after
    for by, value, gone in (
        ("url", "/api/kept/1?x=1", {1}),
        ("prefix", "/api/kept/2", {2}),
        ("tag", "n-1", {1, 2, 3}),
        ("everything", "", {1, 2, 3}),
    ):
        for number in (1, 2, 3):
            until(lambda number=number: kept(gateway, f"/api/kept/{number}?x=1") == {True})
        count = gateway.admin("POST", "/purge", {"by": by, "value": value}).json["purged"]
        assert count == 2 * len(gone)
        for number in (1, 2, 3):
            assert (kept(gateway, f"/api/kept/{number}?x=1", 1) == {False}) is (number in gone)
    assert b"cache-tag" not in b"".join(name.encode() for name in gateway.ask("GET", "/api/kept/1").headers)


def noted(gateway):
    """Return what the gateway has noted for the audit trail, in order."""
    files = sorted((gateway.folder / ".mgw/audit").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_whoever_changes_something_is_noted_for_the_audit_trail(looked_after):
    gateway = looked_after
    gateway.admin("POST", "/purge", {"by": "prefix", "value": "/kept"}, **{"x-actor": "ann@host"})
    gateway.admin("POST", "/breakers/own", {"to": "open"})
    gateway.admin("POST", "/breakers/own", {"to": "auto"})
    gateway.admin("POST", "/reload")  # it says what it said: nothing has changed
    gateway.write(body_limit_bytes=1234)
    gateway.told("was read anew")
    gateway.write(body_limit_bytes=-1)
    gateway.told("is refused")
    found = noted(gateway)
    assert [each["action"] for each in found] == [
        "gateway.cache_purged", "gateway.breaker_set", "gateway.breaker_set", "gateway.reloaded",
        "gateway.reload_refused",
    ]  # fmt: skip
    assert (found[0]["user_id"], found[0]["ip"], found[0]["resource_id"]) == ("ann@host", "127.0.0.1", "/kept")
    assert found[1]["details"] == {"to": "open"}
    assert (found[3]["details"]["changed"], "@" in found[3]["user_id"]) == (["body_limit_bytes"], True)
    assert found[4]["details"] == {"code": "CONFIG_INVALID"}


def test_the_admin_port_says_how_things_stand_and_breakers_obey_it(looked_after):
    gateway = looked_after
    gateway.ask("GET", "/api/open/1")
    stand = gateway.admin("GET", "/state").json["workers"][0]["upstreams"]["own"]
    assert stand["breaker"] == "closed"
    assert stand["instances"][0]["url"] == f"http://127.0.0.1:{gateway.upstream.port}"
    assert gateway.admin("POST", "/breakers/own", {"to": "open"}).json == {"workers": ["open", "open"]}
    assert {gateway.ask("GET", "/api/open/1").code for _ in range(10)} == {"UPSTREAM_FAILING"}
    until(lambda: gateway.metric("mgw_gateway_breaker_open", upstream="own") == 2)
    gateway.admin("POST", "/breakers/own", {"to": "auto"})
    assert gateway.ask("GET", "/api/open/1").status == 200
    assert gateway.admin("POST", "/reload").json == {"changed": False}
    assert gateway.admin("GET", "/config").json["prefix"] == "/api"
    assert b"mgw_gateway_requests_total" in gateway.admin("GET", "/metrics").body


def test_the_admin_port_is_for_programs_of_this_machine_that_know_the_token(looked_after):
    gateway = looked_after
    assert gateway.admin("GET", "/state", authorization="Bearer wrong").status == 401
    assert gateway.admin("GET", "/state", authorization="").status == 401
    assert gateway.admin("GET", "/state", host="evil.example:80").status == 403  # a name that leads here by DNS
    assert gateway.admin("POST", "/purge", {"by": "everything"}, origin="https://evil.example").status == 403
    assert gateway.admin("POST", "/purge", {"by": "all"}).code == "BAD_REQUEST"
    assert gateway.admin("GET", "/nothing").code == "NOT_FOUND"
    assert gateway.admin("POST", "/breakers/none", {"to": "open"}).status == 404
    (gateway.folder / "gateway.yaml").write_text("routes: 3")
    reply = gateway.admin("POST", "/reload")
    assert (reply.status, reply.code) == (409, "CONFIG_INVALID")
    mode = (gateway.folder / ".mgw" / "gateway.admin").stat().st_mode
    assert mode & 0o077 == 0


def test_nothing_is_left_of_a_gateway_that_ended(tmp_path, upstream):
    with starting(tmp_path, upstream, OPEN, admin={"port": free_port()}) as gateway:
        worker = until(gateway.workers)[0]
        (socket,) = until(lambda: list(Path(tempfile.gettempdir()).glob(f"mgw-gateway-*/{worker}.socket")))
        assert socket.parent.stat().st_mode & 0o077 == 0
        assert gateway.stop() == 0
        assert not socket.parent.exists()
        assert "Traceback" not in (tmp_path / "err").read_text()


def test_what_a_gateway_left_that_was_killed_is_removed_by_the_next(tmp_path, upstream):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with starting(tmp_path / "first", upstream, OPEN) as gateway:
        worker = until(gateway.workers)[0]
        (socket,) = until(lambda: list(Path(tempfile.gettempdir()).glob(f"mgw-gateway-*/{worker}.socket")))
        gateway.process.kill()
        gateway.process.wait()
        assert socket.parent.exists()
        with starting(tmp_path / "second", upstream, OPEN):
            assert not socket.parent.exists()
