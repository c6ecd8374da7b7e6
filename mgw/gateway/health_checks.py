"""Asking instances from time to time whether they are well, so that a request need not find out."""

from __future__ import annotations

import asyncio
import logging
import random
from http import HTTPStatus
from typing import TYPE_CHECKING

from mgw.gateway.definition import Timeouts
from mgw.gateway.files import without_password
from mgw.gateway.transport import UpstreamError

if TYPE_CHECKING:
    from mgw.gateway.calls import Calls
    from mgw.gateway.definition import HealthCheck
    from mgw.gateway.instances import Instance
    from mgw.gateway.transport import Transport

_log = logging.getLogger(__name__)


async def check_health(name: str, calls: Calls, transport: Transport) -> None:
    """Look after the instances of an upstream until it is cancelled; without health checks there is nothing to do."""
    check = calls.upstream.health
    if check is not None:
        await asyncio.gather(*(_look_after(name, instance, check, transport) for instance in calls.instances))


async def _look_after(name: str, instance: Instance, check: HealthCheck, transport: Transport) -> None:
    in_a_row = 0  # that say otherwise than is known
    while True:
        found = await is_well(instance.url + check.path, check.timeout_s, transport)
        in_a_row = 0 if found == instance.is_well else in_a_row + 1
        if in_a_row >= (check.healthy if found else check.unhealthy):
            instance.is_well, in_a_row = found, 0
            level, said = (logging.INFO, "well again") if found else (logging.WARNING, "not well")
            _log.log(level, "%s: %s is %s", name, without_password(instance.url), said)
        await asyncio.sleep(check.interval_s * random.uniform(0.9, 1.1))  # noqa: S311 - so that workers do not meet


async def is_well(url: str, timeout_s: float, transport: Transport) -> bool:
    """Ask for a URL, and say whether the answer is one below 400 and in time."""
    timeouts = Timeouts(connect_s=timeout_s, first_byte_s=timeout_s, idle_s=timeout_s, total_s=timeout_s)
    try:
        answer = await transport.send("GET", url, [], None, timeouts)
    except UpstreamError:
        return False
    await answer.close()
    return answer.status < HTTPStatus.BAD_REQUEST
