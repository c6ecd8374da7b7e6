"""One request: routed, read, validated, answered from the cache or by a thread, or refused in the common shape.

The interface is RSGI, granian's own: `scope` is what was asked, `protocol` reads the body and takes the answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import re
import secrets
import threading
import time
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any

import msgspec

from mgw import __version__
from mgw.core.audit import Actor
from mgw.core.errors import MgwError
from mgw.core.metrics import OPENMETRICS, PROMETHEUS
from mgw.core.problems import Problem, bad_request, internal_error
from mgw.service.desk import Desk
from mgw.service.endpoints import ENDPOINTS, Routes
from mgw.service.experiment_answers import Call, ExperimentAnswers
from mgw.service.messages import (
    HealthReply,
    ModelHealth,
    ProfileUpdateRequest,
    RecommendationsReply,
    RecommendationsRequest,
)
from mgw.service.openapi import openapi_document
from mgw.service.pages import documentation_page
from mgw.service.problems import problem_of
from mgw.service.refits import Refits
from mgw.service.validation import decode, readable_events

if TYPE_CHECKING:
    from collections.abc import Callable

    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

    from mgw.core.settings import ServiceSettings
    from mgw.service.answers import Answers
    from mgw.service.cache import ResultCache
    from mgw.service.counting import Metrics
    from mgw.service.endpoints import Endpoint

_log = logging.getLogger(__name__)

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_JSON = ("content-type", "application/json")
_HEALTH = frozenset({"health", "ready"})

_LONGEST_AGENT = 500
_METRICS, _UNROUTED = "/metrics", "none"
_SAMPLED = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f][13579bdf]")


class Application:
    """Answers requests until it is stopped.

    Args:
        answers: what is answered.
        cache: what was.
        settings: of the service.
        metrics: what is counted.
        on_start: called with the event loop, before anything else is done.
    """

    def __init__(
        self,
        answers: Answers,
        cache: ResultCache,
        settings: ServiceSettings,
        metrics: Metrics,
        on_start: Callable[[asyncio.AbstractEventLoop], None],
    ) -> None:
        self._answers = answers
        self._on_start = on_start
        self._metrics = metrics
        self._counts = metrics.counts
        self._cache = cache
        self._settings = settings
        self._desk = Desk(settings.threads, settings.queue, settings.deadline_s, metrics.counts.refused)
        self._routes = Routes(ENDPOINTS)
        self._decoders = {
            endpoint.name: msgspec.json.Decoder(endpoint.request)
            for endpoint in ENDPOINTS
            if endpoint.request is not None
        }
        self._work: dict[str, Callable[[Any], Any]] = {
            "recommend": answers.recommend,
            "similar": answers.similar,
            "score": answers.score,
            "update": answers.update,
        }
        of_experiments = ExperimentAnswers(answers.connections)
        self._calls: dict[str, Callable[[Call], Any]] = {
            f"experiments.{name}": getattr(of_experiments, name)
            for name in ("create", "list", "show", "set_status", "metrics", "convert")
        }
        self._calls["train"] = lambda call: answers.train(call.body, call.actor)
        document = openapi_document(settings.most_titles)
        self._pages = {
            "/openapi.json": (_JSON, msgspec.json.encode(document)),
            "/docs": (("content-type", "text/html; charset=utf-8"), documentation_page(document).encode()),
        }
        self._encoder = msgspec.json.Encoder()
        self._began = time.monotonic()
        self._ids, self._id_prefix = itertools.count(1), secrets.token_hex(6)
        self._ended = threading.Event()
        self._refits = Refits(answers.refit)
        self._refresher = threading.Thread(target=self._refresh, name="refresh", daemon=True)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin: what can be had of model and database is there before the first request is."""
        self._on_start(loop)
        self._answers.refresh()
        self._refresher.start()
        self._refits.start()
        self._answers.experiments.start()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End: the requests that were under way are answered by now."""
        self._ended.set()
        self._desk.close()
        self._refits.close(self._settings.deadline_s)
        self._answers.experiments.close(self._settings.deadline_s)
        self._answers.close()
        self._refresher.join(self._settings.deadline_s)

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        """Answer one request."""
        if scope.proto != "http":
            return
        began = time.perf_counter()
        request_id = self._request_id(scope)
        try:
            status, headers, body = await self._answer(scope, protocol)
        except Problem as problem:
            status, headers, body = self._refusal(problem, request_id)
        except MgwError as error:
            told = problem_of(error)
            if told.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                _log.warning("request %s: %s", request_id, error.message)
            status, headers, body = self._refusal(told, request_id)
        except Exception:  # noqa: BLE001 - the outermost edge
            _log.exception("request %s: %s %s", request_id, scope.method, scope.path)
            status, headers, body = self._refusal(internal_error(), request_id)
        headers.append(("x-request-id", request_id))
        if scope.method == "HEAD":
            protocol.response_empty(status, headers)
        else:
            protocol.response_bytes(status, headers, body)
        self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request: by the template of its path, so that nobody outside can make routes."""
        route = self._routes.template(scope.path) or (scope.path if scope.path in self._pages else _UNROUTED)
        sampled = _SAMPLED.fullmatch(scope.headers.get("traceparent") or "")
        method = scope.method if route != _UNROUTED else _UNROUTED
        self._counts.request(route, method, status, seconds, sampled[1] if sampled else "")

    def _tell(self, scope: Scope) -> tuple[int, list[tuple[str, str]], bytes]:
        """Answer on /metrics."""
        openmetrics = "application/openmetrics-text" in (scope.headers.get("accept") or "")
        self._look()
        self._answers.look(self._metrics.gauges)
        text = self._metrics.text(openmetrics=openmetrics)
        return HTTPStatus.OK, [("content-type", OPENMETRICS if openmetrics else PROMETHEUS)], text.encode()

    def _look(self) -> None:
        """Say how this worker stands."""
        counts = self._counts
        counts.threads_busy.value, counts.waiting.value = float(self._desk.busy), float(self._desk.waiting)
        counts.refits_waiting.value, counts.cached_lists.value = float(self._refits.waiting), float(len(self._cache))
        counts.connections.value = float(self._answers.connections.open)
        model = self._answers.models.current
        if model is not None:
            counts.model(model.name, model.created_at.timestamp())

    async def _answer(self, scope: Scope, protocol: HTTPProtocol) -> tuple[int, list[tuple[str, str]], bytes]:
        found = self._endpoint(scope)
        if found is None and scope.path == _METRICS:
            return self._tell(scope)
        if found is None:
            header, body = self._pages[scope.path]
            return HTTPStatus.OK, [header], body
        endpoint, name = found
        if endpoint.name in _HEALTH:
            return self._health(ready=endpoint.name == "ready")
        request = None
        if endpoint.request is not None:
            body = await _read_body(scope, protocol, self._settings.body_limit_bytes, self._settings.deadline_s)
            request = await self._decode(endpoint.name, body)
        if endpoint.name in self._calls:
            call = Call(name, request, _actor(scope))
            return HTTPStatus.OK, [_JSON], self._encoder.encode(await self._desk.run(self._calls[endpoint.name], call))
        if isinstance(request, RecommendationsRequest):
            return await self._recommend(request)
        reply = await self._desk.run(self._work[endpoint.name], request)
        if isinstance(request, ProfileUpdateRequest):
            self._refits.add(request.user_id)
        return HTTPStatus.OK, [_JSON], self._encoder.encode(reply)

    async def _decode(self, name: str, body: bytes) -> Any:  # noqa: ANN401 - of the type that the endpoint takes
        """Read a request; of an update that is not valid, what only the database can tell is found too."""
        try:
            return decode(body, self._decoders[name])
        except Problem as problem:
            if name != "update" or not problem.faults:
                raise
            with contextlib.suppress(MgwError, Problem):  # what was found without the database is to be told anyway
                problem.faults += tuple(await self._desk.run(self._answers.update_faults, readable_events(body)))
            raise

    async def _recommend(self, request: RecommendationsRequest) -> tuple[int, list[tuple[str, str]], bytes]:
        model = self._answers.models.current
        version = f"{model.version} {self._answers.experiments.version}" if model else None
        kept = self._cache.get(request, version)
        self._counts.cached(hit=kept is not None)
        if kept is not None:
            return HTTPStatus.OK, [_JSON, ("x-cache", "hit")], kept
        seen = self._cache.seen(request.user_id)
        reply: RecommendationsReply = await self._desk.run(self._answers.recommend, request)
        body = self._encoder.encode(reply)
        if model is not None and version is not None and reply.model == model.name and not reply.degraded:
            self._cache.put(request, body, version, seen)
        return HTTPStatus.OK, [_JSON, ("x-cache", "miss")], body

    def _endpoint(self, scope: Scope) -> tuple[Endpoint, str] | None:
        """Find what is asked for, and the name in the path; None is one of the pages.

        Raises:
            Problem: there is no such path, or it does not take the method.
        """
        method = "GET" if scope.method == "HEAD" else scope.method
        if scope.path in self._pages or scope.path == _METRICS:
            allowed = {"GET"}
        elif (found := self._routes.find(scope.path)) is not None:
            methods, name = found
            allowed = set(methods)
            if method in methods:
                return methods[method], name
        else:
            raise Problem(HTTPStatus.NOT_FOUND, "NOT_FOUND", "there is nothing here; /docs shows what there is")
        if method in allowed:
            return None
        allow = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
        raise Problem(
            HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", f"this takes {allow}", headers=(("allow", allow),)
        )

    def _health(self, *, ready: bool) -> tuple[int, list[tuple[str, str]], bytes]:
        models, is_away = self._answers.models, self._answers.connections.is_away
        model = models.current
        gone = (model is None) + is_away
        stale = models.error if model is not None else None
        reply = HealthReply(
            status="unhealthy" if gone == 2 else "degraded" if gone or stale else "ok",
            version=__version__,
            model=ModelHealth(
                name=model.name if model else None,
                adapters=model.adapters_name if model else None,
                loaded_at=model.loaded_at if model else None,
                error=models.error,
            ),
            database="away" if is_away else "ok",
            uptime_seconds=round(time.monotonic() - self._began, 3),
        )
        status = HTTPStatus.SERVICE_UNAVAILABLE if ready and gone == 2 else HTTPStatus.OK
        return status, [_JSON], self._encoder.encode(reply)

    def _refusal(self, problem: Problem, request_id: str) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = [_JSON, *problem.headers]
        if problem.retry_after is not None:
            headers.append(("retry-after", str(problem.retry_after)))
        return problem.status, headers, self._encoder.encode(problem.reply(request_id))

    def _request_id(self, scope: Scope) -> str:
        given = scope.headers.get("x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            return str(given)
        return f"{self._id_prefix}-{next(self._ids):x}"

    def _refresh(self) -> None:
        while not self._ended.wait(self._settings.refresh_s):
            try:
                self._answers.refresh()
                self._look()
                self._metrics.keep()
            except Exception:  # noqa: BLE001 - the thread must not end
                _log.exception("refreshing")


def _actor(scope: Scope) -> Actor:
    """Say who asks: as a gateway on this machine tells it, else by address."""
    peer = _address(scope.client.rpartition(":")[0].strip("[]"))
    agent = (scope.headers.get("user-agent") or "")[:_LONGEST_AGENT] or None
    if peer is None or not peer.is_loopback:
        return Actor(None, None if peer is None else str(peer), agent)
    client = _address((scope.headers.get("x-forwarded-for") or "").partition(",")[0].strip())
    return Actor(scope.headers.get("x-auth-user"), str(client or peer), agent)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


async def _read_body(scope: Scope, protocol: HTTPProtocol, limit_bytes: int, deadline_s: float) -> bytes:
    """Read the body, but not more than is allowed, nor for longer.

    Raises:
        Problem: it is too long, too slow, or ended before its end.
    """
    length = scope.headers.get("content-length")
    if length is not None and int(length) > limit_bytes:
        raise _too_large(limit_bytes)
    try:
        async with asyncio.timeout(deadline_s):
            if length is not None:
                body = await protocol()
            else:
                body = await _read_chunks(protocol, limit_bytes)
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT, "TIMEOUT", f"the body did not arrive within {deadline_s:g} s",
            headers=(("connection", "close"),),
        ) from None  # fmt: skip
    if length is not None and len(body) != int(length):
        raise bad_request("the body ended before its end")
    return body


async def _read_chunks(protocol: HTTPProtocol, limit_bytes: int) -> bytes:
    pieces, size = [], 0
    async for chunk in protocol:
        size += len(chunk)
        if size > limit_bytes:
            raise _too_large(limit_bytes)
        pieces.append(chunk)
    return b"".join(pieces)


def _too_large(limit_bytes: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BODY_TOO_LARGE", f"the body is longer than {limit_bytes:,} bytes",
        headers=(("connection", "close"),),
    )  # fmt: skip
