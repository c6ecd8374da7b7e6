"""A project as rules see it: everything is read once, when the first rule asks for it."""

from __future__ import annotations

import fnmatch
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import yaml

from mgw.core.errors import ConfigInvalid
from mgw.core.settings.yaml_source import Section, parse_document, plain
from mgw.lint.facts import ModuleFacts, read_module
from mgw.lint.facts.memory import Memory
from mgw.lint.facts.module import dotted_names
from mgw.lint.files import Listing, Source, listing_of, read
from mgw.lint.statement import Statement
from mgw.sql.accessors import names
from mgw.sql.prepared import read_prepared
from mgw.sql.record import read_record, relative

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mgw.lint.configuration import Configuration
    from mgw.lint.facts import Call
    from mgw.sql.description import Column, Description

_TWINS = ("_async", "_pipelined")


@dataclass(frozen=True)
class QueryFile:
    """A query.

    Attributes:
        name: its path below the folder of queries, without the ending.
        path: of its file, from the root of the project.
        statement: its text.
        description: what was proved of it; None where it was not described, or was changed since.
    """

    name: str
    path: str
    statement: Statement
    description: Description | None

    @property
    def function(self) -> str:
        """What its accessor is called."""
        return names.accessor(self.name)

    @property
    def accessors(self) -> tuple[str, ...]:
        """That, and what its twins for asyncio and for pipelines are called."""
        return (self.function, *(f"{self.function}{twin}" for twin in _TWINS))

    @property
    def fields(self) -> dict[str, Column]:
        """The columns by the names of the fields of a row."""
        return {names.field(column.name): column for column in self.description.columns} if self.description else {}


@dataclass(frozen=True)
class YamlFile:
    """A YAML file that could be read.

    Attributes:
        path: from the root of the project.
        text: of it.
        root: its top level.
    """

    path: str
    text: str
    root: Section

    @cached_property
    def content(self) -> dict[str, Any]:
        """Its content without places."""
        found = plain(self.root)
        assert isinstance(found, dict)
        return found


class Project:
    """The files of a project and what is known of them.

    Args:
        root: its folder.
        configuration: how it is linted.
        memory: a file for facts that hold until files change; None keeps nothing.
    """

    def __init__(self, root: Path, configuration: Configuration, memory: Path | None = None) -> None:
        self.root = root
        self.configuration = configuration
        self._memory = memory

    @cached_property
    def listing(self) -> Listing:
        """Every file that is looked at, and folders that cannot be."""
        return listing_of(self.root, self.configuration.exclude)

    @property
    def paths(self) -> list[str]:
        """Every file that is looked at."""
        return self.listing.paths

    @cached_property
    def queries(self) -> dict[str, QueryFile]:
        """The queries, by name."""
        folder = f"{self.configuration.queries.rstrip('/')}/"
        sources = [
            self.source(path)
            for path in self.paths
            if path.startswith(folder) and path.endswith(".sql") and "/." not in path
        ]
        prepared = read_prepared(self.root / folder) if sources else {}
        found = {}
        for source in sources:
            name = source.path[len(folder) : -len(".sql")]
            kept = prepared.get(name)
            description = kept.description if kept else None
            if description is not None and description.query != _checksum(source.text):
                description = None
            found[name] = QueryFile(name, source.path, Statement(source.text), description)
        return found

    @cached_property
    def accessors(self) -> dict[str, QueryFile]:
        """The queries, by the names of their accessors; twins for asyncio and pipelines are of the same query."""
        return {name: query for query in self.queries.values() for name in query.accessors}

    @cached_property
    def accessor_module(self) -> str | None:
        """The file of the accessors, from the root; None where the queries were prepared without one."""
        folder = self.root / self.configuration.queries
        module = read_record(folder).module
        return relative(folder / module, self.root) if module is not None else None

    @cached_property
    def migrations(self) -> list[str]:
        """The migrations' files, in order."""
        folder = self.configuration.migrations
        if folder is None:
            kept = read_record(self.root / self.configuration.queries).migrations
            folder = relative(self.root / self.configuration.queries / kept, self.root) if kept else "migrations"
        return [path for path in self.paths if fnmatch.fnmatch(path, f"{folder}/*.sql")]

    @cached_property
    def modules(self) -> Mapping[str, ModuleFacts]:
        """What is known of each Python module, but for that of the accessors."""
        accessors = tuple(dotted_names(self.accessor_module)) if self.accessor_module else ()
        memory = Memory(self._memory, self.root, accessors)
        found = {}
        for path in self.paths:
            if not path.endswith(".py") or path == self.accessor_module:
                continue
            facts = memory.recall(path)
            if facts is None:
                source = self.source(path)
                facts = (
                    ModuleFacts(problem=source.problem, line=source.line)
                    if source.problem
                    else read_module(path, source.text, accessors)
                )
                memory.note(path, facts)
            found[path] = facts
        memory.save()
        return found

    @cached_property
    def calls(self) -> dict[str, list[Call]]:
        """The places that name the accessor of a query, by query."""
        found: dict[str, list[Call]] = {name: [] for name in self.queries}
        for facts in self.modules.values():
            for call in facts.calls:
                if call.function in self.accessors:
                    found[self.accessors[call.function].name].append(call)
        return found

    @cached_property
    def attributes(self) -> frozenset[str]:
        """Names that any module reads as attributes, or spells as texts, as `getattr` takes them."""
        return frozenset().union(*(facts.attributes | facts.strings for facts in self.modules.values()))

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that any module reads as they stand."""
        return frozenset().union(*(facts.names for facts in self.modules.values()))

    @cached_property
    def yaml(self) -> list[YamlFile]:
        """The YAML files that can be read."""
        return [each for each in self._yaml.values() if isinstance(each, YamlFile)]

    @cached_property
    def unreadable_yaml(self) -> dict[str, str]:
        """What is wrong with the others, by path."""
        return {path: each for path, each in self._yaml.items() if isinstance(each, str)}

    @cached_property
    def _yaml(self) -> dict[str, YamlFile | str | None]:
        return {
            source.path: _parsed(source)
            for source in map(self.source, (path for path in self.paths if path.endswith((".yaml", ".yml"))))
            if not source.problem
        }

    @cached_property
    def gateways(self) -> list[YamlFile]:
        """Files that are a gateway's: they have routes, with paths."""
        return [each for each in self.yaml if _has_routes(each.content)]

    @cached_property
    def experiments(self) -> list[YamlFile]:
        """Files that are experiments."""
        return [each for each in self.yaml if {"variants", "metrics"} <= each.content.keys()]

    def source(self, path: str) -> Source:
        """Return a file, read once."""
        if path not in self._sources:
            self._sources[path] = read(self.root, path)
        return self._sources[path]

    @cached_property
    def _sources(self) -> dict[str, Source]:
        return {}


def _parsed(source: Source) -> YamlFile | str | None:
    """Read a file; return what is wrong with it, or None for YAML of another kind: a list, several documents, tags."""
    try:
        return YamlFile(source.path, source.text, parse_document(source.text, source.path).root)
    except ConfigInvalid as error:
        return None if _is_yaml(source.text) else error.message


def _is_yaml(text: str) -> bool:
    try:
        return any(True for _ in yaml.compose_all(text, yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return False


def _has_routes(content: dict[str, Any]) -> bool:
    routes = content.get("routes")
    return isinstance(routes, list) and any(isinstance(each, dict) and "path" in each for each in routes)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
