"""What the gateway answers for itself: whether it and its upstreams are well, and what it counted."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from mgw import __version__
from mgw.core.metrics import OPENMETRICS, PROMETHEUS, merged, render
from mgw.gateway.headers import is_trusted
from mgw.gateway.health_checks import is_well
from mgw.gateway.refusals import no_such_path, not_allowed
from mgw.gateway.replies import JSON, own

if TYPE_CHECKING:
    from collections.abc import Callable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol

    from mgw.gateway.calls import Calls
    from mgw.gateway.counting import Counts
    from mgw.gateway.exchange import Exchange
    from mgw.gateway.policy import Policy
    from mgw.gateway.runtime import RuntimeFolder
    from mgw.gateway.transport import Transport

_GOOD_FOR_S = 5.0
_WAIT_S = 2.0
_DEFAULT_PATH = "/health"

_encode = msgspec.json.Encoder().encode


class Own:
    """Answers on the gateway's own paths.

    Args:
        transport: to the upstreams.
        counts: of this worker.
        runtime: where the other workers keep theirs.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        counts: Counts,
        runtime: RuntimeFolder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._counts = counts
        self._runtime = runtime
        self._clock = clock
        self._began = clock()
        self._looked: tuple[float, Policy, asyncio.Task[dict[str, Any]]] | None = None

    async def answer(self, exchange: Exchange, protocol: HTTPProtocol, policy: Policy) -> None:
        """Answer on one of `OWN_PATHS`.

        Raises:
            Problem: it is not to be asked so, or not by this caller.
        """
        exchange.template = exchange.path
        if exchange.method not in {"GET", "HEAD"}:
            raise not_allowed(("GET", "HEAD"))
        path = exchange.path.removeprefix(policy.gateway.prefix)
        if path == "/metrics":
            if not is_trusted(exchange.client, policy.metrics_from):
                raise no_such_path()
            self._answer_metrics(exchange, protocol)
            return
        status, found = HTTPStatus.OK, self._health()
        if path == "/health/ready" and policy.verifier is not None and not policy.verifier.is_ready:
            status, found = HTTPStatus.SERVICE_UNAVAILABLE, {**found, "status": "waiting for the keys of tokens"}
        if path == "/health/aggregate":
            found = await self._aggregate(policy)
            status = HTTPStatus.OK if found["status"] == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
        own(exchange, protocol, status, [JSON, ("cache-control", "no-store")], _encode(found))

    def _health(self) -> dict[str, Any]:
        uptime = round(self._clock() - self._began, 3)
        return {"status": "ok", "version": __version__, "uptime_seconds": uptime}

    def _answer_metrics(self, exchange: Exchange, protocol: HTTPProtocol) -> None:
        openmetrics = "application/openmetrics-text" in exchange.named.get("accept", "")
        # What is told is what is kept, so that nothing that was told is lost, and no sum ever falls.
        self._runtime.counts.keep(self._counts.sample())
        families = merged(self._runtime.counts.read())
        kind = OPENMETRICS if openmetrics else PROMETHEUS
        text = render(families, openmetrics=openmetrics)
        own(exchange, protocol, HTTPStatus.OK, [("content-type", kind)], text.encode())

    async def _aggregate(self, policy: Policy) -> dict[str, Any]:
        """Ask all upstreams at once, and at most every few seconds, however many want to know."""
        now, looked = self._clock(), self._looked
        if looked is None or looked[0] <= now or looked[1] is not policy:
            task = asyncio.get_running_loop().create_task(self._look(policy))
            self._looked = looked = now + _GOOD_FOR_S, policy, task
        return await asyncio.shield(looked[2])

    async def _look(self, policy: Policy) -> dict[str, Any]:
        names = sorted(policy.calls)
        found = await asyncio.gather(*(self._look_at(policy.calls[name]) for name in names))
        is_well = all(each["status"] == "ok" for each in found)
        return {"status": "ok" if is_well else "degraded", "upstreams": dict(zip(names, found, strict=True))}

    async def _look_at(self, calls: Calls) -> dict[str, Any]:
        began, check = self._clock(), calls.upstream.health
        path = check.path if check is not None else _DEFAULT_PATH
        results = await asyncio.gather(
            *(is_well(each.url + path, _WAIT_S, self._transport) for each in calls.instances)
        )
        well = sum(results)
        status = "ok" if well == len(results) else "degraded" if well else "down"
        took_ms = round(1000 * (self._clock() - began), 1)
        return {"status": status, "instances": len(results), "well": well, "took_ms": took_ms}
