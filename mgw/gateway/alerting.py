"""What somebody should hear of a gateway."""

from __future__ import annotations

from mgw.core.monitoring.alerts import Alert

ALERTS = (
    Alert(
        "GatewayAnswersWithErrors",
        'sum(rate(mgw_gateway_requests_total{status=~"5.."}[5m])) / sum(rate(mgw_gateway_requests_total[5m])) > 0.05',
        5, "page", "More than one request in twenty is answered with 5xx.",
        "`mgw status` and `mgw gateway state` say which upstream fails.",
    ),
    Alert(
        "GatewayIsSlow",
        "histogram_quantile(0.99, sum by (le) (rate(mgw_gateway_request_seconds_bucket[5m]))) > 1",
        10, "page", "One request in a hundred takes longer than a second.",
        "Compare the routes: a slow upstream shows in its own, a busy gateway in all.",
    ),
    Alert(
        "UpstreamIsLeftAlone", "max by (upstream) (mgw_gateway_breaker_open) > 0", 2, "page",
        "The breaker of {{ $labels.upstream }} is open: its requests are refused at once.",
        "Look at the upstream; `mgw gateway breaker NAME auto` if somebody opened it by hand.",
    ),
    Alert(
        "InstancesAreLeftOut", "max by (upstream) (mgw_gateway_instances_left_out) > 0", 10, "ticket",
        "Instances of {{ $labels.upstream }} are not asked: too many of their answers were errors.",
        "`mgw gateway state` names them.",
    ),
    Alert(
        "GatewayLacksRedis", "sum(rate(mgw_gateway_redis_failures_total[5m])) > 0", 5, "ticket",
        "Redis does not answer: limits are not exact over workers and machines.", "`redis.when_away` says what holds.",
    ),
    Alert(
        "GatewayFileIsRefused", 'increase(mgw_gateway_reloads_total{outcome="refused"}[15m]) > 0', 1, "ticket",
        "The gateway's file cannot be used; what was read before stays.", "`mgw gateway check` says what is wrong.",
    ),
    Alert(
        "CallersAreRefused",
        "sum(rate(mgw_gateway_limited_total[10m])) / sum(rate(mgw_gateway_requests_total[10m])) > 0.2", 10, "ticket",
        "More than one request in five is over its limit.",
        "The access log has the callers; the limits are in the file.",
    ),
)  # fmt: skip
"""By how bad it is to miss them."""
