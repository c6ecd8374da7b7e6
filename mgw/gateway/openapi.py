"""One OpenAPI document for what the gateway lets through, of those that the upstreams publish."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec

from mgw import __version__
from mgw.gateway.definition import Timeouts
from mgw.gateway.pyreqwest_transport import PyreqwestTransport
from mgw.gateway.routing import shape
from mgw.gateway.transport import UpstreamError

if TYPE_CHECKING:
    from mgw.gateway.definition import Gateway, Route, Upstream
    from mgw.gateway.transport import Transport

_TIMEOUTS = Timeouts(connect_s=2, first_byte_s=5, idle_s=5, total_s=10)
_REFERENCE = re.compile(r"^#/components/([^/]+)/(.+)$")
_PARAMETER = re.compile(r"\{([^}]+)\}")
_SHARED = ("schemas", "responses", "parameters", "examples", "requestBodies", "headers", "links", "callbacks")
_TOKEN = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def merged_document(gateway: Gateway) -> tuple[dict[str, Any], list[str]]:
    """Ask all upstreams for their documents and merge what the routes let through.

    Returns:
        the document, and which upstreams and routes have nothing in it, with the reason.
    """
    documents, missing = asyncio.run(_fetched(gateway))
    return merge(gateway, documents, missing), missing


def merge(gateway: Gateway, documents: dict[str, dict[str, Any]], missing: list[str]) -> dict[str, Any]:
    """Merge documents, by upstream; what a route leads to and its upstream does not describe is added to `missing`.

    Components are named after their upstream, so that two with the same name stay two.
    """
    paths: dict[str, dict[str, Any]] = {}
    components: dict[str, dict[str, Any]] = {"securitySchemes": {"token": _TOKEN}}
    for name, document in documents.items():
        for kind, entries in (document.get("components") or {}).items():
            if kind in _SHARED:
                renamed = {f"{name}_{key}": _renamed(value, name) for key, value in entries.items()}
                components.setdefault(kind, {}).update(renamed)
    for route in gateway.routes:
        described = documents.get(route.upstream)
        if described is None:
            continue
        for method in route.methods:
            operation = _operation(gateway, route, method, described)
            if operation is None:
                missing.append(f"{method} {gateway.prefix}{route.path}: {route.upstream} does not describe it")
                continue
            paths.setdefault(f"{gateway.prefix}{route.path}", {})[method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gateway", "version": __version__},
        "paths": paths,
        "components": components,
    }


def _operation(gateway: Gateway, route: Route, method: str, document: dict[str, Any]) -> dict[str, Any] | None:
    """Find what an upstream says of a route, and write it as the gateway has it."""
    upstream = gateway.upstreams[route.upstream]
    wanted = f"{upstream.add_prefix}{f'{gateway.prefix}{route.path}'.removeprefix(upstream.strip_prefix)}"
    for path, item in (document.get("paths") or {}).items():
        if shape(path) != shape(wanted) or method.lower() not in item:
            continue
        names = dict(zip(_PARAMETER.findall(path), _PARAMETER.findall(wanted), strict=True))
        operation = dict(_renamed(item[method.lower()], route.upstream))
        shared = _renamed(item.get("parameters") or [], route.upstream)
        parameters = [_with_name(each, names) for each in [*shared, *(operation.get("parameters") or [])]]
        if parameters:
            operation["parameters"] = parameters
        if "operationId" in operation:
            operation["operationId"] = f"{route.upstream}_{operation['operationId']}"
        operation["tags"] = [route.upstream]
        operation["security"] = {"required": [{"token": []}], "optional": [{"token": []}, {}], "none": []}[route.auth]
        return operation
    return None


def _with_name(parameter: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Call a part of the path as the route does."""
    if parameter.get("in") != "path":
        return parameter
    return {**parameter, "name": names.get(parameter["name"], parameter["name"])}


def _renamed(value: Any, upstream: str) -> Any:  # noqa: ANN401 - any part of a document
    """Have references lead to the components of an upstream."""
    if isinstance(value, dict):
        return {
            key: _REFERENCE.sub(rf"#/components/\1/{upstream}_\2", each)
            if key == "$ref" and isinstance(each, str)
            else _renamed(each, upstream)
            for key, each in value.items()
        }
    return [_renamed(each, upstream) for each in value] if isinstance(value, list) else value


async def _fetched(gateway: Gateway) -> tuple[dict[str, dict[str, Any]], list[str]]:
    transport = PyreqwestTransport()
    asked = {name: upstream for name, upstream in gateway.upstreams.items() if upstream.urls}
    try:
        found = await asyncio.gather(*(_fetch(upstream, transport) for upstream in asked.values()))
    finally:
        await transport.close()
    documents: dict[str, dict[str, Any]] = {}
    missing = []
    for name, document in zip(asked, found, strict=True):
        if isinstance(document, str):
            missing.append(f"{name}: {document}")
        else:
            documents[name] = document
    return documents, missing


async def _fetch(upstream: Upstream, transport: Transport) -> dict[str, Any] | str:
    url = upstream.urls[0].rstrip("/") + upstream.openapi
    try:
        answer = await transport.send("GET", url, [("accept", "application/json")], None, _TIMEOUTS)
        try:
            content = await answer.whole()
        finally:
            await answer.close()
    except UpstreamError as error:
        return f"it does not answer: {error.message}"
    if answer.status != HTTPStatus.OK:
        return f"{upstream.openapi} answers {answer.status}"
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:
        return f"{upstream.openapi} is no OpenAPI document"
