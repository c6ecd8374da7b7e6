"""Who asks: JSON Web Tokens (RFC 7519), verified by joserfc, and what they claim checked here.

A verified token is remembered until it expires, by its whole text, because to verify it again costs more than all else
that the gateway does. What is remembered is bounded, and a token that was refused is not remembered.
"""

from __future__ import annotations

import base64
import os
import time
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from msgspec import Struct

from mgw.core.errors import ConfigInvalid
from mgw.gateway.jwks import PublishedKeys, read_key_set

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from mgw.gateway.definition import Gateway, Tokens
    from mgw.gateway.transport import Transport

_LONGEST = 8_192
_SHORTEST_SECRET = 32
_PUBLIC = ("public_key_file", "jwks_url", "jwks_file")
_KINDS: dict[str, Any] = {"RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey}


class TokenRefused(Exception):
    """A token is not taken.

    Attributes:
        code: for programs.
        message: for people; it never holds the token.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        user_id: the token's subject.
        tier: of the limits.
        scopes: what the token is good for.
        expires_at: seconds since 1970.
        claims: headers that tell upstreams all that.
    """

    user_id: str
    tier: str
    scopes: frozenset[str]
    expires_at: float
    claims: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, user_id: str, tier: str, scopes: frozenset[str], expires_at: float) -> Caller:
        """Make one, with its headers."""
        claims = ("x-auth-user", user_id), ("x-auth-tier", tier), ("x-auth-scopes", " ".join(sorted(scopes)))
        return cls(user_id, tier, scopes, expires_at, claims)


