"""What gateways share through Redis: how often callers asked, which upstreams are left alone, and what is purged.

Limits are exact across workers and machines: one call of a script decides, by the clock of Redis. Where Redis is away
they do what `redis.when_away` says, and for a moment it is not asked again, so that no request waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from typing import TYPE_CHECKING, Any

import msgspec

from mgw.core.errors import ConfigInvalid, ExtraMissing
from mgw.core.problems import unavailable
from mgw.gateway.limits import Decision, decide
from mgw.gateway.worker_link import Purge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mgw.core.metrics import Value
    from mgw.gateway.definition import Redis
    from mgw.gateway.limits import Limiter, Rate

_log = logging.getLogger(__name__)
_LEFT_ALONE_S = 1.0
_CONNECTIONS = 64
_ROUNDING_S = 1e-9

_SCRIPT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1e6
local known = redis.call('GET', KEYS[1])
local before, after, allowed, longest = {}, {}, true, 0
if known then for number in string.gmatch(known, '[^ ]+') do before[#before + 1] = tonumber(number) end end
for place = 1, #ARGV, 2 do
  local interval, burst, rate = tonumber(ARGV[place]), tonumber(ARGV[place + 1]), (place + 1) / 2
  local ahead = math.max((before[rate] or 0) - now, 0)
  if ahead - interval * (burst - 1) > 1e-9 then allowed = false end
  after[rate] = string.format('%.17g', now + ahead + interval)
  longest = math.max(longest, ahead + interval)
end
if allowed then redis.call('SET', KEYS[1], table.concat(after, ' '), 'PX', math.ceil(longest * 1000) + 1000) end
return {string.format('%.17g', now), known or ''}
"""
"""Keeps arrival times as `limits.decide` does, and returns what they were; what follows from them is decided there."""


class Shared:
    """What a worker shares.

    Args:
        settings: where Redis is, and what to do without it.
        failures: counts questions without an answer.
        clock: monotonic, in seconds.

    Raises:
        ExtraMissing: the library is not installed.
        ConfigInvalid: there is no URL.
    """

    def __init__(self, settings: Redis, failures: Value, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            import redis.asyncio as library
            from redis.exceptions import RedisError
        except ImportError as error:
            raise ExtraMissing("redis: the library is not installed", hint="pip install 'mgw[redis]'") from error
        wait = settings.timeout_s
        pool = library.BlockingConnectionPool.from_url(  # who finds all connections taken waits for one
            url_of(settings), socket_timeout=wait, socket_connect_timeout=wait, max_connections=_CONNECTIONS,
            timeout=wait,
        )  # fmt: skip
        self.client = library.Redis.from_pool(pool)
        self._pubsub = library.Redis.from_url(url_of(settings), socket_connect_timeout=wait)
        self.failed = (RedisError, OSError, TimeoutError)
        self.prefix = settings.prefix
        self._settings = settings
        self._failures = failures
        self._clock = clock
        self._script = self.client.register_script(_SCRIPT)
        self._asked_again_at = 0.0

    @property
    def is_away(self) -> bool:
        """Whether it did not answer a moment ago."""
        return self._clock() < self._asked_again_at

    def note_failure(self, error: BaseException) -> None:
        """Leave Redis alone for a moment."""
        if not self.is_away:
            _log.warning("Redis does not answer: %s", type(error).__name__)
        self._failures.add()
        self._asked_again_at = self._clock() + _LEFT_ALONE_S

    async def ask(self, group: str, caller: str, rates: Sequence[Rate], local: Limiter) -> Decision:
        """Let a request pass or not; as `Limiter.ask`.

        Args:
            group: a tier, or a route.
            caller: whose requests are counted together.
            rates: of the group.
            local: counts where Redis is away, and the file says so.

        Raises:
            Problem: Redis is away, and the file says that nothing passes then.
        """
        if not self.is_away:
            arguments = [number for rate in rates for number in (rate.interval_s, rate.burst)]
            try:
                now, known = await self._script(keys=[f"{self.prefix}:limit:{group}:{caller}"], args=arguments)
            except self.failed as error:
                self.note_failure(error)
            else:
                before = [float(each) for each in known.split()] or [0.0] * len(rates)
                return decide(rates, before, float(now))[0]
        if self._settings.when_away == "closed":
            raise unavailable("requests cannot be counted at the moment", "LIMITS_UNAVAILABLE")
        if self._settings.when_away == "local":
            return local.ask(group, caller, rates)
        return Decision(True, rates[0].burst, rates[0].burst, 0.0, 0.0)

    async def publish(self, message: News) -> None:
        """Tell all gateways, this one among them."""
        try:
            await self.client.publish(f"{self.prefix}:news", msgspec.json.encode(message))
        except self.failed as error:
            self.note_failure(error)

    async def listen(self, on_news: Callable[[News], None], on_gap: Callable[[], None]) -> None:
        """Hear what gateways tell, until it is cancelled; after a failure again.

        Args:
            on_news: called with each piece of news.
            on_gap: called when it is heard again after a while in which it was not.
        """
        is_first = True
        while True:
            try:
                async with self._pubsub.pubsub() as channel:
                    await channel.subscribe(f"{self.prefix}:news")
                    if not is_first:
                        on_gap()
                    is_first = False
                    async for message in channel.listen():
                        if message["type"] == "message":
                            on_news(msgspec.json.decode(message["data"], type=News))
            except (*self.failed, msgspec.DecodeError) as error:
                _log.warning("news of other gateways: %s", type(error).__name__)
                await asyncio.sleep(_LEFT_ALONE_S)

    async def close(self) -> None:
        """Close its connections."""
        with contextlib.suppress(*self.failed):
            await self.client.aclose()
            await self._pubsub.aclose()


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """Something was changed through a gateway: what is kept of it is forgotten.

    Attributes:
        place: of the cache.
        by: which worker, so that it does not hear itself.
    """

    place: str
    by: str


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    """An upstream is left alone by a worker.

    Attributes:
        upstream: its name.
        by: which worker, so that it does not hear itself.
    """

    upstream: str
    by: str


News = Purge | Opened | Changed


def url_of(settings: Redis) -> str:
    """Return where Redis is.

    Raises:
        ConfigInvalid: the file does not say, or names a variable that is not there.
    """
    if (settings.url is None) == (settings.url_env is None):
        raise ConfigInvalid("redis: name one of url and url_env")
    if settings.url is not None:
        return settings.url
    found = os.environ.get(settings.url_env or "")
    if not found:
        raise ConfigInvalid(f"redis.url_env: there is no environment variable {settings.url_env}")
    return found


def worker_name() -> str:
    """Return by what gateways tell workers apart."""
    return f"{os.uname().nodename}:{os.getpid()}"


def open_together(shared: Shared, name: str) -> Callable[[], Any]:
    """Return what a breaker calls when it opens: the other workers leave the upstream alone, too."""

    def tell() -> None:
        task = asyncio.get_running_loop().create_task(shared.publish(Opened(name, worker_name())))
        _telling.add(task)
        task.add_done_callback(_telling.discard)

    return tell


_telling: set[asyncio.Task[None]] = set()
