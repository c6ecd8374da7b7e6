"""The trace that a request belongs to (W3C Trace Context), and spans for OpenTelemetry where somebody collects them."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from mgw.core.errors import ExtraMissing

if TYPE_CHECKING:
    from mgw.gateway.definition import Telemetry
    from mgw.gateway.exchange import Exchange

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
_SAMPLED = 1
_bits = random.Random().getrandbits  # noqa: S311 - a trace is no secret


class Trace(NamedTuple):
    """Where a request is in its trace.

    Attributes:
        trace_id: of 32 hexadecimal digits.
        parent_id: the span that sent it; empty where it begins here.
        span_id: the gateway's own.
        is_sampled: whether somebody keeps it.
    """

    trace_id: str
    parent_id: str
    span_id: str
    is_sampled: bool

    @property
    def header(self) -> str:
        """What upstreams are told, as `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-0{int(self.is_sampled)}"


def trace_of(traceparent: str | None, share: float) -> Trace:
    """Return the trace that a request brings along, or a new one where it brings none that can be read.

    Args:
        traceparent: the header.
        share: of new traces that are kept.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent is not None else None
    span_id = f"{_bits(64) or 1:016x}"
    if found is None:
        return Trace(f"{_bits(128) or 1:032x}", "", span_id, share > 0 and random.random() < share)  # noqa: S311
    return Trace(found[1], found[2], span_id, bool(int(found[3], 16) & _SAMPLED))


class Spans(Protocol):
    """Takes spans to whoever collects them."""

    def add(self, exchange: Exchange) -> None:
        """Keep the span of a request that is done, and send it soon."""

    def end(self) -> None:
        """Send what is left."""


def spans_of(telemetry: Telemetry) -> Spans:
    """Make what takes spans to a collector.

    Raises:
        ExtraMissing: the SDK is not installed.
    """
    try:
        from mgw.gateway.otlp import OtlpSpans
    except ImportError as error:
        raise ExtraMissing("telemetry: OpenTelemetry is not installed", hint="pip install 'mgw[telemetry]'") from error
    return OtlpSpans(telemetry)
