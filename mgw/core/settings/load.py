"""Settings from all their sources: flag before environment before YAML before default, checked all at once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple

from mgw.core.settings.discovery import expand_home, locate
from mgw.core.settings.environment import from_environment, warnings
from mgw.core.settings.faults import Fault, invalid
from mgw.core.settings.file_values import file_values, nearest_key
from mgw.core.settings.keys import build, keys
from mgw.core.settings.values import UnfitError, checked
from mgw.core.settings.yaml_source import read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mgw.core.settings.discovery import Location
    from mgw.core.settings.faults import Place
    from mgw.core.settings.schema import Settings

COMMAND_LINE = "command line"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from.

    Attributes:
        kind: the kind of source.
        where: `file:line`, the name of the variable, `command line`, or nothing for a default.
    """

    kind: Literal["flag", "environment", "file", "default"]
    where: str = ""


DEFAULT = Source("default")


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings of one run and where they came from.

    Attributes:
        settings: the tree, every value checked. May hold secrets: show only what `redacted` returns.
        project: the folder that relative paths are resolved against, absolute.
        file: the configuration file, absolute, or None where there is none.
        sources: the source of every dotted key.
        warnings: what is odd without being wrong, in sentences.
    """

    settings: Settings = field(repr=False)
    project: Path
    file: Path | None
    sources: Mapping[str, Source]
    warnings: tuple[str, ...] = ()


class _Candidate(NamedTuple):
    """A value that one source offers for a key; `where` is how a fault in it is located."""

    key: str
    value: object
    where: Place | str
    source: Source


def load_settings(
    *,
    config: Path | None = None,
    start: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, object] = MappingProxyType({}),
) -> LoadedSettings:
    """Load the settings that apply in a folder.

    Args:
        config: the configuration file; else `MGW_CONFIG`, else the nearest `mgw.yaml` or `configs/mgw.yaml` from
            `start` upwards, else none.
        start: the folder to start from; the working folder where None.
        environ: the environment.
        overrides: the command's flags by dotted key; None means that the flag was not given.

    Raises:
        ConfigNotFound: the file that was named does not exist.
        FileUnreadable: it may not be read.
        ConfigInvalid: something is wrong; the message lists every fault.
    """
    location = locate(config, start, environ)
    faults: list[Fault] = []
    values: dict[str, object] = {}
    sources = dict.fromkeys(keys(), DEFAULT)
    for offer in chain(_from_file(location), _from_environment(environ), _from_flags(overrides)):
        if isinstance(offer, Fault):
            faults.append(offer)
            continue
        try:
            # Only YAML has types of its own; a flag may be a text, a variable always is.
            value = checked(keys()[offer.key], offer.value, from_text=offer.source.kind != "file")
        except UnfitError as error:
            faults.append(Fault(offer.where, offer.key, str(error)))
            continue
        values[offer.key] = value
        sources[offer.key] = offer.source
    if faults:
        raise invalid(faults)
    return LoadedSettings(
        settings=build(values),
        project=location.project,
        file=location.file,
        sources=MappingProxyType(sources),
        warnings=warnings(environ),
    )


def resolve_path(loaded: LoadedSettings, value: str) -> Path:
    """Return the path that a setting names: relative ones are meant from the project, `~` is a home folder."""
    return loaded.project / expand_home(Path(value))


def _from_file(location: Location) -> Iterator[_Candidate | Fault]:
    if location.file is None:
        return
    document = read_document(location.file, shown_as=location.shown_as)
    yield from document.faults
    for found in file_values(document.root):
        if isinstance(found, Fault):
            yield found
        else:
            source = Source("file", f"{found.key_place.file}:{found.key_place.line}")
            yield _Candidate(found.key, found.value, found.value_place, source)


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Candidate]:
    for name, text, variable in from_environment(environ):
        yield _Candidate(name, text, variable, Source("environment", variable))


def _from_flags(overrides: Mapping[str, object]) -> Iterator[_Candidate | Fault]:
    for name, value in overrides.items():
        if value is None:
            continue
        if name in keys():
            yield _Candidate(name, value, COMMAND_LINE, Source("flag", COMMAND_LINE))
        else:
            near = nearest_key(name)
            yield Fault(COMMAND_LINE, name, "unknown key" + (f"; did you mean `{near}`?" if near else ""))
