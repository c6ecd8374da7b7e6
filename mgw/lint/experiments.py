"""Experiments' files, with lines, also those that could not be started as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mgw.core.settings.yaml_source import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import YamlFile


def name_of(file: YamlFile) -> str:
    """Return the name of an experiment."""
    return str(file.content.get("name", file.path))


def line_of(file: YamlFile, *keys: str) -> int:
    """Return the line of a key, or of the last one above it that is there."""
    node: object = file.root
    line = file.root.place.line
    for key in keys:
        entry = next((each for each in node.entries if each.key == key), None) if isinstance(node, Section) else None
        if entry is None:
            break
        line, node = entry.place.line, entry.value
    return line


def parts_of(file: YamlFile, key: str) -> list[dict[str, Any]]:
    """Return the variants or the metrics of an experiment, those that are sections of keys."""
    found = file.content.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def events_of(file: YamlFile) -> Iterator[str]:
    """Yield the events that the metrics of an experiment count."""
    for metric in parts_of(file, "metrics"):
        for event in (metric.get("event") or metric.get("name"), metric.get("per")):
            if isinstance(event, str):
                yield event


def namespace_of(file: YamlFile) -> tuple[str, float, float] | None:
    """Return the part of a namespace that is an experiment's: its name, where it begins and where it ends."""
    found = file.content.get("namespace")
    if not isinstance(found, dict):
        return None
    name, start, end = (found.get(key) for key in ("name", "from", "to"))
    if isinstance(name, str) and isinstance(start, int | float) and isinstance(end, int | float):
        return name, float(start), float(end)
    return None
