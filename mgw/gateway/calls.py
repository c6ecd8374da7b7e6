"""A call to an upstream: through its breaker, to one of its instances, and to another one where that may help."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from mgw.gateway.breaker import Breaker
from mgw.gateway.instances import Instances
from mgw.gateway.refusals import busy, failing
from mgw.gateway.retries import IDEMPOTENT, RETRIED_STATUSES, RetryBudget
from mgw.gateway.transport import UpstreamError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from mgw.gateway.counting import UpstreamCounts
    from mgw.gateway.definition import Timeouts, Upstream
    from mgw.gateway.headers import Headers
    from mgw.gateway.instances import Instance
    from mgw.gateway.transport import Answer, Transport


class CalledAnswer:
    """An answer that counts as under way until it is closed."""

    def __init__(self, answer: Answer, instance: Instance) -> None:
        self._answer = answer
        self._instance = instance
        self.status = answer.status
        self.headers = answer.headers

    def body(self) -> AsyncIterator[bytes]:
        """Yield the body, piece by piece."""
        return self._answer.body()

    def whole(self) -> Awaitable[bytes]:
        """Return the body in one piece."""
        return self._answer.whole()

    def close(self) -> Awaitable[None]:
        """Let the connection go."""
        self._instance.under_way -= 1
        return self._answer.close()


class Calls:
    """The calls to one upstream.

    Args:
        name: of the upstream.
        upstream: where it is, and what it may do.
        transport: sends.
        counts: what came of it.
        on_open: called when its breaker opens.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        name: str,
        upstream: Upstream,
        transport: Transport,
        counts: UpstreamCounts,
        *,
        on_open: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.upstream = upstream
        self.breaker = Breaker(upstream.breaker, clock, on_open)
        self._name = name
        self._transport = transport
        self._counts = counts
        self._clock = clock
        self.instances = Instances(upstream.urls, clock, random.Random())  # noqa: S311 - which instance is no secret
        self._budget = RetryBudget(upstream.retries.budget, clock)

    async def send(
        self, method: str, target: str, headers: Headers, body: AsyncIterator[bytes] | bytes | None, timeouts: Timeouts
    ) -> CalledAnswer:
        """Send a request, again to another instance where that may help, and return when an answer has begun.

        Args:
            method: of the request.
            target: path and query.
            headers: of the request.
            body: whole, in pieces, or none; one in pieces is sent once.
            timeouts: of the answer.

        Raises:
            Unanswered: it is left alone for now, or has enough to do.
            UpstreamError: no instance answers.
        """
        self._budget.count()
        tried: list[Instance] = []
        while True:
            self._require_room()
            instance = self.instances.choose(tried)
            tried.append(instance)
            may_repeat = method in IDEMPOTENT and (body is None or isinstance(body, bytes))
            try:
                answer = await self._once(instance, method, target, headers, body, timeouts=timeouts)
            except UpstreamError as error:
                unseen = not error.sent and (body is None or isinstance(body, bytes))
                if not ((may_repeat or unseen) and self._may_retry(len(tried))):
                    raise
                self._counts.retried.add()
                continue
            if answer.status in RETRIED_STATUSES and may_repeat and self._may_retry(len(tried)):
                await answer.close()
                self._counts.retried.add()
                continue
            return answer

    @contextmanager
    def opening(self) -> Iterator[Instance]:
        """Yield an instance for a connection that stays open, and counts as under way until it ends.

        When it is open, `opened` is to be called.

        Raises:
            Unanswered: it is left alone for now, or has enough to do.
        """
        self._require_room()
        instance = self.instances.choose()
        instance.under_way += 1
        try:
            yield instance
        except UpstreamError:
            self._counts.broken.add()
            self._record(instance, failed=True)
            raise
        except BaseException:
            self.breaker.forget()
            raise
        finally:
            instance.under_way -= 1

    def opened(self, instance: Instance) -> None:
        """Take note that an instance has opened a connection."""
        self._counts.answered.add()
        self._record(instance, failed=False)

    def _require_room(self) -> None:
        """Refuse what the upstream is not to be asked now."""
        most = self.upstream.concurrency
        if most is not None and self.instances.under_way >= most:
            self._counts.refused.add()
            raise busy(self._name)
        if not self.breaker.admit():
            self._counts.refused.add()
            raise failing(self._name, self.breaker.retry_after_s)

    async def _once(
        self,
        instance: Instance,
        method: str,
        target: str,
        headers: Headers,
        body: AsyncIterator[bytes] | bytes | None,
        *,
        timeouts: Timeouts,
    ) -> CalledAnswer:
        began = self._clock()
        instance.under_way += 1
        try:
            answer = await self._transport.send(method, instance.url + target, headers, body, timeouts)
        except UpstreamError:
            instance.under_way -= 1
            self._counts.broken.add()
            self._record(instance, failed=True)
            raise
        except BaseException:  # the client went away, or its body broke off: that says nothing of the upstream
            instance.under_way -= 1
            self.breaker.forget()
            raise
        has_failed = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        (self._counts.failed if has_failed else self._counts.answered).add()
        slow = self.upstream.breaker.slow_s
        is_slow = slow is not None and self._clock() - began > slow
        self._record(instance, failed=has_failed or is_slow)
        return CalledAnswer(answer, instance)

    def _record(self, instance: Instance, *, failed: bool) -> None:
        self.breaker.record(failed=failed)
        self.instances.record(instance, failed=failed)

    def _may_retry(self, attempts: int) -> bool:
        return attempts <= self.upstream.retries.attempts and self._budget.take()
