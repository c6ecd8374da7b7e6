"""Which files a project has, and reading them whatever is in them."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MAX_BYTES = 4 << 20
KINDS = {".py": "python", ".sql": "sql", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml",
         ".env": "env", ".ini": "ini", ".cfg": "ini"}  # fmt: skip
_LEFT_OUT = {"__pycache__", "node_modules", "build", "dist", "venv", "site-packages"}
_CLOSED = re.compile(r"could not open directory '(.*?)/?': (.*)")
_GIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Source:
    r"""A file of the project.

    Attributes:
        path: from the root, with `/`.
        kind: "python", "sql", "yaml", "json", "toml", "env" or "ini".
        text: its content, with line ends of `\n`; empty where it cannot be read.
        problem: why it cannot be read; empty where it can.
        line: where it cannot be.
    """

    path: str
    kind: str
    text: str
    problem: str = ""
    line: int = 0


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Say whether a path is one of some patterns; `*` and `?` stay within a folder, `**` does not.

    >>> matches("tests/a/test_b.py", ["tests/**"]), matches("a/conftest.py", ["**/conftest.py"]), matches("a/b", ["*"])
    (True, True, False)
    """
    return any(_pattern(each).fullmatch(path) for each in patterns)


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/?|\*|\?)", pattern.rstrip("/"))
    forms = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "": ""}
    return re.compile("".join(forms.get(part, re.escape(part)) for part in parts))


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a project.

    Attributes:
        paths: those that can be looked at, in order, from the root.
        closed: folders that may not be opened, with why.
    """

    paths: list[str]
    closed: dict[str, str]


def listing_of(root: Path, excluded: Iterable[str]) -> Listing:
    """Return the files that can be looked at: those that Git does not ignore.

    Where there is no Git, all but hidden folders, environments, and what tools make.
    """
    excluded = tuple(excluded)
    found = _known_to_git(root) or _walked(root)
    paths = sorted(path for path in found.paths if _kind(path) and not matches(path, excluded))
    return Listing(paths, {path: why for path, why in found.closed.items() if not matches(path, excluded)})


def _kind(path: str) -> str | None:
    name = path.rpartition("/")[2]
    return "env" if name.startswith(".env") else KINDS.get(os.path.splitext(name)[1].lower())  # noqa: PTH122 - many


def _known_to_git(root: Path) -> Listing | None:
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_GIT_S, check=True, env={**os.environ, "LC_ALL": "C"}
        )
    except (OSError, subprocess.SubprocessError):
        return None
    names = {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}
    closed = dict(_CLOSED.findall(os.fsdecode(done.stderr)))
    return Listing([name for name in names if os.path.lexists(root / name)], closed)


def _walked(root: Path) -> Listing:
    found = Listing([], {})

    def note(error: OSError) -> None:
        found.closed[os.path.relpath(error.filename, root)] = error.strerror or str(error)

    for folder, folders, names in os.walk(root, onerror=note):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in _LEFT_OUT and not os.path.exists(f"{folder}/{name}/pyvenv.cfg")  # noqa: PTH110 - many
        ]
        below = os.path.relpath(folder, root)
        found.paths.extend(name if below == "." else f"{below}/{name}" for name in names)
    return found


def read(root: Path, path: str) -> Source:
    """Read a file; what keeps it from being read is part of what is returned."""
    kind = _kind(path) or ""
    try:
        with open(root / path, "rb") as file:  # noqa: PTH123 - a third of the time, and there may be thousands
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Source(path, kind, "", f"cannot be read: {error.strerror or error}")
    if len(content) > MAX_BYTES:
        return Source(path, kind, "", f"is larger than {MAX_BYTES >> 20} MB, and is not looked at")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Source(path, kind, "", f"byte 0x{content[error.start]:02x} is not UTF-8", line)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return Source(path, kind, text)
