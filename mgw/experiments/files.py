"""An experiment's YAML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.core.errors import ConfigInvalid, ExperimentInvalid
from mgw.core.settings import read_struct
from mgw.experiments.definition import Definition, check

if TYPE_CHECKING:
    from pathlib import Path

_HINT = "docs/experiments.md shows every key"


def read_definition(path: Path) -> Definition:
    """Read and check an experiment.

    Raises:
        FileUnreadable: there is no such file, or it may not be read.
        ExperimentInvalid: it is no YAML, keys are unknown or do not fit, or the experiment cannot be run.
    """
    try:
        definition = read_struct(path, Definition)
    except ConfigInvalid as error:
        raise ExperimentInvalid(error.message, hint=_HINT) from error
    try:
        check(definition)
    except ExperimentInvalid as error:
        raise ExperimentInvalid(f"{path}: {error.message}", hint=error.hint or _HINT) from error
    return definition
