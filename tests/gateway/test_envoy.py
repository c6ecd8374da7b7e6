"""The file as a configuration of Envoy: Envoy takes it, and answers one suite of requests as the gateway does."""

from __future__ import annotations

import contextlib
import http.client
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from joserfc.jwk import ECKey, RSAKey
from ports import free_port
from waiting import until

from mgw.core.processes import bound_to_parent
from mgw.gateway.envoy import envoy_configuration, keys_for_envoy
from mgw.gateway.envoy.clusters import authorities_file
from mgw.gateway.files import read_gateway

from .conftest import SECRET, Reply, answering, listening, starting, token

ROOT = Path(__file__).resolve().parents[2]
ENVOY = ROOT / ".venv" / "oracle" / "bin" / "envoy"
MUCH = {"per_second": 1_000, "per_minute": 60_000, "burst": 1_000}
FEW = {"per_second": 1, "per_minute": 3, "burst": 3}
ROUTES = [
    {"path": "/content/{id}", "auth": "optional"},
    {"path": "/content/trending", "methods": ["GET", "PUT"], "auth": "none", "upstream": "other"},
    {"path": "/own", "methods": ["GET", "POST"], "timeouts": {"first_byte_s": 2, "idle_s": 2, "total_s": 2}},
    {"path": "/own/{a}/parts/{b}", "methods": ["DELETE"]},
    {"path": "/write", "methods": ["POST"], "scopes": ["write", "films.read"]},
    {"path": "/paged", "auth": "none", "cors": {"origins": ["https://app.example"], "credentials": True}},
    {"path": "/next", "auth": "none", "canary": {"upstream": "other", "header": "x-c", "value": "1"}},
    {"path": "/nowhere", "auth": "none", "upstream": "none"},
    {"path": "/gone", "auth": "none", "upstream": "gone"},
]


@pytest.fixture(scope="module")
def envoy():
    if not ENVOY.exists():
        pytest.skip("Envoy is not here: `make unit` installs it into .venv/oracle where there is a wheel of it")
    return ENVOY


def validate(envoy, path):
    command = [envoy, "--mode", "validate", "-c", path, "-l", "warning"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "eprecated" not in done.stderr, done.stderr


def exported(folder, document, **changes):
    (folder / "gateway.yaml").write_text(json.dumps({**document, **changes}))
    gateway = read_gateway(folder / "gateway.yaml")
    (folder / "keys").write_bytes(keys_for_envoy(gateway, folder) or b"")
    return envoy_configuration(gateway, folder, str(folder / "keys"))


def test_what_the_file_of_the_project_says_can_be_taken_over(envoy, tmp_path):
    document = yaml.safe_load((ROOT / "configs" / "gateway.yaml").read_text())
    document["upstreams"]["sona"]["urls"] = ["http://127.0.0.1:8082"]
    (tmp_path / "secret").write_text(SECRET)
    document["tokens"]["keys"] = {"secret_file": "secret"}
    text, missing = exported(tmp_path, document)
    (tmp_path / "envoy.yaml").write_text(text)
    validate(envoy, tmp_path / "envoy.yaml")
    assert any("caching" in each for each in missing)
    assert SECRET not in text
    assert all(f"# not in it: {each}" in text for each in missing)


@pytest.mark.parametrize("kind", ["public_key_file", "jwks_file", "jwks_url"])
def test_other_keys_and_options_can_be_taken_over(envoy, tmp_path, kind):
    key = (
        ECKey.generate_key("P-256", {"kid": "k"})
        if kind == "public_key_file"
        else RSAKey.generate_key(2048, {"kid": "k"})
    )
    (tmp_path / "key.pem").write_bytes(key.as_pem(private=False))
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    keys = {"public_key_file": "key.pem", "jwks_file": "keys.json", "jwks_url": "https://login.example/jwks"}
    document = {
        "tokens": {
            "algorithms": ["ES256" if kind == "public_key_file" else "RS256"], "keys": {kind: keys[kind]},
            "issuer": "https://login.example", "audience": "films",
        },
        "upstreams": {
            "own": {
                "urls": ["http://127.0.0.1:9001", "http://127.0.0.1:9002"], "health": {}, "concurrency": 9,
                "strip_prefix": "/api/v1", "add_prefix": "/v2",
            },
            "next": {"urls": ["https://next.example"]},
        },
        "routes": [
            {"path": "/live", "upstream": "own", "websocket": True},
            {"path": "/c/{id}", "upstream": "own", "canary": {"upstream": "next", "weight": 0.1}},
            {"path": "/f", "upstream": "own", "fallback": {"body": {}}, "limit": {**FEW, "by": "route"}},
        ],
    }  # fmt: skip
    text, missing = exported(tmp_path, document)
    (tmp_path / "envoy.yaml").write_text(text)
    validate(envoy, tmp_path / "envoy.yaml")
    clusters = {each["name"]: each for each in yaml.safe_load(text)["static_resources"]["clusters"]}
    tls = clusters["next"]["transport_socket"]["typed_config"]
    authorities = authorities_file()
    assert (tls["sni"], tls["auto_sni_san_validation"]) == ("next.example", authorities is not None)
    if authorities is None:
        assert any("VERIFYING" in each for each in missing)
    else:
        assert tls["common_tls_context"]["validation_context"] == {"trusted_ca": {"filename": authorities}}
    for expected in ("fallback", "limits of single routes", "stay with a canary"):
        assert any(expected in each for each in missing)


@pytest.fixture(scope="module")
def both(envoy, tmp_path_factory):
    """The gateway and Envoy, made from one file, before the same upstreams."""
    folder = tmp_path_factory.mktemp("both")
    with listening() as own, listening() as other, contextlib.ExitStack() as stack:
        other.answer = answering(body=b"other")
        upstreams = {
            "own": {"urls": [f"http://127.0.0.1:{own.port}"], "strip_prefix": "/api", "add_prefix": "/v2"},
            "other": {"urls": [f"http://127.0.0.1:{other.port}"]},
            "gone": {"urls": [f"http://127.0.0.1:{free_port()}"], "retries": {"attempts": 0}},
        }
        limits = {"anonymous": MUCH, "free": MUCH, "enterprise": MUCH, "few": FEW}
        gateway = stack.enter_context(starting(folder, own, *ROUTES, upstreams=upstreams, limits=limits))
        port = free_port()
        text, _ = exported(folder, {**gateway.document, "port": port})
        (folder / "envoy.yaml").write_text(text)
        validate(envoy, folder / "envoy.yaml")
        command = [envoy, "-c", folder / "envoy.yaml", "--concurrency", "1", "-l", "error", "--base-id", str(port)]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=bound_to_parent(),  # noqa: PLW1509 - one call of the kernel, looked up before
        )  # fmt: skip
        stack.callback(process.wait)
        stack.callback(process.kill)

        def ask_envoy(method, path, body=None, **headers):
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
                connection.request(
                    method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
                )
                answer = connection.getresponse()
                return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

        def listens():
            with contextlib.suppress(OSError):
                return ask_envoy("GET", "/api/paged").status == 200

        until(listens)
        yield gateway.ask, ask_envoy, own


