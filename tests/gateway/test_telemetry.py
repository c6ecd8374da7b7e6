"""Spans for OpenTelemetry: what a collector receives, read with OpenTelemetry's own types."""

from __future__ import annotations

import gzip
import threading

import pytest
from ports import free_port
from waiting import until

pytest.importorskip("opentelemetry.sdk", reason="OpenTelemetry is not installed: the extra `telemetry`")
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .conftest import answering, listening

OPEN = {"path": "/open/{id}", "auth": "none"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"


def spans_of(collector):
    found = []
    for request in list(collector.requests):
        head, _, body = request.partition(b"\r\n\r\n")
        content = gzip.decompress(body) if b"content-encoding: gzip" in head.lower() else body
        for resource in ExportTraceServiceRequest.FromString(content).resource_spans:
            names = {each.key: each.value.string_value for each in resource.resource.attributes}
            found += [(names["service.name"], span) for scope in resource.scope_spans for span in scope.spans]
    return found


def test_spans_arrive_with_their_parents(start, upstream):
    with listening() as collector:
        collector.answer = answering("content-type: application/x-protobuf", body=b"")
        endpoint = f"http://127.0.0.1:{collector.port}/v1/traces"
        gateway = start(OPEN, telemetry={"endpoint": endpoint, "service": "edge", "share": 0.0})
        gateway.ask("GET", "/api/open/1", Traceparent=f"{TRACE}1")
        sent = upstream.head["traceparent"]
        gateway.ask("GET", "/api/open/2", Traceparent=f"{TRACE}0")  # whoever began it does not keep it
        gateway.ask("GET", "/api/open/3")
        upstream.answer = answering(status="500 Broken")
        gateway.ask("GET", "/api/open/4", Traceparent=f"{TRACE}1")
        until(lambda: len(spans_of(collector)) >= 2)
        gateway.stop()
        spans = spans_of(collector)
    assert [service for service, _ in spans] == ["edge", "edge"]
    first, second = (span for _, span in spans)
    assert first.name == "GET /api/open/{id}"
    assert first.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert first.parent_span_id.hex() == "b7ad6b7169203331"
    assert f"00-{first.trace_id.hex()}-{first.span_id.hex()}-01" == sent
    assert first.end_time_unix_nano > first.start_time_unix_nano
    attributes = {each.key: each.value.string_value or each.value.int_value for each in first.attributes}
    assert attributes["http.response.status_code"] == 200
    assert attributes["url.path"] == "/api/open/1"
    assert second.status.code == 2


def test_a_collector_that_is_away_holds_no_request_up(start):
    gateway = start(OPEN, telemetry={"endpoint": f"http://127.0.0.1:{free_port()}/v1/traces", "share": 1.0})
    for number in range(5):
        assert gateway.ask("GET", f"/api/open/{number}").status == 200
        threading.Event().wait(0.3)
    assert gateway.ask("GET", "/api/open/1").status == 200
