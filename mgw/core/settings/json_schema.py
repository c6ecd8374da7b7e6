"""A JSON Schema of a YAML file, for editors: the keys of its structs, with what their docstrings say of each."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, get_args

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator

_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n     +.*)*)", re.MULTILINE)


def schema_of(kind: type[Struct], title: str) -> dict[str, Any]:
    """Return the schema (draft 2020-12) of files whose top level is a struct.

    Args:
        kind: the struct.
        title: of the schema, such as the name of the file.
    """
    schema = msgspec.json.schema(kind)
    definitions: dict[str, Any] = schema.get("$defs", {})
    for struct in _structs(kind, set()):
        properties = definitions.get(struct.__name__, {}).get("properties", {})
        said = attributes_of(struct)
        for each in msgspec.structs.fields(struct):
            if text := said.get(each.name) or _summary(each.type):
                properties[each.encode_name] = {**properties[each.encode_name], "description": text}
        if struct.__name__ in definitions:
            definitions[struct.__name__]["description"] = _summary(struct)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **schema}


def attributes_of(kind: type) -> dict[str, str]:
    """Return what the docstring of a class says of each of its attributes."""
    _, _, attributes = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    return {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(attributes)}


def _summary(kind: object) -> str:
    """Return what a struct is for; nothing for what is none."""
    if not (isinstance(kind, type) and issubclass(kind, Struct)):
        return ""
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\nAttributes:")[0]


def _structs(annotation: Any, seen: set[Any]) -> Iterator[type[Struct]]:  # noqa: ANN401 - any annotation
    """Yield the structs that an annotation is made of, each once."""
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        if annotation in seen:
            return
        seen.add(annotation)
        yield annotation
        for each in msgspec.structs.fields(annotation):
            yield from _structs(each.type, seen)
    for argument in get_args(annotation):
        yield from _structs(argument, seen)
