"""One worker of the gateway: its policy, what it does beside requests, and the commands that it takes."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from typing import TYPE_CHECKING, Any

from mgw.gateway.application import Application
from mgw.gateway.cache.second_level import SecondLevel
from mgw.gateway.counting import Counts
from mgw.gateway.files import without_password
from mgw.gateway.health_checks import check_health
from mgw.gateway.limits import Limiter
from mgw.gateway.own_answers import Own
from mgw.gateway.policy import Means, Policy
from mgw.gateway.shared import Changed, Opened, Shared, worker_name
from mgw.gateway.tokens import make_verifier
from mgw.gateway.tracing import spans_of
from mgw.gateway.worker_link import Purge, Reload, Report, SetBreaker, WorkerLink

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian._granian import RSGIWebsocketProtocol as WebsocketProtocol
    from granian.rsgi import Scope

    from mgw.gateway.access_log import AccessLog
    from mgw.gateway.calls import Calls
    from mgw.gateway.runtime import RuntimeFolder
    from mgw.gateway.shared import News
    from mgw.gateway.transport import Transport
    from mgw.gateway.worker_link import Command

_log = logging.getLogger(__name__)
_KEEP_S = 1.0


class Worker:
    """What granian runs in a worker.

    Args:
        runtime: what it shares with the others, and finds the gateway's file in.
        folder: that relative paths in the file are meant from.
        transport: to the upstreams.
        access: the log of requests.
        on_start: called with the event loop, before anything else is done.
    """

    def __init__(
        self,
        runtime: RuntimeFolder,
        folder: Path,
        transport: Transport,
        access: AccessLog,
        on_start: Callable[[asyncio.AbstractEventLoop], None],
    ) -> None:
        gateway = runtime.gateway()
        self._runtime = runtime
        self._folder = folder
        self._transport = transport
        self._access = access
        self._on_start = on_start
        self._began = time.monotonic()
        self._counts = counts = Counts()
        self._shared = Shared(gateway.redis, counts.redis_failures.of()) if gateway.redis else None
        self._means = Means(transport, counts, Limiter(time.monotonic), self._shared)
        self._spans = spans_of(gateway.telemetry) if gateway.telemetry else None
        policy = Policy(gateway, make_verifier(gateway, folder, transport), self._means)
        own = Own(transport, counts, runtime)
        self._application = Application(policy, own, access, counts, self._spans)
        self._link = WorkerLink(runtime.socket(os.getpid()), self._carry_out)
        self._tasks: list[asyncio.Task[None]] = []
        self._of_policy: list[asyncio.Task[None]] = []
        counts.before_sample.append(self._look)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin."""
        self._on_start(loop)
        self._access.begin(loop)
        self._tasks = [loop.create_task(self._take_commands()), loop.create_task(self._keep_counts())]
        if self._shared is not None:
            self._tasks.append(loop.create_task(self._shared.listen(self._hear, self._forget_after_gap)))
        self._of_policy = [loop.create_task(each) for each in self._beside(self._application.policy)]

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End: the requests that were under way are answered by now."""
        self._link.end()
        for task in (*self._tasks, *self._of_policy):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*self._tasks, *self._of_policy, return_exceptions=True))
        loop.run_until_complete(self._transport.close())
        if self._shared is not None:
            loop.run_until_complete(self._shared.close())
        self._runtime.counts.keep(self._counts.sample())
        self._access.flush()
        if self._spans is not None:
            self._spans.end()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol | WebsocketProtocol) -> None:
        """Answer one request."""
        if scope.proto == "http":
            await self._application.answer(scope, protocol)  # type: ignore[arg-type]  # proto says which it is
        else:
            await self._application.answer_websocket(scope, protocol)  # type: ignore[arg-type]

    async def _carry_out(self, command: Command) -> Any:  # noqa: ANN401 - as many kinds of answers as commands
        match command:
            case Report():
                return self._report()
            case Reload():
                self._take()
                return True
            case SetBreaker(upstream=name, to=wanted):
                self._application.policy.calls[name].breaker.force(wanted)
                return str(self._application.policy.calls[name].breaker.state)
            case Purge():
                forgotten = self._purge(command)
                if command.is_first and self._shared is not None:
                    await self._purge_shared(command, self._shared)
                return forgotten

    def _hear(self, news: News) -> None:
        """Do what another gateway tells."""
        policy = self._application.policy
        match news:
            case Purge():
                self._purge(news)
            case Changed(place=place, by=who) if who != worker_name():
                policy.cache.change(place)
            case Opened(upstream=name, by=who) if who != worker_name() and name in policy.calls:
                policy.calls[name].breaker.open_as_told()

    def _forget_after_gap(self) -> None:
        """Forget what is kept here: what was purged or changed meanwhile is not known, and Redis has what is good."""
        policy = self._application.policy
        if policy.gateway.cache.shared:
            policy.cache.purge(lambda store: store.forget_prefix(""))

    async def _take_commands(self) -> None:
        """Listen for commands, and make up for one that came before anybody listened."""
        await self._link.begin()
        if self._runtime.gateway() != self._application.policy.gateway:
            self._take()

    def _take(self) -> None:
        """Work by what the file says now; requests that are under way keep what they began with."""
        gateway, before = self._runtime.gateway(), self._application.policy
        verifier = make_verifier(gateway, self._folder, self._transport, before.verifier)
        self._application.policy = policy = Policy(gateway, verifier, self._means, before)
        for task in self._of_policy:
            task.cancel()
        loop = asyncio.get_running_loop()
        self._of_policy = [loop.create_task(each) for each in self._beside(policy)]

    def _beside(self, policy: Policy) -> list[Coroutine[Any, Any, None]]:
        """Return what is done beside requests for as long as a policy holds."""
        checks = [check_health(name, calls, self._transport) for name, calls in policy.calls.items()]
        return [*checks, *([policy.verifier.keep_up()] if policy.verifier is not None else [])]

    def _purge(self, command: Purge) -> int:
        policy, value = self._application.policy, command.value
        match command.by:
            case "url":
                places = list(policy.places(value))
                return policy.cache.purge(lambda store: sum(map(store.forget, places)))
            case "prefix":
                prefixes = list(policy.prefixes(value))
                return policy.cache.purge(lambda store: sum(map(store.forget_prefix, prefixes)))
            case "tag":
                return policy.cache.purge(lambda store: store.forget_tag(value))
            case "everything":
                return policy.cache.purge(lambda store: store.forget_prefix(""))

    async def _purge_shared(self, command: Purge, shared: Shared) -> None:
        """Forget answers in Redis, and have the workers of other machines forget theirs."""
        policy, second = self._application.policy, SecondLevel(shared)
        match command.by:
            case "url":
                for place in policy.places(command.value):
                    await second.forget(place)
            case "prefix":
                for prefix in policy.prefixes(command.value):
                    await second.forget_prefix(prefix)
            case "tag":
                await second.forget_tag(command.value)
            case "everything":
                await second.forget_prefix("")
        await shared.publish(Purge(command.by, command.value))

    async def _keep_counts(self) -> None:
        while True:
            try:
                self._runtime.counts.keep(self._counts.sample())
            except OSError as error:
                _log.warning("counts cannot be kept: %s", error)
            await asyncio.sleep(_KEEP_S)

    def _look(self) -> None:
        """Bring the gauges up to date."""
        policy, counts = self._application.policy, self._counts
        counts.cache_bytes.of().value = policy.cache.store.size_bytes
        counts.cache_entries.of().value = len(policy.cache.store)
        for name, calls in policy.calls.items():
            counts.breaker_open.of(name).value = calls.breaker.state != "closed"
            counts.instances_left_out.of(name).value = len(calls.instances.left_out)
            counts.upstream_under_way.of(name).value = calls.instances.under_way

    def _report(self) -> dict[str, Any]:
        policy = self._application.policy
        return {
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - self._began, 3),
            "under_way": int(self._counts.under_way.value),
            "cache": {"entries": len(policy.cache.store), "bytes": policy.cache.store.size_bytes},
            "upstreams": {name: _stand(calls) for name, calls in policy.calls.items()},
        }


def _stand(calls: Calls) -> dict[str, Any]:
    return {
        "breaker": str(calls.breaker.state),
        "instances": [
            {
                "url": without_password(each.url), "under_way": each.under_way, "well": each.is_well,
                "left_out": each in calls.instances.left_out,
            }
            for each in calls.instances
        ],
    }  # fmt: skip
