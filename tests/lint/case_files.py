"""Projects made from case files: a rule's faults, and the same without."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from mgw.core.settings.yaml_source import parse_document, plain
from mgw.lint import Configuration, Project
from mgw.sql.accessors import names
from mgw.sql.description import Column, Description, Finding
from mgw.sql.prepared import write_prepared
from mgw.sql.record import Record, write_record

CASES = Path(__file__).parent / "cases"


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One half of a case file.

    Attributes:
        files: content by path.
        found: what the rule has to find, as `path:line`.
        columns: of the queries that have some, by query: names, with `?` behind those that may be NULL.
        plans: predicates that no index serves, by query.
        lint: what `[tool.mgw.lint]` says.
    """

    files: dict[str, str]
    found: tuple[str, ...] = ()
    columns: dict[str, str] = {}
    plans: dict[str, str] = {}
    lint: dict[str, Any] = {}


def read_case(rule: str) -> dict[str, Case]:
    path = CASES / f"{rule.replace('-', '_')}.yaml"
    document = plain(parse_document(path.read_text(), str(path)).root)
    return {half: msgspec.convert(content, Case) for half, content in document.items()}


def write_project(root: Path, case: Case) -> Project:
    """Write the files of a case, with descriptions of its queries and a module of accessors."""
    for path, text in case.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    queries = {
        path.removeprefix("queries/").removesuffix(".sql"): text
        for path, text in case.files.items()
        if path.startswith("queries/")
    }
    if queries:
        folder = root / "queries"
        write_prepared(folder, {name: described(case, name, text) for name, text in queries.items()}, keep=set())
        write_record(folder, Record(module="../app/queries.py"))
        functions = "".join(
            f"# ---- {name} 0 0\ndef {names.accessor(name)}(connection, /, **given): ...\n\n\n" for name in queries
        )
        module = root / "app" / "queries.py"
        module.parent.mkdir(exist_ok=True)
        module.write_text(f"{case.files.get('app/queries.py', '')}{functions}")
    return Project(root, msgspec.convert(case.lint, Configuration))


def described(case: Case, name: str, text: str) -> Description:
    columns = tuple(
        Column(
            name=each.rstrip("?"),
            type="text",
            nullable=each.endswith("?"),
            reasons=("film.title may be NULL (line 1)",) if each.endswith("?") else (),
            source=None,
        )
        for each in case.columns.get(name, "").split()
    )
    plan = [
        Finding(table="film", predicate=each, index="CREATE INDEX ON film (year)")
        for each in [case.plans.get(name)]
        if each
    ]
    return Description(
        name=name,
        query=sha256(text.encode()).hexdigest(),
        returns="one" if name.endswith("one") else "many",
        columns=columns,
        plan=tuple(plan),
    )