def bearer(user="ann", **claims):
    return {"Authorization": token(user, **claims)}


SUITE = {
    "spelled before any": ("GET", "/api/content/trending", {}),
    "any piece": ("GET", "/api/content/42", {}),
    "a query": ("GET", "/api/content/42?a=1&b=%20", {}),
    "a head": ("HEAD", "/api/content/42", {}),
    "another method of it": ("PUT", "/api/content/trending", {}),
    "a method that it does not take": ("PUT", "/api/content/42", {}),
    "no such path": ("GET", "/api/none", {}),
    "a path too long": ("GET", "/api/content/42/more", {}),
    "no prefix": ("GET", "/content/42", {}),
    "no token": ("GET", "/api/own", {}),
    "a token": ("GET", "/api/own", bearer()),
    "a bad token": ("GET", "/api/own", {"Authorization": "Bearer x.y.z"}),
    "a bad token where none is needed": ("GET", "/api/content/42", {"Authorization": "Bearer x.y.z"}),
    "a token where none is looked at": ("GET", "/api/paged", {"Authorization": "Bearer x.y.z"}),
    "an old token": ("GET", "/api/own", bearer(seconds=-600)),
    "a token with a claim forged": ("GET", "/api/own", {**bearer(), "X_Auth_User": "root"}),
    "two pieces": ("DELETE", "/api/own/1/parts/2", bearer()),
    "no scope": ("POST", "/api/write", bearer()),
    "one scope of two": ("POST", "/api/write", bearer(scope="write")),
    "a scope that only begins so": ("POST", "/api/write", bearer(scope="writer films.read")),
    "a scope that a dot would match": ("POST", "/api/write", bearer(scope="write filmsxread")),
    "both scopes": ("POST", "/api/write", bearer(scope="films.read x write")),
    "both scopes as a list": ("POST", "/api/write", bearer(scopes=["write", "films.read"])),
    "a canary by header": ("GET", "/api/next", {"X_C": "1"}),
    "no canary by header": ("GET", "/api/next", {"X_C": "0"}),
    "an upstream that is not configured": ("GET", "/api/nowhere", {}),
    "an upstream that is gone": ("GET", "/api/gone", {}),
    "an origin that may ask": ("GET", "/api/paged", {"Origin": "https://app.example"}),
    "an origin that may not ask": ("GET", "/api/paged", {"Origin": "https://evil.example"}),
}


@pytest.mark.parametrize("name", SUITE)
def test_both_answer_alike(both, name):
    method, path, headers = SUITE[name]
    ours, theirs, own = both
    found = []
    for ask in (ours, theirs):
        before = len(own.requests)
        reply = ask(method, path, b"{}" if method in {"POST", "PUT"} else None, **headers)
        seen = own.head if len(own.requests) > before else {}
        sent = {key: seen.get(key) for key in ("", "x-auth-user", "x-auth-tier")}
        allowed = reply.headers.get("access-control-allow-origin")
        found.append((reply.status, sent, allowed, reply.body if reply.status == 200 else b""))
    assert found[0] == found[1]


def test_both_refuse_who_asks_too_often(both):
    ours, theirs, _ = both
    for ask in (ours, theirs):
        one, other = bearer("few-1", tier="few"), bearer("few-2", tier="few")
        assert [ask("GET", "/api/own", **one).status for _ in range(4)] == [200, 200, 200, 429]
        assert ask("GET", "/api/own", **other).status == 200
        assert ask("GET", "/api/own", **bearer("many", tier="unheard-of")).status == 200
