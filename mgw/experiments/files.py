"""An experiment's YAML file, with the line of what is wrong in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from mgw.core.errors import ConfigInvalid, ExperimentInvalid, FileUnreadable
from mgw.core.settings import parse_document, plain
from mgw.experiments.definition import Definition, check

if TYPE_CHECKING:
    from pathlib import Path

    from mgw.core.settings.yaml_source import Document, Node

_HINT = "docs/experiments.md shows every key"
_AT = re.compile(r"^(?P<problem>.*) - at `\$(?P<path>.*)`$")
_TYPES = re.compile(r"(?<!at )`(\w+)(?: \| null)?`")
_WORDS = {
    "array": "a list", "object": "a section of keys", "str": "text", "float": "a number", "int": "a whole number",
    "bool": "true or false", "null": "nothing",
}  # fmt: skip
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def read_definition(path: Path) -> Definition:
    """Read and check an experiment.

    Raises:
        FileUnreadable: there is no such file, or it may not be read.
        ExperimentInvalid: it is no YAML, a key is unknown or does not fit, or the experiment cannot be run.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ExperimentInvalid(f"{path} is not UTF-8 text") from error
    except OSError as error:
        raise FileUnreadable(f"cannot read {path}: {error.strerror}") from error
    try:
        document = parse_document(text, str(path))
    except ConfigInvalid as error:
        raise ExperimentInvalid(error.message, hint=_HINT) from error
    if document.faults:
        raise ExperimentInvalid("; ".join(map(str, document.faults)), hint=_HINT)
    try:
        definition = msgspec.convert(plain(document.root), Definition)
        check(definition)
    except msgspec.ValidationError as error:
        raise ExperimentInvalid(_located(str(error), document, path), hint=_HINT) from error
    except ExperimentInvalid as error:
        raise ExperimentInvalid(f"{path}: {error.message}", hint=error.hint or _HINT) from error
    return definition


def _located(message: str, document: Document, path: Path) -> str:
    """Say where a fault is: by line, and by keys."""
    found = _AT.match(_TYPES.sub(lambda name: _WORDS.get(name[1], name[0]), message))
    if found is None:
        return f"{path}: {message}"
    node: Node = document.root
    place, keys = str(node.place), found["path"].lstrip(".")
    for key, index in _STEP.findall(found["path"]):
        below = _below(node, key, index)
        if below is None:
            break
        node, place = below
    return f"{place}: {keys}: {found['problem']}" if keys else f"{place}: {found['problem']}"


def _below(node: Node, key: str, index: str) -> tuple[Node, str] | None:
    entries = getattr(node, "entries", None)
    items = getattr(node, "items", None)
    if key and entries is not None:
        return next(((each.value, str(each.place)) for each in entries if each.key == key), None)
    if index.isdigit() and items is not None and int(index) < len(items):
        return items[int(index)], str(items[int(index)].place)
    return None
