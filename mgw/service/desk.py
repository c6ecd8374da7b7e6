"""The threads of a worker and the requests that wait for them: so many and no more, each for so long and no longer."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from mgw.core.problems import Problem, unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

_Request = TypeVar("_Request")
_Reply = TypeVar("_Reply")


class Desk:
    """Runs what blocks.

    Args:
        threads: how many.
        queue: how many more may wait.
        deadline_s: after how long a request is given up, waiting and work together.
        on_refused: called for each request that finds no place.
    """

    def __init__(self, threads: int, queue: int, deadline_s: float, on_refused: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="answer")
        self._deadline_s = deadline_s
        self._on_refused = on_refused
        self._places = threading.BoundedSemaphore(threads + queue)
        self._threads = threads
        self._inside = 0

    @property
    def busy(self) -> int:
        """How many threads answer."""
        return min(self._inside, self._threads)

    @property
    def waiting(self) -> int:
        """How many requests wait for one."""
        return max(self._inside - self._threads, 0)

    async def run(self, work: Callable[[_Request], _Reply], request: _Request) -> _Reply:
        """Do some work in a thread.

        Raises:
            Problem: there is no place left, or it took too long. What has begun goes on to its end all the same.
        """
        if not self._places.acquire(blocking=False):
            self._on_refused()
            raise unavailable("too many requests are waiting")
        self._inside += 1
        future = self._pool.submit(work, request)
        future.add_done_callback(self._leave)
        try:
            async with asyncio.timeout(self._deadline_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise Problem(
                HTTPStatus.GATEWAY_TIMEOUT, "TIMEOUT", f"no answer within {self._deadline_s:g} s", retry_after=1
            ) from None

    def close(self) -> None:
        """Let the threads end; what waits is done before."""
        self._pool.shutdown(wait=True)

    def _leave(self, _future: Future[_Reply]) -> None:
        self._inside -= 1
        self._places.release()
