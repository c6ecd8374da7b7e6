"""The gateway's file: read, and shown without what is secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from mgw.core.settings import read_struct
from mgw.gateway.checks import OWN_SERVICE, faults_of
from mgw.gateway.definition import Gateway

if TYPE_CHECKING:
    from pathlib import Path

_USER_INFO = re.compile(r"^([a-z]+://)[^/@]*@")


def read_gateway(path: Path) -> Gateway:
    """Read and check the file.

    Raises:
        FileUnreadable: there is no such file, or it may not be read.
        ConfigInvalid: keys are unknown or do not fit, or the gateway cannot be run so; the message lists everything.
    """
    return read_struct(path, Gateway, faults_of, "docs/gateway.md shows what there is")


def with_own_service(gateway: Gateway, url: str) -> Gateway:
    """Put the address of the recommendation service where its upstream leaves it out."""
    own = gateway.upstreams.get(OWN_SERVICE)
    if own is None or own.urls:
        return gateway
    return replace(gateway, upstreams={**gateway.upstreams, OWN_SERVICE: replace(own, urls=(url,))})


def redacted(gateway: Gateway) -> Any:  # noqa: ANN401 - plain data of any shape
    """Return what the file says as plain data, without passwords in URLs."""
    return _without_passwords(msgspec.to_builtins(gateway))


def without_password(url: str) -> str:
    """Return a URL without who logs in there.

    >>> without_password("http://ann:secret@10.0.0.1:80/x"), without_password("http://10.0.0.1")
    ('http://***@10.0.0.1:80/x', 'http://10.0.0.1')
    """
    return _USER_INFO.sub(r"\1***@", url)


def _without_passwords(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _without_passwords(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_passwords(each) for each in value]
    return without_password(value) if isinstance(value, str) else value
