"""The table of routes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from mgw.gateway.definition.basics import Count, Header, Method, Name, Path, Seconds, Share
from mgw.gateway.definition.callers import RouteLimit
from mgw.gateway.definition.upstreams import Timeouts

Auth: TypeAlias = Literal["required", "optional", "none"]


class Cache(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a worker keeps of answers.

    Attributes:
        size_bytes: together.
        object_bytes: the longest body.
        shared: whether answers are kept in Redis, too, for all workers and machines.
    """

    size_bytes: Count = 67_108_864
    object_bytes: Count = 1_048_576
    shared: bool = False


class RouteCache(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That answers of a route are cached, as their headers say.

    Attributes:
        ttl_s: for how long those that do not say so are kept; none means not at all.
        negative_ttl_s: the same for 404, 405, 410, 414 and 501; none means as long as the others.
    """

    ttl_s: Seconds | None = None
    negative_ttl_s: Seconds | None = None


class Cors(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which pages of other origins may ask (the Fetch standard).

    Attributes:
        origins: as `https://example.org`; `*` is any, and does not go with `credentials`.
        headers: that such a page may send.
        expose: headers of answers that it may read.
        credentials: whether its cookies go along.
        max_age_s: for how long a browser may remember all that.
    """

    origins: Annotated[tuple[str, ...], Meta(min_length=1)]
    headers: tuple[Header, ...] = ("authorization", "content-type")
    expose: tuple[Header, ...] = ()
    credentials: bool = False
    max_age_s: Annotated[int, Meta(ge=0)] = 600


class Canary(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the requests that goes to another upstream; a caller stays where it is.

    Attributes:
        upstream: the other one.
        weight: of the callers.
        header: requests with it go there as well.
        value: that it has to have; none takes any.
    """

    upstream: Name
    weight: Share = 0.0
    header: Header | None = None
    value: str | None = None


class Subject(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a request names the user that it is about: with a token, it has to be the token's own.

    Attributes:
        path: a name in the route's path.
        body: a key of the request's JSON.
        unless_scope: tokens with this scope may name anybody.
    """

    path: str | None = None
    body: str | None = None
    unless_scope: str | None = None


class Fallback(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An answer for when the upstream has none: it cannot be reached, is left alone, is busy, or answers with 5xx.

    Attributes:
        status: of it.
        body: of it, sent as JSON.
    """

    status: Annotated[int, Meta(ge=200, le=599)] = 200
    body: Any = None


class Route(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Paths that go to an upstream.

    Attributes:
        path: below the prefix; `{name}` stands for one piece, and only one, of the path.
        methods: that it takes.
        upstream: where it goes.
        auth: whether a token has to be there; a bad one is refused where it is optional, too.
        scopes: that the token has to have, in `scope` or `scopes`.
        subject: where the user is named that it is about; none means that nobody looks.
        timeouts: in place of the upstream's.
        body_limit_bytes: in place of the gateway's.
        cache: whether and how long answers are kept; none means not at all.
        limit: how often it may be asked, besides what the caller's tier allows.
        cors: which pages of other origins may ask; none means that the gateway says nothing of it.
        canary: a part of the requests that goes to another upstream.
        fallback: an answer for when the upstream has none.
        websocket: whether the path is one for WebSockets (RFC 6455).
    """

    path: Path
    methods: Annotated[tuple[Method, ...], Meta(min_length=1)] = ("GET",)
    upstream: Name
    auth: Auth = "required"
    scopes: tuple[str, ...] = ()
    subject: Subject | None = None
    timeouts: Timeouts | None = None
    body_limit_bytes: Count | None = None
    cache: RouteCache | None = None
    limit: RouteLimit | None = None
    cors: Cors | None = None
    canary: Canary | None = None
    fallback: Fallback | None = None
    websocket: bool = False
