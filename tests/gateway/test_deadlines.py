"""Deadlines by one timer: what is late ends, what is not late is left alone, and who cancels is not mistaken for it."""

from __future__ import annotations

import asyncio

import pytest

from mgw.gateway.deadlines import TICK_S, Deadlines


def test_what_is_late_ends_and_what_is_in_time_does_not():
    async def run():
        deadlines, loop = Deadlines(), asyncio.get_running_loop()
        with deadlines.within(5):
            await asyncio.sleep(0)
        began = loop.time()
        with pytest.raises(TimeoutError), deadlines.within(0.1):
            await asyncio.sleep(30)
        assert 0.1 <= loop.time() - began <= 0.1 + 10 * TICK_S
        await asyncio.sleep(0)  # nothing of it is left: the task goes on
        with pytest.raises(ValueError, match="own"), deadlines.within(5):
            raise ValueError("own")

    asyncio.run(run())


def test_many_wait_for_one_timer():
    async def wait(deadlines, seconds, pause):
        try:
            with deadlines.within(seconds):
                await asyncio.sleep(pause)
        except TimeoutError:
            return "late"
        return "in time"

    async def run():
        deadlines = Deadlines()
        found = await asyncio.gather(
            *(wait(deadlines, 0.1, 5) for _ in range(50)), *(wait(deadlines, 5, 0.2) for _ in range(50))
        )
        assert found == ["late"] * 50 + ["in time"] * 50

    asyncio.run(run())


def test_a_task_that_somebody_else_cancels_is_cancelled():
    async def run():
        deadlines = Deadlines()

        async def work():
            with deadlines.within(5):
                await asyncio.sleep(30)

        task = asyncio.create_task(work())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
