"""A migration was edited, renamed or deleted after it was released.

## Why is this bad

Databases on which it ran keep what it did then, new ones get what it says now: two schemas with the same number of
migrations. `mgw db migrate` refuses to go on where the checksum differs.

## What instead

Take the edit back and write another migration that changes what is there. Released is what the latest tag that begins
with `v` has, or the commit that `released` in `[tool.mgw.lint]` names.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from mgw.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.lint.project import Project

CODE = "MGWD001"
_GIT_S = 20.0


def check(project: Project) -> Iterator[Finding]:
    """Compare migrations with those that were released."""
    released = project.configuration.released or _latest_release(project)
    folder = project.migrations[0].rpartition("/")[0] if project.migrations else project.configuration.migrations
    if not released or not folder:
        return
    listing = _git(project, "ls-tree", "-r", "--name-only", released, "--", folder)
    if listing is None and project.configuration.released is not None:
        yield _finding(
            "pyproject.toml", 0, f"`released` is {released}, which Git does not know here",
            hint="name a commit, tag or branch; a shallow clone has few of them",
        )  # fmt: skip
    for path in (listing or "").splitlines():
        before = _git(project, "show", f"{released}:./{path}") if path.endswith(".sql") else None
        if before is None:
            continue
        source = project.source(path)
        if source.problem or path not in project.paths:
            yield _finding(path, 0, f"{path} was released with {released}, and is gone")
        elif _plain(before) != _plain(source.text):
            yield _finding(path, _first_difference(before, source.text), f"it was released with {released} as it was")


def _plain(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").strip()


def _first_difference(before: str, now: str) -> int:
    pairs = zip(before.splitlines(), [*now.splitlines(), ""], strict=False)
    return next((line for line, (old, new) in enumerate(pairs, start=1) if old != new), now.count("\n") + 1)


def _latest_release(project: Project) -> str | None:
    found = _git(project, "describe", "--tags", "--abbrev=0", "--match", "v*")
    return found.strip() if found else None


def _git(project: Project, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(project.root), *arguments], capture_output=True, timeout=_GIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")


def _finding(
    path: str, line: int, message: str, *, hint: str = "take the edit back, and write another migration"
) -> Finding:
    return Finding(code=CODE, name="edited-migration", path=path, line=line, message=message, hint=hint)