class Verifier:
    """Verifies tokens.

    Args:
        tokens: what is asked of them.
        key: that verifies; see `read_key`.
        tiers: that there are; a token of another tier is `free`.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        tokens: Tokens,
        key: Any,  # noqa: ANN401 - of the library's classes, or `PublishedKeys`
        tiers: Collection[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tokens = tokens
        self.tiers = frozenset(tiers)
        self._published = key if isinstance(key, PublishedKeys) else None
        self._key = None if self._published else key
        self._clock = clock
        self._algorithms = [*tokens.algorithms, *(["Ed25519"] if "EdDSA" in tokens.algorithms else [])]
        self._verified: OrderedDict[str, Caller] = OrderedDict()
        self._version = 0

    @property
    def is_ready(self) -> bool:
        """Whether there is a key."""
        return self._published is None or self._published.keys is not None

    @property
    def is_published(self) -> bool:
        """Whether its keys are fetched, and kept from one reading of the file to the next."""
        return self._published is not None

    async def keep_up(self) -> None:
        """Keep published keys up to date until it is cancelled."""
        if self._published is not None:
            await self._published.keep_up()

    def lacks_key_of(self, token: str) -> bool:
        """Say whether a token is signed with a published key that is not known yet: `fetch_keys` may find it."""
        published = self._published
        if published is None or token in self._verified:
            return False
        return len(token) <= _LONGEST and not published.knows(_key_id(token))

    async def fetch_keys(self) -> None:
        """Fetch published keys, unless that was done a moment ago."""
        if self._published is not None:
            await self._published.fetch()

    def caller(self, token: str) -> Caller:
        """Return who a token says it is.

        Raises:
            TokenRefused: it is not valid, or not now.
        """
        now = self._clock()
        if self._published is not None and self._published.version != self._version:
            self._verified.clear()  # a key that is no longer published vouches for nobody
            self._version = self._published.version
        found = self._verified.get(token)
        if found is None:
            found = self._verify(token, now)
            self._remember(token, found)
        if found.expires_at + self.tokens.leeway_s <= now:
            self._verified.pop(token, None)
            raise TokenRefused("TOKEN_EXPIRED", "the token has expired")
        return found

    def _verify(self, token: str, now: float) -> Caller:
        if len(token) > _LONGEST:
            raise TokenRefused("TOKEN_INVALID", f"the token is longer than {_LONGEST:,} characters")
        key: Any = self._published.keys if self._published else self._key
        if key is None:
            raise TokenRefused("TOKEN_INVALID", "there is no key to verify the token with")
        try:
            with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # of the name EdDSA, which is old
                claims = jwt.decode(token, key, algorithms=self._algorithms).claims
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefused("TOKEN_INVALID", "the token is not signed as it should be") from error
        return self._checked(claims, now)

    def _checked(self, claims: dict[str, Any], now: float) -> Caller:
        tokens = self.tokens
        for name in ("exp", "sub", *tokens.required_claims):
            if claims.get(name) in (None, ""):
                raise TokenRefused("TOKEN_INVALID", f"the token has no claim {name}")
        expires, begins = claims["exp"], claims.get("nbf", 0)
        if not (_is_time(expires) and _is_time(begins)):
            raise TokenRefused("TOKEN_INVALID", "the token's times are not numbers")
        if begins - tokens.leeway_s > now:
            raise TokenRefused("TOKEN_INVALID", "the token is not valid yet")
        if tokens.issuer is not None and claims.get("iss") != tokens.issuer:
            raise TokenRefused("TOKEN_INVALID", "the token is of another issuer")
        audience = claims.get("aud", [])
        if tokens.audience is not None and tokens.audience not in (
            audience if isinstance(audience, list) else [audience]
        ):
            raise TokenRefused("TOKEN_INVALID", "the token is for another audience")
        tier = claims.get(tokens.tier_claim)
        tier = tier if isinstance(tier, str) and tier in self.tiers else "free"
        return Caller.of(str(claims["sub"]), tier, _scopes(claims), float(expires))

    def _remember(self, token: str, caller: Caller) -> None:
        if self.tokens.cache_entries:
            self._verified[token] = caller
            if len(self._verified) > self.tokens.cache_entries:
                self._verified.popitem(last=False)


def make_verifier(
    gateway: Gateway, folder: Path, transport: Transport, before: Verifier | None = None
) -> Verifier | None:
    """Make what verifies tokens; None where no route takes any.

    Args:
        gateway: what its file says.
        folder: that relative paths in it are meant from.
        transport: fetches keys that are published.
        before: from the last reading of the file; kept where its keys are fetched and nothing else has changed.

    Raises:
        ConfigInvalid: as `read_key`.
    """
    if not takes_tokens(gateway):
        return None
    tokens, tiers = gateway.tokens, frozenset(gateway.limits)
    if before is not None and before.is_published and (before.tokens, before.tiers) == (tokens, tiers):
        return before
    return Verifier(tokens, read_key(tokens, folder, transport), tiers)


def takes_tokens(gateway: Gateway) -> bool:
    """Say whether any route looks at a token."""
    return any(route.auth != "none" for route in gateway.routes)


def read_key(tokens: Tokens, folder: Path, transport: Transport | None = None) -> Any:  # noqa: ANN401 - of the library's classes
    """Read the key that verifies tokens.

    Args:
        tokens: where it is.
        folder: that relative paths are meant from.
        transport: fetches keys that are published, later; without it there is no key then.

    Raises:
        ConfigInvalid: there is none, or more than one; it cannot be read, is too short, or does not fit the algorithms.
    """
    keys = tokens.keys
    named = [name for name in ("secret_file", "secret_env", *_PUBLIC) if getattr(keys, name)]
    if len(named) != 1:
        raise ConfigInvalid(
            "tokens.keys: name one of secret_file, secret_env, public_key_file, jwks_url and jwks_file",
            hint="`openssl rand -hex 32 > gateway.secret` makes a secret",
        )
    symmetric = [algorithm for algorithm in tokens.algorithms if algorithm == "HS256"]
    if symmetric and len(tokens.algorithms) > 1:
        raise ConfigInvalid("tokens.algorithms: HS256 beside others would take a public key for a secret")
    if (named[0] not in _PUBLIC) != bool(symmetric):
        raise ConfigInvalid(f"tokens.keys.{named[0]} does not go with {', '.join(tokens.algorithms)}")
    if keys.jwks_url:
        return None if transport is None else PublishedKeys(keys.jwks_url, tokens.jwks, transport)
    content = _content(named[0], getattr(keys, named[0]), folder)
    if symmetric:
        if len(content) < _SHORTEST_SECRET:
            raise ConfigInvalid(f"tokens.keys.{named[0]}: the secret has fewer than {_SHORTEST_SECRET} bytes")
        return OctKey.import_key(content)
    try:
        if keys.jwks_file:
            return read_key_set(content)
        return _KINDS[tokens.algorithms[0]].import_key(content)
    except (JoseError, ValueError, TypeError) as error:
        raise ConfigInvalid(f"tokens.keys.{named[0]} holds no key for {tokens.algorithms[0]}") from error


def _content(name: str, value: str, folder: Path) -> bytes:
    if name == "secret_env":
        found = os.environ.get(value)
        if found is None:
            raise ConfigInvalid(f"tokens.keys.secret_env: there is no environment variable {value}")
        return found.encode()
    try:
        return (folder / value).read_bytes().strip()
    except OSError as error:
        raise ConfigInvalid(f"tokens.keys.{name}: cannot read {value}: {error.strerror}") from error


def _key_id(token: str) -> str | None:
    """Return which key a token says to be signed with; None where it says nothing that can be read."""
    head = token.partition(".")[0]
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)), type=_Head)
    except (ValueError, msgspec.DecodeError):
        return None
    return found.kid


class _Head(Struct, frozen=True):
    kid: str | None = None


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    listed = claims.get("scopes")
    if isinstance(listed, list):
        return frozenset(each for each in listed if isinstance(each, str))
    return frozenset(str(claims.get("scope") or "").split())


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15
