"""One OpenAPI document of what the upstreams publish: what routes let through, under the paths that clients use."""

from __future__ import annotations

import json

from commands import mgw
from ports import free_port

from mgw.gateway.definition import Gateway, Route, Upstream
from mgw.gateway.openapi import merge

from .conftest import answering, listening

ITEM = {"$ref": "#/components/schemas/Item"}
FILMS = {
    "openapi": "3.1.0",
    "paths": {
        "/v2/films/{film}": {
            "parameters": [{"name": "film", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "film", "parameters": [{"name": "lang", "in": "query", "schema": {"type": "string"}}],
                "responses": {"200": {"content": {"application/json": {"schema": ITEM}}}},
            },
            "delete": {"operationId": "drop", "responses": {}},
        },
        "/v2/secret": {"get": {"responses": {}}},
    },
    "components": {"schemas": {"Item": {"properties": {"next": ITEM}}}},
}  # fmt: skip
USERS = {
    "paths": {"/api/me": {"get": {"responses": {"200": {"$ref": "#/components/responses/Me"}}}}},
    "components": {"schemas": {"Item": {"type": "string"}}, "responses": {"Me": {"description": "me"}}},
}
GATEWAY = Gateway(
    prefix="/api",
    upstreams={
        "films": Upstream(urls=("http://f",), strip_prefix="/api", add_prefix="/v2"),
        "users": Upstream(urls=("http://u",)),
    },
    routes=(
        Route(path="/films/{id}", upstream="films", auth="optional"),
        Route(path="/me", upstream="users"),
        Route(path="/gone", upstream="users", auth="none"),
        Route(path="/else", upstream="else"),
    ),
)


def test_what_routes_let_through_is_described_as_clients_see_it():
    missing = []
    found = merge(GATEWAY, {"films": FILMS, "users": USERS}, missing)
    assert list(found["paths"]) == ["/api/films/{id}", "/api/me"]
    film = found["paths"]["/api/films/{id}"]
    assert list(film) == ["get"]  # not what no route takes
    assert [each["name"] for each in film["get"]["parameters"]] == ["id", "lang"]
    assert film["get"]["operationId"] == "films_film"
    schema = film["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/films_Item"}
    schemas = found["components"]["schemas"]
    assert schemas["films_Item"]["properties"]["next"] == {"$ref": "#/components/schemas/films_Item"}
    assert schemas["users_Item"] == {"type": "string"}
    assert found["paths"]["/api/me"]["get"]["responses"]["200"] == {"$ref": "#/components/responses/users_Me"}
    assert film["get"]["security"] == [{"token": []}, {}]
    assert found["paths"]["/api/me"]["get"]["security"] == [{"token": []}]
    assert missing == ["GET /api/gone: users does not describe it"]


def test_upstreams_are_asked_and_those_without_a_document_are_named(tmp_path):
    with listening() as films, listening() as users:
        films.answer = answering(body=json.dumps(FILMS).encode())
        users.answer = answering(status="404 None")
        document = {
            "prefix": "/api",
            "upstreams": {
                "films": {
                    "urls": [f"http://127.0.0.1:{films.port}"], "openapi": "/doc",
                    "strip_prefix": "/api", "add_prefix": "/v2",
                },
                "users": {"urls": [f"http://127.0.0.1:{users.port}"]},
                "gone": {"urls": [f"http://127.0.0.1:{free_port()}"]},
            },
            "routes": [{"path": "/films/{id}", "upstream": "films"}, {"path": "/me", "upstream": "users"}],
        }  # fmt: skip
        (tmp_path / "gateway.yaml").write_text(json.dumps(document))
        (tmp_path / "mgw.yaml").write_text("{}")
        done = mgw(tmp_path, "gateway", "openapi", "--out", "out.json")
    assert done.code == 0, done.err
    assert films.head[""] == "GET /doc HTTP/1.1"
    assert list(json.loads((tmp_path / "out.json").read_text())["paths"]) == ["/api/films/{id}"]
    assert "users: /openapi.json answers 404" in done.err
    assert "gone: it does not answer" in done.err
