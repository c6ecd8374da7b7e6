"""`mgw init`: a project begins with a configuration that shows every key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mgw.cli.output import out
from mgw.core.errors import ConfigExists, FileUnreadable
from mgw.core.files import storage_errors
from mgw.core.resources import resource

FILE_NAME = "mgw.yaml"


def init(
    folder: Annotated[Path, typer.Argument(help="Folder of the project; made if it is not there.")] = Path(),
    force: Annotated[
        bool, typer.Option("--force", help="Replace a configuration that is there, keeping it as mgw.yaml.bak.")
    ] = False,
) -> None:
    """Write mgw.yaml, a configuration that shows every key with its default."""
    kept = write_configuration(folder, force=force)
    if kept is not None:
        out.note(f"kept the former configuration as {kept}")
    second = folder / "configs" / FILE_NAME
    if second.exists():
        out.note(f"{second} is not read any more: {FILE_NAME} comes before it")
    out.print(f"wrote {folder / FILE_NAME}")


def write_configuration(directory: Path, *, force: bool) -> Path | None:
    """Write the default configuration into `directory`.

    Returns:
        The file that a former configuration was renamed to, or None where there was none.

    Raises:
        ConfigExists: there is a configuration already and `force` is false.
        StorageError: the file cannot be written.
    """
    content = (resource("configs") / FILE_NAME).read_bytes()
    file = directory / FILE_NAME
    with storage_errors(file):
        if directory.exists() and not directory.is_dir():
            raise FileUnreadable(f"{directory} is a file, not a folder", hint="name the folder of the project")
        directory.mkdir(parents=True, exist_ok=True)
        for existing in (file, directory / "configs" / FILE_NAME):
            if os.path.lexists(existing) and not force:
                raise _exists(existing)
        kept = _set_aside(file) if os.path.lexists(file) else None
        _write_new(file, content)
    return kept


def _set_aside(file: Path) -> Path:
    """Rename `file` to the first free name of `mgw.yaml.bak`, `mgw.yaml.bak2`, …; nothing is ever overwritten."""
    number = 1
    while True:
        aside = file.with_name(f"{file.name}.bak{'' if number == 1 else number}")
        if not os.path.lexists(aside):
            return file.rename(aside)
        number += 1


def _write_new(file: Path, content: bytes) -> None:
    try:
        # "x": should the file have appeared since we looked, it stays as it is.
        with file.open("xb") as stream:
            try:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            except OSError:
                file.unlink(missing_ok=True)
                raise
    except FileExistsError as error:
        raise _exists(file) from error


def _exists(file: Path) -> ConfigExists:
    return ConfigExists(f"{file} is there already", hint="edit it, or use --force to replace it and keep a copy")
