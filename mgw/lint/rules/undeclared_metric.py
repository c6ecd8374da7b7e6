"""A dashboard or an alert names a metric that is not declared.

## Why is this bad

The panel stays empty and the alert silent, which looks just as it does when all is well.

## What instead

Mend the name, or generate both from what is declared: `mgw metrics dashboard`, `mgw metrics alerts`. Judged are names
that begin as a declared metric of this project does; those of other programs are theirs.
"""

from __future__ import annotations

import json
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWM002"
_NAME = re.compile(r"(?<![\w:\"'])[a-zA-Z_:][\w:]*(?![\w:]*\s*\()")
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_DERIVED = re.compile(r"(?:_bucket|_sum|_count|_created)\Z")


def check(project: Project) -> Iterator[Finding]:
    """Find names in expressions that no module declares."""
    declared = {each.name for facts in project.modules.values() for each in facts.declarations if each.kind == "metric"}
    spaces = {name.partition("_")[0] for name in declared}
    known = declared | {each.removesuffix("_total") for each in declared}
    for path, expression in _expressions(project):
        for name in dict.fromkeys(_NAME.findall(_STRING.sub('""', expression))):
            base = _DERIVED.sub("", name)
            if name.partition("_")[0] in spaces and "_" in name and not {name, base} & known:
                near = get_close_matches(name, declared, 1)
                text = project.source(path).text
                yield Finding(
                    code=CODE, name="undeclared-metric", path=path, line=text.count("\n", 0, text.find(name)) + 1,
                    message=f"no module declares {name}",
                    hint=f"did you mean {near[0]}?" if near else "generate it: `mgw metrics dashboard`",
                )  # fmt: skip


def _expressions(project: Project) -> Iterator[tuple[str, str]]:
    """Yield the PromQL of Grafana's dashboards and of Prometheus' rules."""
    for file in project.yaml:
        if isinstance(file.content.get("groups"), list):
            yield from ((file.path, each) for each in _strings_under(file.content, "expr"))
    for path in project.paths:
        if path.endswith(".json") and '"expr"' in project.source(path).text:
            try:
                content = json.loads(project.source(path).text)
            except ValueError:
                continue
            yield from ((path, each) for each in _strings_under(content, "expr"))


def _strings_under(node: Any, key: str) -> Iterator[str]:  # noqa: ANN401 - whatever a file has
    if isinstance(node, dict):
        if isinstance(node.get(key), str):
            yield node[key]
        for each in node.values():
            yield from _strings_under(each, key)
    elif isinstance(node, list):
        for each in node:
            yield from _strings_under(each, key)
