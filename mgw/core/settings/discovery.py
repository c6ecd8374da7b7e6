"""Which configuration file applies, and which folder is the project that its relative paths are meant from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.core.errors import ConfigInvalid, FileUnreadable

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_NAME = "mgw.yaml"
FOLDER = "configs"
CONFIG_VARIABLE = "MGW_CONFIG"


@dataclass(frozen=True, slots=True)
class Location:
    """Where the configuration is.

    Attributes:
        project: the folder that relative paths are resolved against, absolute.
        file: the configuration file, absolute, or None where there is none.
        shown_as: the file as messages name it: relative to where the search started when it lies below.
    """

    project: Path
    file: Path | None
    shown_as: str


def locate(config: Path | None, start: Path | None, environ: Mapping[str, str]) -> Location:
    """Find the configuration: `config`, else `MGW_CONFIG`, else the nearest file in `start` and its parents.

    In each folder `mgw.yaml` comes before `configs/mgw.yaml`; either makes that folder the project. A file that is
    named need not exist: reading it says so. Without any file the project is `start` (default: the working folder).
    """
    here = _absolute(start)
    named = config or environ.get(CONFIG_VARIABLE) or None
    if named is not None:
        return _location(here / expand_home(Path(named)), here)
    for folder in (here, *here.parents):
        for candidate in (folder / FILE_NAME, folder / FOLDER / FILE_NAME):
            if _is_file(candidate):
                return _location(candidate, here)
    return Location(project=here, file=None, shown_as="")


def expand_home(path: Path) -> Path:
    """Return `path` with a leading `~` or `~user` replaced by that home folder.

    Raises:
        ConfigInvalid: nobody knows that home folder.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ConfigInvalid(f"{path}: there is no such home folder", hint="write the path without `~`") from error


def _location(file: Path, here: Path) -> Location:
    # The folder is resolved, the file is not: a link to a shared file still belongs to the project it stands in.
    folder = file.parent.resolve()
    file = folder / file.name
    project = folder.parent if folder.name == FOLDER else folder
    shown = file.relative_to(here) if file.is_relative_to(here) else file
    return Location(project=project, file=file, shown_as=str(shown))


def _absolute(start: Path | None) -> Path:
    try:
        return (start or Path.cwd()).resolve()
    except OSError as error:
        raise FileUnreadable("the working folder does not exist any more", hint="change to another folder") from error


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a parent folder that may not be searched holds no configuration of ours
        return False
