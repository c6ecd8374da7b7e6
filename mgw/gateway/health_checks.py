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
        is_well = await _is_well(instance, check, transport)
        in_a_row = 0 if is_well == instance.is_well else in_a_row + 1
        if in_a_row >= (check.healthy if is_well else check.unhealthy):
            instance.is_well, in_a_row = is_well, 0
            _log.warning("%s: %s is %s", name, without_password(instance.url), "well again" if is_well else "not well")
        await asyncio.sleep(check.interval_s * random.uniform(0.9, 1.1))  # noqa: S311 - so that workers do not meet


async def _is_well(instance: Instance, check: HealthCheck, transport: Transport) -> bool:
    wait = check.timeout_s
    timeouts = Timeouts(connect_s=wait, first_byte_s=wait, idle_s=wait, total_s=wait)
    try:
        answer = await transport.send("GET", instance.url + check.path, [], None, timeouts)
    except UpstreamError:
        return False
    await answer.close()
    return answer.status < HTTPStatus.BAD_REQUEST
