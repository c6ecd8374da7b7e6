"""What stands behind the gateway, and how it is treated."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from mgw.gateway.definition.basics import Count, Path, Seconds, Share, Url


class Timeouts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How long an upstream may take.

    Attributes:
        connect_s: until there is a connection.
        first_byte_s: from then on until the answer begins.
        idle_s: between two pieces of a body.
        total_s: for everything.
    """

    connect_s: Seconds = 1.0
    first_byte_s: Seconds = 10.0
    idle_s: Seconds = 30.0
    total_s: Seconds = 60.0


class BreakerSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an upstream is left alone.

    Attributes:
        failures: at least so many in the window, answers of 5xx among them.
        error_rate: and at least this share of the requests.
        window_s: how far it looks back.
        open_s: for how long it is left alone.
        probes: requests that are let pass then, to see whether it is well.
        slow_s: an answer that begins later is a failure; none means that none is.
    """

    failures: Count = 10
    error_rate: Annotated[float, Meta(gt=0, le=1)] = 0.5
    window_s: Seconds = 10.0
    open_s: Seconds = 2.0
    probes: Count = 1
    slow_s: Seconds | None = None


class Retries(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often a request that may be sent twice is sent again, to another instance where there is one.

    Attributes:
        attempts: besides the first.
        budget: retries as a share of the requests of the last ten seconds; 0 is none.
    """

    attempts: Annotated[int, Meta(ge=0, le=5)] = 1
    budget: Share = 0.2


class HealthCheck(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Asking each instance from time to time whether it is well.

    Attributes:
        path: that is asked for; well is whatever answers below 400.
        interval_s: between two checks.
        timeout_s: of each.
        unhealthy: failures in a row after which an instance is left out.
        healthy: successes in a row after which it is asked again.
    """

    path: Path = "/health"
    interval_s: Seconds = 5.0
    timeout_s: Seconds = 2.0
    unhealthy: Count = 3
    healthy: Count = 2


class Upstream(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands behind the gateway.

    Attributes:
        urls: of its instances, scheme, host and port; `sona` may leave them out, and is then the recommendation service
            that `mgw serve` runs.
        strip_prefix: taken from the path before it is sent; in its place comes `add_prefix`.
        add_prefix: put before what is left.
        timeouts: of its answers.
        breaker: when it is left alone.
        retries: how often it is asked again.
        health: asks its instances whether they are well; none means that only their answers tell.
        concurrency: requests under way at once; what comes above is refused at once (503 `UPSTREAM_BUSY`).
        openapi: path of its OpenAPI document, for `mgw gateway openapi`.
    """

    urls: tuple[Url, ...] = ()
    strip_prefix: str = ""
    add_prefix: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    retries: Retries = field(default_factory=Retries)
    health: HealthCheck | None = None
    concurrency: Count | None = None
    openapi: Path = "/openapi.json"
