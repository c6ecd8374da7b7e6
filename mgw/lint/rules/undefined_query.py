"""An accessor is called whose query does not exist.

## Why is this bad

The call fails when it is reached, which may be in an error path that no test has. The module of accessors may still
have the function although its query was deleted or renamed: then it is a string that nobody checks any more.

## What instead

Call the query by its present name, or write it and run `mgw prepare`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWQ002"
NEEDS = frozenset({"callers"})
_DEFINED = re.compile(r"^(?:(?:async )?def|class) (\w+)|^(\w+)\s*[:=]|^# ---- (\S+) ", re.MULTILINE)


def check(project: Project) -> Iterator[Finding]:
    """Find accessors that are named and have no query."""
    if project.accessor_module is None:
        return
    others = _others(project, project.accessor_module)
    for path, facts in project.modules.items():
        for call in facts.calls:
            if call.function not in project.accessors and call.function not in others:
                near = get_close_matches(call.function, project.accessors, 1)
                yield Finding(
                    code=CODE, name="undefined-query", path=path, line=call.line, column=call.at,
                    message=f"there is no query for {call.function}",
                    hint=f"did you mean {near[0]}?" if near else "write it, and run `mgw prepare`",
                )  # fmt: skip


def _others(project: Project, module: str) -> set[str]:
    """Return what the module of accessors has beside accessors: types of rows, and what registers types."""
    functions, blocks = set(), set()
    for function, constant, block in _DEFINED.findall(project.source(module).text):
        functions.add(function or constant)
        blocks.add(re.sub(r"[/-]", "_", block).lower())
    left_over = {f"{block}{twin}" for block in blocks if block for twin in ("", "_async", "_pipelined")}
    return functions - left_over
