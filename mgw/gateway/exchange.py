"""A request as it came, read once, and refused where it could be understood in two ways."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from mgw.core.problems import Problem, bad_request
from mgw.gateway.paths import is_plain, is_query

if TYPE_CHECKING:
    from granian.rsgi import Scope

    from mgw.gateway.headers import Headers
    from mgw.gateway.tracing import Trace

_REFUSED_METHODS = frozenset({"TRACE", "CONNECT", "TRACK"})
_ONCE = frozenset({"host", "authorization", "content-length", "content-type", "traceparent", "x-request-id"})
"""Headers of which a second one would leave it to the reader which of them counts."""

_LENGTHS = frozenset({"content-length", "transfer-encoding"})
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class Exchange:
    """A request, and what becomes known of it on its way.

    Attributes:
        method: of the request.
        path: decoded.
        query: as it came.
        headers: in their order, the names lower.
        named: the headers by name; of several the last.
        peer: the address of the connection.
        connection: that address with its port.
        scheme: of the connection.
        client: whose request it is; the peer's, unless a trusted proxy says otherwise.
        request_id: of the request; the client's own where it gave a good one.
        template: of the route; empty before it is routed.
        upstream: where it went; empty where nowhere.
        user_id: who asks; empty is nobody.
        cache: what the cache did with it; empty where the route has none.
        status: of the answer; 0 before it begins.
        added: headers that its answer gets, whatever comes of it.
        trace: that it belongs to; None where nobody wants to know.
        began: when it came, on `time.perf_counter`.
        seconds: that it took, when it is done.
    """

    __slots__ = (
        "added", "began", "cache", "client", "connection", "headers", "http_version", "method", "named", "path", "peer",
        "query", "request_id", "scheme", "seconds", "status", "template", "trace", "upstream", "user_id",
    )  # fmt: skip

    def __init__(self, scope: Scope) -> None:
        self.began = time.perf_counter()
        self.method = scope.method
        self.path = scope.path
        self.query = scope.query_string
        self.http_version = scope.http_version
        self.scheme = scope.scheme
        self.headers: Headers = scope.headers.items()
        authority = scope.authority
        self.named = dict(self.headers)
        if authority and self.http_version[:1] != "1" and self.named.get("host") != authority:
            self.headers.append(("host", authority))  # what HTTP/2 has in place of it
            self.named["host"] = authority
        self.connection = scope.client
        self.peer = self.client = self.connection.rpartition(":")[0].strip("[]")
        given = self.named.get("x-request-id")
        self.request_id = given if given is not None and _REQUEST_ID.fullmatch(given) else ""
        self.template = self.upstream = self.user_id = self.cache = ""
        self.status = 0
        self.seconds = 0.0
        self.added: Headers = []
        self.trace: Trace | None = None

    @property
    def has_body(self) -> bool:
        """Whether there may be a body: HTTP/1 says so, HTTP/2 need not."""
        return not _LENGTHS.isdisjoint(self.named) or (
            self.http_version[:1] != "1" and self.method not in {"GET", "HEAD", "OPTIONS"}
        )

    def require_understood(self, header_limit_bytes: int) -> None:
        """Refuse what could be understood in two ways, or should not be passed on at all.

        Raises:
            Problem: it is one of these.
        """
        if self.method in _REFUSED_METHODS:
            raise Problem(HTTPStatus.NOT_IMPLEMENTED, "METHOD_REFUSED", f"{self.method} is not passed on")
        if not (is_plain(self.path) and is_query(self.query)):
            raise bad_request("the path or the query can be read in more than one way")
        size = 4 * len(self.headers)
        for name, value in self.headers:
            size += len(name) + len(value)
        if size > header_limit_bytes:
            raise Problem(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HEADERS_TOO_LARGE",
                f"the headers are longer than {header_limit_bytes:,} bytes",
            )  # fmt: skip
        if _HOST.fullmatch(self.named.get("host", "")) is None:
            raise bad_request("there has to be a Host header, with a name and perhaps a port")
        if len(self.named) != len(self.headers):
            self._require_single()

    def _require_single(self) -> None:
        names = [name for name, _ in self.headers]
        for name in _ONCE:
            if names.count(name) > 1:
                raise bad_request(f"there can be one {name} header only")
