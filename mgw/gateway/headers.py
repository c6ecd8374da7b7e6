"""Headers on their way through: what belongs to one connection stays there, and who asked is said honestly."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

Headers: TypeAlias = "list[tuple[str, str]]"
"""In their order, the names lower: what comes from both sides has them so."""

HOP_BY_HOP = frozenset(
    {
        "connection", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
        "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
"""Those of one connection (RFC 9110, section 7.6.1)."""

_OURS = frozenset({"forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "host"})
_REPLACED = HOP_BY_HOP | _OURS | {"x-request-id", "content-length", "traceparent"}
"""What of a request never goes on as it came."""

_TOKEN = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_CLAIMS = "x-auth-"
"""Headers that begin so tell upstreams who asks; a client's own are dropped."""

_NAMES_NOTHING = frozenset({"", "keep-alive", "close"})


def header(headers: Headers, name: str) -> str | None:
    """Return the first header of a name."""
    for key, value in headers:
        if key == name:
            return value
    return None


def headers_of(headers: Headers, name: str) -> list[str]:
    """Return all headers of a name."""
    return [value for key, value in headers if key == name]


def end_to_end(headers: Headers) -> Headers:
    """Drop the headers of one connection, those that `Connection` names among them."""
    dropped = HOP_BY_HOP | named_by_connection(headers_of(headers, "connection"))
    return [each for each in headers if each[0] not in dropped]


def named_by_connection(values: Iterable[str]) -> frozenset[str]:
    """Return the headers that `Connection` says to be of this connection."""
    return frozenset(name.strip().lower() for value in values for name in value.split(",")) - _NAMES_NOTHING


def client_address(peer: str, forwarded_for: str | None, trusted: Sequence[Network]) -> str:
    """Return whose request it is: the first address, from the gateway outwards, that no trusted proxy has.

    Args:
        peer: the address of the connection.
        forwarded_for: the header `X-Forwarded-For`; believed only from trusted proxies.
        trusted: their networks.
    """
    if not trusted:
        return peer
    chain = [each.strip() for each in (forwarded_for or "").split(",") if each.strip()]
    found = peer
    while chain and _is_trusted(found, trusted):
        nearer = chain.pop()
        if _address(nearer) is None:
            return found
        found = nearer
    return found


def outgoing(headers: Headers, *, client: str, peer_trusted: bool, scheme: str, host: str, request_id: str) -> Headers:
    """Return what is sent upstream.

    Args:
        headers: of the request.
        client: whose it is.
        peer_trusted: whether the connection is a trusted proxy's, whose word on scheme and host counts.
        scheme: of the connection.
        host: that was asked for.
        request_id: of the request.
    """
    named = named_by_connection(headers_of(headers, "connection"))
    kept = [each for each in headers if each[0] not in _REPLACED and each[0][:7] != _CLAIMS]
    if named:
        kept = [each for each in kept if each[0] not in named]
    if peer_trusted:
        host = _plain(header(headers, "x-forwarded-host")) or host
        scheme = _plain(header(headers, "x-forwarded-proto")) or scheme
    kept += (
        ("forwarded", f'for="{f"[{client}]" if ":" in client else client}";host="{host}";proto={scheme}'),
        ("x-forwarded-for", client),
        ("x-forwarded-host", host),
        ("x-forwarded-proto", scheme),
        ("x-request-id", request_id),
    )
    return kept


def _plain(value: str | None) -> str | None:
    """Return what a proxy says, unless it could end what it is quoted in."""
    return value if value is not None and _TOKEN.fullmatch(value) else None


def networks(texts: Iterable[str]) -> list[Network]:
    """Read addresses and networks.

    Raises:
        ValueError: one is neither.
    """
    return [ipaddress.ip_network(text, strict=False) for text in texts]


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Say whether an address is a trusted proxy's."""
    return bool(trusted) and _is_trusted(address, trusted)


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    found = _address(address)
    return found is not None and any(found in network for network in trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
