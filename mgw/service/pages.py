"""The documentation page: the OpenAPI document for people, one file that loads nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --accent: #2563eb }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem }
h2 { font-size: 1.15rem; margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.5rem }
h3 { font-size: 1rem; margin-bottom: .3rem }
code, .method { font-family: ui-monospace, monospace; font-size: .92em }
.method { color: #fff; background: var(--accent); border-radius: .3rem; padding: .1rem .5rem; margin-right: .6rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line) }
th { font-weight: 600 } td:first-child { white-space: nowrap } .soft { opacity: .75 }
nav a { display: inline-block; margin: 0 1rem .3rem 0 } a { color: var(--accent) }
"""


def documentation_page(document: dict[str, Any]) -> str:
    """Return the page for an OpenAPI document."""
    info = document["info"]
    return "".join(
        (
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
            f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>",
            f"<h1>{escape(info['title'])} <span class=soft>{escape(info['version'])}</span></h1>",
            f"<p>{_prose(info['description'])} The same for programs: <a href=/openapi.json>/openapi.json</a>.</p>",
            *_contents(document),
            *_operations(document),
            *_schemas(document),
            "</html>",
        )
    )


def _contents(document: dict[str, Any]) -> Iterator[str]:
    yield "<nav>"
    for path, method, operation in _each(document):
        yield f"<a href=#{operation['operationId']}>{method.upper()} {escape(path)}</a>"
    yield "</nav>"


def _operations(document: dict[str, Any]) -> Iterator[str]:
    for path, method, operation in _each(document):
        yield f"<h2 id={operation['operationId']}><span class=method>{method.upper()}</span>"
        yield f"<code>{escape(path)}</code></h2>"
        yield f"<p>{_prose(operation['summary'])}</p>"
        if "requestBody" in operation:
            yield f"<p>Body: {_type(_schema(operation['requestBody']))}</p>"
        yield "<table><tr><th>Status<th>When<th>Body"
        for status, response in operation["responses"].items():
            yield f"<tr><td>{status}<td>{_prose(response['description'])}<td>{_type(_schema(response))}"
        yield "</table>"


def _schemas(document: dict[str, Any]) -> Iterator[str]:
    yield "<h2>Bodies</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f"<h3 id={name}>{name}</h3><p>{_prose(schema.get('description', ''))}</p>"
        required = set(schema.get("required", ()))
        yield "<table><tr><th>Field<th>Type<th>"
        for field, described in schema.get("properties", {}).items():
            default = described.get("default")
            note = "required" if field in required else f"default {_json_like(default)}"
            yield f"<tr><td><code>{escape(field)}</code><td>{_type(described)}<td class=soft>{note}"
        yield "</table>"


def _each(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _schema(body: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = body["content"]["application/json"]["schema"]
    return schema


def _type(schema: dict[str, Any]) -> str:
    """Describe a schema in a few words, with links."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"<a href=#{name}>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    kind = schema.get("format") or schema.get("type", "anything")
    return escape(f"{kind}, {', '.join(limits)}" if limits else str(kind))


_LIMITS = {"minimum": "from", "maximum": "to", "minLength": "from", "maxLength": "to"}


def _prose(text: str) -> str:
    """Escape a text; what stands between backticks is code."""
    pieces = escape(text).split("`")
    return "".join(piece if place % 2 == 0 else f"<code>{piece}</code>" for place, piece in enumerate(pieces))


def _json_like(value: object) -> str:
    return "none" if value in (None, [], {}) else escape(str(value))
