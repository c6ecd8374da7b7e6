"""Keys that an issuer publishes: fetched, rotated, asked for when one is not known, and never too often."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from waiting import until

from mgw.gateway.definition import Jwks
from mgw.gateway.jwks import KeysInvalid, PublishedKeys, read_key_set
from mgw.gateway.transport import UpstreamUnreachable

from .conftest import answering, listening

OWN = {"path": "/own"}
MUCH = {"per_second": 1_000, "per_minute": 60_000, "burst": 1_000}
MANY = {"anonymous": MUCH, "free": MUCH}


def key_of(kid, kind=RSAKey):
    return kind.generate_key(2048 if kind is RSAKey else "P-256" if kind is ECKey else "Ed25519", {"kid": kid})


def bearer(key, algorithm="RS256", seconds=600, **claims):
    head = {"alg": algorithm, **({"kid": key.kid} if key.kid else {})}
    given = {"sub": "ann", "exp": int(time.time() + seconds), "tier": "free", **claims}
    return "Bearer " + jwt.encode(head, given, key, algorithms=[algorithm])


def published(*keys):
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


@pytest.fixture
def issuer():
    """Publishes keys; its `requests` say how often it was asked."""
    with listening() as made:
        yield made


def start_with(start, issuer, *keys, algorithms=("RS256",), **jwks):
    issuer.answer = answering(body=published(*keys))
    tokens = {
        "algorithms": list(algorithms), "keys": {"jwks_url": f"http://127.0.0.1:{issuer.port}/jwks"},
        "jwks": {"min_interval_s": 0.3, **jwks},
    }  # fmt: skip
    gateway = start(OWN, tokens=tokens, limits=MANY)
    until(lambda: gateway.ask("GET", "/health/ready").status == 200)
    return gateway


def test_a_token_of_a_published_key_is_taken_and_of_another_is_not(start, issuer):
    known, other = key_of("k1"), key_of("k1")
    gateway = start_with(start, issuer, known)
    assert gateway.ask("GET", "/api/own", Authorization=bearer(known)).status == 200
    assert gateway.ask("GET", "/api/own", Authorization=bearer(other)).code == "TOKEN_INVALID"
    assert gateway.ask("GET", "/api/own", Authorization=bearer(known, seconds=-600)).code == "TOKEN_EXPIRED"


def test_keys_are_rotated_a_new_one_is_found_at_once_and_an_old_one_vouches_no_more(start, issuer):
    old, new = key_of("k1"), key_of("k2")
    gateway = start_with(start, issuer, old)
    token = bearer(old)
    assert gateway.ask("GET", "/api/own", Authorization=token).status == 200
    issuer.answer = answering(body=published(new))
    threading.Event().wait(0.4)
    assert gateway.ask("GET", "/api/own", Authorization=bearer(new)).status == 200
    assert gateway.ask("GET", "/api/own", Authorization=token).status == 401  # it was remembered as good


def test_keys_that_nobody_has_do_not_make_the_issuer_busy(start, issuer):
    gateway = start_with(start, issuer, key_of("k1"), min_interval_s=600)
    before = len(issuer.requests)
    for number in range(20):
        assert gateway.ask("GET", "/api/own", Authorization=bearer(key_of(f"x{number}", ECKey), "ES256")).status == 401
    assert len(issuer.requests) <= before + 1


def test_keys_stay_good_while_the_issuer_is_away_and_without_any_nobody_is_refused_for_good(start, issuer):
    key = key_of("k1")
    gateway = start_with(start, issuer, key, refresh_s=0.1)
    issuer.answer = answering(status="500 Broken")
    gateway.told("cannot be fetched")
    assert gateway.ask("GET", "/api/own", Authorization=bearer(key)).status == 200
    issuer.answer = answering(body=b'{"keys": []}')
    gateway.told("no key in it to verify with")
    assert gateway.ask("GET", "/api/own", Authorization=bearer(key)).status == 200


def test_before_there_are_keys_it_is_not_ready(start, issuer):
    issuer.answer = answering(status="503 Off")
    keys = {"jwks_url": f"http://127.0.0.1:{issuer.port}/jwks"}
    gateway = start(OWN, tokens={"algorithms": ["RS256"], "keys": keys, "jwks": {"min_interval_s": 0.1}})
    assert gateway.ask("GET", "/health/ready").status == 503
    assert gateway.ask("GET", "/health").status == 200
    key = key_of("k1")
    reply = gateway.ask("GET", "/api/own", Authorization=bearer(key))
    assert (reply.status, reply.code) == (503, "KEYS_UNAVAILABLE")
    issuer.answer = answering(body=published(key))
    until(lambda: gateway.ask("GET", "/health/ready").status == 200)
    assert gateway.ask("GET", "/api/own", Authorization=bearer(key)).status == 200


def test_several_kinds_of_keys_stand_beside_each_other(start, issuer):
    keys = {"RS256": key_of("r"), "ES256": key_of("e", ECKey), "Ed25519": key_of("o", OKPKey)}
    gateway = start_with(start, issuer, *keys.values(), algorithms=("RS256", "ES256", "EdDSA"))
    for algorithm, key in keys.items():
        assert gateway.ask("GET", "/api/own", Authorization=bearer(key, algorithm)).status == 200, algorithm
    public_as_secret = OctKey.import_key(keys["RS256"].as_dict(private=False)["n"].encode())
    forged = "Bearer " + jwt.encode({"alg": "HS256", "kid": "r"}, {"sub": "x", "exp": 2e9}, public_as_secret)
    assert gateway.ask("GET", "/api/own", Authorization=forged).status == 401


def test_a_set_in_a_file_is_used_and_read_anew(start, tmp_path):
    old, new = key_of("k1"), key_of("k2")
    (tmp_path / "keys.json").write_bytes(published(old))
    gateway = start(OWN, tokens={"algorithms": ["RS256"], "keys": {"jwks_file": "keys.json"}})
    assert gateway.ask("GET", "/api/own", Authorization=bearer(old)).status == 200
    (tmp_path / "keys.json").write_bytes(published(new))
    gateway.told("was read anew")
    assert gateway.ask("GET", "/api/own", Authorization=bearer(new)).status == 200
    assert gateway.ask("GET", "/api/own", Authorization=bearer(old)).status == 401


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"nonsense", "no set of keys"),
        (b"[]", "no set of keys"),
        (b"{}", "no list"),
        (b'{"keys": [{"kty": "RSA", "use": "enc", "n": "AQ", "e": "AQAB"}]}', "no key in it"),
        (b'{"keys": [{"kty": "new"}]}', "no key in it"),
        (b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "secret"),
        (b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "d": "AQ"}]}', "secret"),
        (b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "!", "y": "?"}]}', "cannot be read"),
    ],
)
def test_a_document_that_is_no_set_of_public_keys_is_refused(document, message):
    with pytest.raises(KeysInvalid, match=message):
        read_key_set(document)


def test_keys_of_other_use_and_kind_stand_in_no_ones_way():
    key = key_of("k1", ECKey)
    document = json.loads(published(key))
    document["keys"] += [{"kty": "new", "kid": "z"}, {"kty": "RSA", "use": "enc", "n": "AQ", "e": "AQAB"}]
    found = read_key_set(json.dumps(document).encode())
    assert isinstance(found, KeySet)
    assert [each.kid for each in found.keys] == ["k1"]


def test_many_who_want_a_key_wait_for_one_fetch():
    class Transport:
        asked = 0

        async def send(self, *_):
            self.asked += 1
            await asyncio.sleep(0.05)
            raise UpstreamUnreachable("gone", sent=False)

    async def run():
        now = [0.0]
        transport = Transport()
        keys = PublishedKeys("http://issuer/jwks", Jwks(min_interval_s=10), transport, lambda: now[0])
        await asyncio.gather(*(keys.fetch() for _ in range(50)))
        assert transport.asked == 1
        now[0] = 9.9
        await keys.fetch()
        assert transport.asked == 1
        now[0] = 10.0
        await keys.fetch()
        assert transport.asked == 2
        assert not keys.knows("k1")

    asyncio.run(run())
