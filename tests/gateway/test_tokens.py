"""Tokens: made by another library where there is one, taken when they are good, and told why when not."""

from __future__ import annotations

import base64
import hmac
import json
import time

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from mgw.core.errors import ConfigInvalid
from mgw.gateway.definition import TIERS, Tokens
from mgw.gateway.tokens import TokenRefused, Verifier, read_key

SECRET = "s" * 40
NOW = 1_900_000_000.0


def tokens(**given):
    return msgspec.convert({"keys": {"secret_file": "secret"}, **given}, Tokens)


@pytest.fixture
def verifier(tmp_path):
    (tmp_path / "secret").write_text(SECRET + "\n")

    def make(clock=lambda: NOW, **given):
        asked = tokens(**given)
        return Verifier(asked, read_key(asked, tmp_path), TIERS, clock)

    return make


def signed(secret=SECRET, algorithm="HS256", **claims):
    return jwt.encode({"alg": algorithm}, {"sub": "ann", "exp": NOW + 60, **claims}, OctKey.import_key(secret))


def test_a_good_token_says_who_asks(verifier):
    caller = verifier().caller(signed(tier="pro", scope="read write"))
    assert (caller.user_id, caller.tier, caller.scopes) == ("ann", "pro", {"read", "write"})
    assert verifier().caller(signed(scopes=["a", 3], tier="none")).tier == "free"
    assert verifier().caller(signed(scopes=["a", 3])).scopes == {"a"}


@pytest.mark.parametrize(
    ("claims", "given", "said"),
    [
        ({"exp": NOW - 31}, {}, "expired"), ({"exp": None}, {}, "no claim exp"), ({"sub": ""}, {}, "no claim sub"),
        ({"exp": "soon"}, {}, "not numbers"), ({"exp": True}, {}, "not numbers"),
        ({"nbf": NOW + 31}, {}, "not valid yet"), ({"iss": "x"}, {"issuer": "y"}, "issuer"),
        ({}, {"issuer": "y"}, "issuer"), ({"aud": "x"}, {"audience": "y"}, "audience"),
        ({"aud": ["x"]}, {"audience": "y"}, "audience"), ({}, {"required_claims": ["email"]}, "no claim email"),
    ],
)  # fmt: skip
def test_what_a_token_claims_is_checked(verifier, claims, given, said):
    with pytest.raises(TokenRefused, match=said):
        verifier(**given).caller(signed(**claims))


def test_clocks_may_be_apart_a_little(verifier):
    assert verifier().caller(signed(exp=NOW - 29, nbf=NOW + 29)).user_id == "ann"
    assert verifier(audience="y").caller(signed(aud=["x", "y"])).user_id == "ann"


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forged(secret):
    """Sign with HS256 by hand: the library refuses to take a public key for a secret."""
    signed_part = f"{part({'alg': 'HS256'})}.{part({'sub': 'ann', 'exp': NOW + 60})}"
    signature = hmac.digest(secret, signed_part.encode(), "sha256")
    return f"{signed_part}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "token",
    [
        "", "x", "a.b.c", "..", signed("t" * 40), signed()[:-2] + "xx",
        f"{part({'alg': 'none'})}.{part({'sub': 'ann', 'exp': NOW + 60})}.",
        f"{part({'alg': 'HS512'})}.{part({'sub': 'ann', 'exp': NOW + 60})}.{'x' * 86}", "x" * 9_000,
    ],
)  # fmt: skip
def test_what_is_not_signed_as_it_should_be_is_refused(verifier, token):
    with pytest.raises(TokenRefused) as caught:
        verifier().caller(token)
    assert len(token) < 4 or token not in caught.value.message


def test_one_that_is_signed_by_hand_is_as_good(verifier):
    assert verifier().caller(forged(SECRET.encode())).user_id == "ann"


def test_a_remembered_token_expires_all_the_same(verifier):
    now = [NOW]
    asked = verifier(clock=lambda: now[0])
    token = signed()
    assert asked.caller(token) is asked.caller(token)
    now[0] += 91
    with pytest.raises(TokenRefused, match="expired"):
        asked.caller(token)


def test_what_is_remembered_is_bounded(verifier):
    asked = verifier(cache_entries=2)
    for number in range(5):
        asked.caller(signed(jti=str(number)))
    assert len(asked._verified) == 2


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [("RS256", lambda: RSAKey.generate_key(2048)), ("ES256", lambda: ECKey.generate_key("P-256")),
     ("EdDSA", lambda: OKPKey.generate_key("Ed25519"))],
)  # fmt: skip
def test_a_public_key_verifies_and_is_no_secret(tmp_path, algorithm, make):
    private = make()
    (tmp_path / "key.pem").write_bytes(private.as_pem(private=False))
    asked = tokens(algorithms=[algorithm], keys={"public_key_file": "key.pem"})
    verifier = Verifier(asked, read_key(asked, tmp_path), TIERS, time.time)
    name = "Ed25519" if algorithm == "EdDSA" else algorithm
    good = jwt.encode({"alg": name}, {"sub": "ann", "exp": time.time() + 60}, private, algorithms=[name])
    assert verifier.caller(good).user_id == "ann"
    with pytest.raises(TokenRefused):
        verifier.caller(forged((tmp_path / "key.pem").read_bytes()))  # the public key taken for a secret


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"keys": {}}, "name one of"), ({"keys": {"secret_file": "secret", "secret_env": "X"}}, "name one of"),
        ({"keys": {"secret_file": "none"}}, "cannot read none"),
        ({"keys": {"secret_env": "MGW_NOT_THERE"}}, "no environment"),
        ({"keys": {"secret_file": "short"}}, "fewer than 32 bytes"),
        ({"algorithms": ["HS256", "RS256"]}, "for a secret"),
        ({"algorithms": ["RS256"]}, "does not go with"), ({"keys": {"public_key_file": "secret"}}, "does not go with"),
        ({"algorithms": ["RS256"], "keys": {"public_key_file": "secret"}}, "no key for RS256"),
    ],
)  # fmt: skip
def test_keys_that_cannot_be_used_are_refused_before_anything_runs(tmp_path, given, said):
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "short").write_text("s3cret")
    with pytest.raises(ConfigInvalid, match=said) as caught:
        read_key(tokens(**given), tmp_path)
    assert SECRET not in caught.value.message
    assert "s3cret" not in caught.value.message
