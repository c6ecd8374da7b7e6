"""The settings that a configuration file holds: its tree laid over the schema, with a fault for what does not fit."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from mgw.core.settings.faults import Fault, Place
from mgw.core.settings.keys import keys, sections
from mgw.core.settings.redaction import shown_key
from mgw.core.settings.yaml_source import Scalar, Section, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.settings.yaml_source import Entry


class FileValue(NamedTuple):
    """A setting as the file has it, not yet checked against its type."""

    key: str
    value: object
    key_place: Place
    value_place: Place


def file_values(section: Section, prefix: str = "") -> Iterator[FileValue | Fault]:
    """Yield every setting in `section`, and a fault for each key that the schema does not have."""
    for entry in section.entries:
        name = prefix + entry.key
        if "." in entry.key:  # `als.factors:` would be a second way to say it, and one could contradict the other
            yield Fault(entry.place, None, _unknown(entry, prefix))
        elif name in keys():
            yield FileValue(name, plain(entry.value), entry.place, entry.value.place)
        elif name not in sections():
            yield Fault(entry.place, None, _unknown(entry, prefix))
        elif isinstance(entry.value, Section):
            yield from file_values(entry.value, name + ".")
        elif not (isinstance(entry.value, Scalar) and entry.value.value is None):
            # A section without a value is one whose keys are all commented out. Any other value stays unnamed here:
            # `database: postgresql://…` is a likely slip.
            yield Fault(entry.value.place, name, "expected a section of keys, got a single value or a list")


def nearest_key(name: str) -> str | None:
    """Return the known dotted key that an unknown one most probably means, or None.

    A neighbour in the same section comes first, then whatever word of another section is most like it.
    """
    section, _, word = name.rpartition(".")
    words = {one: one.rpartition(".")[2] for one in (*keys(), *sections())}
    neighbours = {one: its for one, its in words.items() if one.rpartition(".")[0] == section}
    for candidates in (neighbours, words):
        near = get_close_matches(word, candidates.values(), n=1)
        if near:
            return next(one for one, its in candidates.items() if its == near[0])
    return None


def _unknown(entry: Entry, prefix: str) -> str:
    problem = f"unknown key {shown_key(entry.key)}" + (f" in the section `{prefix[:-1]}`" if prefix else "")
    near = nearest_key(prefix + entry.key)
    if near is None:
        return problem
    section, _, word = near.rpartition(".")
    if section == prefix[:-1]:
        return f"{problem}; did you mean `{word}`?"
    return f"{problem}; did you mean `{word}` {f'in the section `{section}`' if section else 'at the top level'}?"
