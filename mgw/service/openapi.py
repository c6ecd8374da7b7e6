"""The OpenAPI document, made from the table of endpoints and the types of their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from mgw import __version__
from mgw.core.problems import ErrorReply
from mgw.service.endpoints import ENDPOINTS, message_types

if TYPE_CHECKING:
    from http import HTTPStatus

    from mgw.service.endpoints import Endpoint

_DESCRIPTION = "Recommendations that are live from every source. Every error has the same shape, `ErrorReply`."


def openapi_document(most_titles: int) -> dict[str, Any]:
    """Return the document.

    Args:
        most_titles: the longest list that may be asked for.
    """
    types = [*message_types(ENDPOINTS), ErrorReply]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    references = dict(zip(types, schemas, strict=True))
    for name in ("RecommendationsRequest", "SimilarRequest"):
        for choice in components[name]["properties"]["limit"]["anyOf"]:
            if choice.get("type") == "integer":
                choice["maximum"] = most_titles
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, references)
    return {
        "openapi": "3.1.0",
        "info": {"title": "mgw recommendation service", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(endpoint: Endpoint, references: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": endpoint.name, "summary": endpoint.summary}
    if "{name}" in endpoint.path:
        operation["parameters"] = [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
    if endpoint.request is not None:
        operation["requestBody"] = {"required": True, "content": _json(references[endpoint.request])}
    responses = {"200": {"description": "The answer.", "content": _json(references[endpoint.reply])}}
    for status, when in endpoint.refusals:
        refusal = references[endpoint.reply if endpoint.name == "ready" else ErrorReply]
        responses[_code(status)] = {"description": when, "content": _json(refusal)}
    operation["responses"] = dict(sorted(responses.items()))
    return operation


def _code(status: HTTPStatus) -> str:
    return str(int(status))


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
