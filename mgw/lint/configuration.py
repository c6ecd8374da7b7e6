"""What `[tool.mgw.lint]` in `pyproject.toml` says; everything has a default."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from mgw.core.errors import ConfigInvalid, FileUnreadable

if TYPE_CHECKING:
    from pathlib import Path

FILE = "pyproject.toml"


class Configuration(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab", kw_only=True):
    """How a project is linted.

    Attributes:
        select: codes, or beginnings of codes, of the rules that are asked; none means all.
        ignore: of those that are not.
        per_file_ignores: codes by the pattern of the files in which they are not asked.
        exclude: patterns of files that are not looked at, `tests/**`; besides what Git ignores.
        queries: folder of the queries.
        migrations: folder of the migrations; none means the one that the queries were prepared with.
        released: the commit, tag or branch whose migrations may not be edited any more; none means the latest tag that
            begins with `v`.
        user_facing: patterns of the modules whose lists somebody is shown.
        user_paths: words in the path of a route that say that it carries what belongs to a user.
        events: what is recorded as conversions by programs that are not in this project.
        baseline: file of the findings that were there before.
        delegates: other tools that are asked too, and must be there; none named means all of them, where they are.
        ruff: codes that ruff is asked for.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: dict[str, tuple[str, ...]] = {}
    exclude: tuple[str, ...] = ("tests/**", "**/tests/**", "**/test_*.py", "**/conftest.py")
    queries: str = "queries"
    migrations: str | None = None
    released: str | None = None
    user_facing: tuple[str, ...] = (
        "**/api/**", "**/cli/**", "**/handlers/**", "**/routes/**", "**/service/**", "**/views/**", "**/web/**",
    )  # fmt: skip
    user_paths: tuple[str, ...] = (
        "account", "accounts", "history", "me", "personalization", "preferences", "profile", "sessions", "user",
        "user_id", "users", "watchlist",
    )  # fmt: skip
    events: tuple[str, ...] = ()
    baseline: str = ".mgw-lint.json"
    delegates: tuple[str, ...] | None = None
    ruff: tuple[str, ...] = ("F401", "F811", "F841", "ARG")


def read_configuration(root: Path) -> Configuration:
    """Read what a project says of how it is linted.

    Raises:
        ConfigInvalid: it is no TOML, there is no such key, or a value does not fit.
        FileUnreadable: the file may not be read.
    """
    try:
        return msgspec.convert(_section(root), Configuration)
    except msgspec.ValidationError as error:
        raise ConfigInvalid(f"{root / FILE}, [tool.mgw.lint]: {error}", hint="docs/lint.md lists the keys") from error


def _section(root: Path) -> object:
    path = root / FILE
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigInvalid(f"{path} is not TOML: {error}", hint="mend the file") from error
    except OSError as error:
        raise FileUnreadable(f"cannot read {path}: {error.strerror}") from error
    found: object = document
    for name in ("tool", "mgw", "lint"):
        if not isinstance(found, dict):
            raise ConfigInvalid(f"{path}: what holds `{name}` is no table", hint="[tool.mgw.lint] begins the section")
        found = found.get(name, {})
    return found
