"""Spans by OTLP over HTTP: only imported where OpenTelemetry is installed and asked for."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

if TYPE_CHECKING:
    from mgw.gateway.definition import Telemetry
    from mgw.gateway.exchange import Exchange

_SEND_EVERY_MS = 1_000


class OtlpSpans:
    """Spans sent in batches by a thread of the SDK's; what nobody takes is dropped, not waited for.

    Args:
        telemetry: where to.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._resource = Resource.create({"service.name": telemetry.service})
        self._processor = BatchSpanProcessor(
            OTLPSpanExporter(endpoint=telemetry.endpoint), schedule_delay_millis=_SEND_EVERY_MS
        )

    def add(self, exchange: Exchange) -> None:
        """Keep the span of a request that is done, and send it soon."""
        trace, ended = exchange.trace, time.time_ns()
        if trace is None or not trace.is_sampled:
            return
        has_failed = exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        began = ended - int(1e9 * exchange.seconds)
        flags, number = TraceFlags(TraceFlags.SAMPLED), int(trace.trace_id, 16)
        parent = SpanContext(number, int(trace.parent_id, 16), True, flags) if trace.parent_id else None
        self._processor.on_end(
            ReadableSpan(
                name=f"{exchange.method} {exchange.template}".rstrip(),
                context=SpanContext(number, int(trace.span_id, 16), False, flags),
                parent=parent,
                resource=self._resource,
                attributes={
                    "http.request.method": exchange.method, "http.route": exchange.template, "url.path": exchange.path,
                    "http.response.status_code": exchange.status, "client.address": exchange.client,
                    "mgw.upstream": exchange.upstream, "mgw.cache": exchange.cache,
                    "mgw.request_id": exchange.request_id,
                },
                kind=SpanKind.SERVER,
                status=Status(StatusCode.ERROR if has_failed else StatusCode.UNSET),
                start_time=began,
                end_time=ended,
            )
        )  # fmt: skip

    def end(self) -> None:
        """Send what is left."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]  # theirs has no types
