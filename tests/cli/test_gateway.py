"""`mgw gateway`, `mgw token` and `mgw serve`: the file looked over, and both programs run together."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from commands import ROOT, environment, mgw
from ports import free_port
from waiting import until

FILE = """\
port: 8080
upstreams:
  own: {urls: ["http://127.0.0.1:9"]}
tokens:
  keys: {secret_file: secret}
routes:
  - {path: "/a/{id}", upstream: own}
  - {path: /b, methods: [POST], upstream: gone, auth: none}
"""


def run(folder, *arguments, code=0):
    done = mgw(folder, *arguments)
    assert done.code == code, done.err
    return done


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mgw.yaml").write_text("{}")
    (tmp_path / "gateway.yaml").write_text(FILE)
    (tmp_path / "secret").write_text("s" * 40)
    return tmp_path


def test_the_file_that_comes_with_mgw_has_no_fault(tmp_path):
    (tmp_path / "mgw.yaml").write_text("{}")
    done = run(tmp_path, "gateway", "check")
    assert "34 routes" in done.out
    assert "discovery is not configured: 11 routes answer 503" in done.err
    routes = json.loads(run(tmp_path, "gateway", "routes", "--json").out)["routes"]
    assert {"/api/v1/sona/recommendations", "/api/v1/content/{id}", "/api/v1/playback/users/{id}/sessions"} <= {
        route["path"] for route in routes
    }
    assert {route["auth"] for route in routes} == {"required", "optional"}


def test_a_file_is_looked_over(folder):
    assert "2 routes to 1 upstream, no fault" in run(folder, "gateway", "check").out
    assert "/api/v1/a/{id}" in run(folder, "gateway", "routes").out
    document = json.loads(run(folder, "gateway", "check", "--json").out)
    assert document["warnings"] == ["gone is not configured: 1 routes answer 503"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("upstream: own}", "upsteam: own}", "did you mean upstream?"),
        ("methods: [POST]", "methods: [FETCH]", r"gateway.yaml:8:"),
        ("/a/{id}", "/a/{id", "not a path of whole pieces"),
        ("/a/{id}", "/a/../b", "not a path of whole pieces"),
        ("/a/{id}", "/a/{id}/{id}", "{id} is there twice"),
        (
            "  - {path: /b,",
            '  - {path: "/a/{x}", upstream: own}\n  - {path: /b,',
            "GET /a/{x} is never reached: routes[0] takes it",
        ),
        ("auth: none", "auth: none, scopes: [x]", "scopes take a token"),
        ("port: 8080", "port: 8080\ntrusted_proxies: [nonsense]", "trusted_proxies"),
        (
            "port: 8080",
            "port: 8080\nlimits: {free: {per_second: 1, per_minute: 100, burst: 1}}",
            "there is no tier anonymous",
        ),
        ("port: 8080", "port: 8080\nlimits: {free: {per_second: 1, per_minute: 100, burst: 1}}", "never reached"),
        ('{urls: ["http://127.0.0.1:9"]}', '{urls: ["http://user:pw@host/path"]}', "upstreams.own.urls[0]"),
        ('{urls: ["http://127.0.0.1:9"]}', "{}", "upstreams.own.urls: there are none"),
        (
            '["http://127.0.0.1:9"]}',
            '["http://127.0.0.1:9"], strip_prefix: /x}',
            "does not begin with what own takes away",
        ),
        (FILE[FILE.index("routes:") :], "routes: []", "routes: there are none"),
        ('"http://127.0.0.1:9"', '"http://["', "upstreams.own.urls[0]: there is no host"),
        ('"http://127.0.0.1:9"', '"http://127.0.0.1:99999"', "upstreams.own.urls[0]: there is no host"),
        ("/a/{id}", "/health/ready", "is the gateway's own, and never reached"),
        ("auth: none", "auth: none, subject: {body: user}", "nobody can be told apart"),
        ("auth: none", "subject: {}", "name where the user is"),
        ("auth: none", "subject: {path: user}", "there is no {user} in"),
        ("auth: none", 'auth: none, cors: {origins: ["*"], credentials: true}', "does not go with credentials"),
        ("auth: none", "auth: none, canary: {upstream: own}", "nobody goes to own"),
        ("auth: none", "auth: none, websocket: true", "takes GET alone"),
        ("auth: none", "limit: {per_second: 1, per_minute: 5, burst: 9}", "limit.burst: 9 are never reached"),
        ("port: 8080", "port: 8080\nadmin: {port: 8080}", "admin.port: 8080 is the gateway's own"),
        ("port: 8080", "port: 8080\ncache: {shared: true}", "there is no redis"),
        ("port: 8080", "port: 8080\nmetrics_from: [x]", "metrics_from"),
        ("port: 8080", "port: 8080\nredis: {}", "redis: name one of url and url_env"),
        ("port: 8080", "port: 8080\ntls: {cert_file: gone, key_file: gone}", "tls.cert_file: cannot read"),
        ("secret_file: secret", "secret_env: MGW_NOT_SET", "no environment variable MGW_NOT_SET"),
        ("secret_file: secret", "secret_file: secret, jwks_url: 'http://x'", "name one of"),
        ("secret_file: secret", "jwks_url: 'http://x'", "does not go with HS256"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(folder, old, new, said):
    assert old in FILE
    (folder / "gateway.yaml").write_text(FILE.replace(old, new))
    done = run(folder, "gateway", "check", code=2)
    assert said in done.err
    assert "CONFIG_INVALID" in done.err
    assert "user:pw" not in done.err


def test_a_token_is_for_development_and_of_the_gateways_own_secret(folder):
    made = run(folder, "token", "ann", "--tier", "pro", "--scope", "read").out.strip()
    assert made.count(".") == 2
    assert "there is no tier" in run(folder, "token", "ann", "--tier", "gold", code=2).err
    (folder / "gateway.yaml").write_text(FILE.replace("  keys: {secret_file: secret}", "  leeway_s: 10"))
    run(folder, "token", "ann")
    secret = folder / ".mgw" / "gateway.secret"
    assert secret.stat().st_mode & 0o777 == 0o600
    kept = secret.read_text()
    run(folder, "token", "ann")
    assert secret.read_text() == kept
    (folder / "gateway.yaml").write_text(FILE.replace("secret_file: secret", "secret_file: none"))
    assert "cannot read none" in run(folder, "token", "ann", code=2).err
    assert "cannot read none" in run(folder, "serve", "--only", "gateway", code=2).err


def ask(port, path, token=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={} if token is None else {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return None, b""
    finally:
        connection.close()


@pytest.fixture
def both(tmp_path, database_url):
    """`mgw serve`, with the service and the gateway on ports of their own."""
    service = free_port()
    gateway = next(port for port in iter(free_port, None) if port != service)
    settings = {"database": {"url": database_url}, "service": {"port": service}}
    (tmp_path / "mgw.yaml").write_text(json.dumps(settings))
    shipped = (ROOT / "configs" / "gateway.yaml").read_text()
    (tmp_path / "gateway.yaml").write_text(shipped.replace("port: 8080", f"port: {gateway}"))
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mgw", "serve"], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=environment(), start_new_session=True,
        )  # fmt: skip
    try:
        until(lambda: ask(gateway, "/api/v1/health")[0] == 200 and ask(service, "/health")[0] == 200, seconds=40)
        yield process, service, gateway, tmp_path
    finally:
        process.kill()
        process.wait()


def test_one_command_runs_both_and_ends_both(both):
    process, service, gateway, folder = both
    token = run(folder, "token", "ann", "--scope", "experiments").out.strip()
    assert ask(gateway, "/api/v1/sona/experiments")[0] == 401
    assert ask(gateway, "/api/v1/sona/experiments", token) == (200, b'{"experiments":[]}')
    assert ask(gateway, "/api/v1/genres")[0] == 503
    process.send_signal(signal.SIGHUP)
    until(lambda: "the gateway's file was read anew" in (folder / "log").read_text())
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert (ask(gateway, "/api/v1/health"), ask(service, "/health")) == ((None, b""), (None, b""))
    log = (folder / "log").read_text()
    assert log.index("the gateway has ended") < log.index("the service has ended")


def test_what_dies_is_started_anew_and_nothing_outlives_the_one_that_watches(both):
    process, service, gateway, _ = both
    threading.Event().wait(5)  # what ends sooner than that could not be run
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    dying = next(pid for pid in children if b"gateway" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(int(dying), signal.SIGKILL)
    until(lambda: ask(gateway, "/api/v1/health")[0] is None)
    until(lambda: ask(gateway, "/api/v1/health")[0] == 200)
    process.kill()
    until(lambda: ask(gateway, "/api/v1/health")[0] is None and ask(service, "/health")[0] is None)


def test_what_cannot_be_run_ends_the_other(tmp_path, database_url):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = {"database": {"url": database_url}, "service": {"port": free_port()}}
        (tmp_path / "mgw.yaml").write_text(json.dumps(settings))
        (tmp_path / "gateway.yaml").write_text(FILE.replace("8080", str(taken.getsockname()[1])))
        (tmp_path / "secret").write_text("s" * 40)
        said = run(tmp_path, "serve", code=2).err
        assert "ADDRESS_IN_USE" in said
        assert f"({os.getpid()})" in said  # who has it
