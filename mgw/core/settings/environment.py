"""Settings from `MGW_*` environment variables; an empty variable counts as not set."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from mgw.core.settings.discovery import CONFIG_VARIABLE
from mgw.core.settings.keys import PREFIX, keys

if TYPE_CHECKING:
    from collections.abc import Mapping

ALIASES = {"MGW_PG_BIN": "database.bin_dir"}
"""Short names beside the computed ones; the computed name wins where both are set."""

NOT_SETTINGS = frozenset({CONFIG_VARIABLE})
"""Variables that mean something without being a setting."""


def variables() -> dict[str, str]:
    """Return the dotted key of each variable, aliases first so that the computed names come later and win."""
    return {**ALIASES, **{key.variable: name for name, key in keys().items()}}


def from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return (dotted key, text, variable) for each setting in the environment; for one key the last one counts."""
    return [(name, environ[variable], variable) for variable, name in variables().items() if environ.get(variable)]


def warnings(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Say which variables look like settings but are none.

    They are no error, because other programs may use the prefix too.
    """
    known = {*variables(), *NOT_SETTINGS}
    unknown = sorted(name for name, text in environ.items() if name.startswith(PREFIX) and text and name not in known)
    return tuple(_warning(name, known) for name in unknown)


def _warning(name: str, known: set[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return f"the environment variable {name} is not a setting" + (f"; did you mean {near[0]}?" if near else "")
