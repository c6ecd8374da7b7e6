"""Kinds of values that the gateway's file has in many places."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_-]*$")]
Url: TypeAlias = Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+/?$")]
Header: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9-]*$", max_length=64)]
Path: TypeAlias = Annotated[str, Meta(pattern=r"^/[^?#\s]*$")]
Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Seconds: TypeAlias = Annotated[float, Meta(gt=0)]
Count: TypeAlias = Annotated[int, Meta(ge=1)]
Port: TypeAlias = Annotated[int, Meta(ge=1, le=65535)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Network: TypeAlias = str
"""An address, or a network as `10.0.0.0/8`."""
