"""Keys that an issuer publishes (RFC 7517): fetched, kept up to date, and fetched anew for a key that is not known."""

from __future__ import annotations

import asyncio
import logging
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from mgw.gateway.definition import Timeouts
from mgw.gateway.transport import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mgw.gateway.definition import Jwks
    from mgw.gateway.transport import Transport

_log = logging.getLogger(__name__)
_LONGEST = 1_048_576
_SOON_S = 1.0


class KeysInvalid(ValueError):
    """A document is no set of public keys."""


class PublishedKeys:
    """The keys of one issuer.

    Args:
        url: where they are.
        settings: how they are kept up to date.
        transport: fetches them.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, url: str, settings: Jwks, transport: Transport, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.keys: KeySet | None = None
        self.version = 0
        self._ids: frozenset[str] = frozenset()
        self._url = url
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._fetched_at: float | None = None
        self._fetching: asyncio.Task[None] | None = None

    def knows(self, key_id: str | None) -> bool:
        """Say whether there is a key of this name, or, where a token names none, any key at all."""
        return self.keys is not None and (key_id is None or key_id in self._ids)

    async def fetch(self) -> None:
        """Fetch the keys, unless that was done a moment ago; whoever asks meanwhile waits for the same answer."""
        if self._fetching is None:
            now = self._clock()
            if self._fetched_at is not None and now - self._fetched_at < self._settings.min_interval_s:
                return
            self._fetched_at = now
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        try:
            await asyncio.shield(self._fetching)
        finally:
            if self._fetching is not None and self._fetching.done():
                self._fetching = None

    async def keep_up(self) -> None:
        """Fetch the keys from time to time until it is cancelled; soon again for as long as there are none."""
        while True:
            await self.fetch()
            await asyncio.sleep(self._settings.refresh_s if self.keys is not None else _SOON_S)

    async def _fetch(self) -> None:
        """Take the keys over; where that cannot be done, those that there are stay good."""
        try:
            keys = read_key_set(await self._document())
        except (UpstreamError, KeysInvalid) as error:
            _log.warning("the keys of tokens cannot be fetched: %s", error)
            return
        except Exception:  # noqa: BLE001 - whatever an issuer sends, the next fetch is made
            _log.exception("the keys of tokens cannot be fetched")
            return
        ids = frozenset(key.kid for key in keys.keys if key.kid)
        if self.keys is None or keys.as_dict() != self.keys.as_dict():
            self.keys, self._ids, self.version = keys, ids, self.version + 1

    async def _document(self) -> bytes:
        wait = self._settings.timeout_s
        timeouts = Timeouts(connect_s=wait, first_byte_s=wait, idle_s=wait, total_s=wait)
        answer = await self._transport.send("GET", self._url, [("accept", "application/json")], None, timeouts)
        try:
            if answer.status != HTTPStatus.OK:
                raise KeysInvalid(f"the answer has status {answer.status}")
            content = bytearray()
            async for piece in answer.body():
                content += piece
                if len(content) > _LONGEST:
                    raise KeysInvalid(f"the answer is longer than {_LONGEST:,} bytes")
            return bytes(content)
        finally:
            await answer.close()


def read_key_set(document: bytes) -> KeySet:
    """Read a set of public keys; those for encryption and of unknown kinds are left out.

    Raises:
        KeysInvalid: it is none, there is none to verify with in it, or one in it is a secret.
    """
    try:
        found = msgspec.json.decode(document, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise KeysInvalid(f"it is no set of keys: {error}") from error
    listed = found.get("keys")
    if not isinstance(listed, list):
        raise KeysInvalid("it is no set of keys: it has no list `keys`")
    usable = [
        key
        for key in listed
        if isinstance(key, dict) and key.get("use", "sig") == "sig" and key.get("kty") in {"RSA", "EC", "OKP", "oct"}
    ]
    if any(key["kty"] == "oct" or "d" in key for key in usable):
        raise KeysInvalid("a key in it is a secret")
    if not usable:
        raise KeysInvalid("there is no key in it to verify with")
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise KeysInvalid(f"a key in it cannot be read: {error}") from error
