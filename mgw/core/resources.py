"""Where the files are that travel with the program: the queries, the default configuration and the migrations.

In a wheel they are inside the package, in a checkout beside it; whoever reads them does not need to know.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from mgw.core.errors import FileUnreadable

Kind: TypeAlias = Literal["queries", "configs", "migrations"]

_PACKAGE = Path(__file__).resolve().parent.parent


def resource(kind: Kind) -> Path:
    """Return the folder that holds the program's files of one kind.

    Raises:
        FileUnreadable: this installation lacks them.
    """
    return _find(kind, _PACKAGE)


def own_accessors() -> Path:
    """Return the module that is written from the program's own queries."""
    return _PACKAGE / "core" / "database" / "queries.py"


def _find(kind: Kind, package: Path) -> Path:
    if kind == "migrations":
        candidates = [package / kind]
    else:
        candidates = [package / "_resources" / kind]
        # Only beside our own project file: next to an installed package, `queries` would be somebody else's.
        if (package.parent / "pyproject.toml").is_file():
            candidates.append(package.parent / kind)
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise FileUnreadable(f"the folder {candidates[0]} of this installation is missing", hint="install mgw again")
