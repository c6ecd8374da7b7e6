"""Things that are made once for all projects of a user: a template of the data directory, a copy of the binaries."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.core.database.embedded.durability import sync_tree
from mgw.core.database.embedded.lock import lock
from mgw.core.errors import ReadOnly
from mgw.core.files import sync_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cache_folder() -> Path:
    """Return a folder that outlives projects and that only this user may write.

    Raises:
        ReadOnly: there is none.
    """
    for folder in _candidates():
        try:
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            found = folder.lstat()
        except OSError:
            continue
        private = found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if stat.S_ISDIR(found.st_mode) and private and os.access(folder, os.W_OK):
            return folder
    tried = ", ".join(map(str, _candidates()))
    raise ReadOnly(f"no folder for the cache may be written: {tried}", hint="set XDG_CACHE_HOME to a folder of yours")


def _candidates() -> Iterator[Path]:
    if os.geteuid() == 0:
        yield Path("/var/cache/mgw")  # not root's home: the unprivileged server could not walk there
    else:
        stated = os.environ.get("XDG_CACHE_HOME", "")
        yield (Path(stated) if stated.startswith("/") else Path("~/.cache").expanduser()) / "mgw"
    yield Path(tempfile.gettempdir(), f"mgw-cache-{os.geteuid()}")


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """Return the folder `name` of the cache; `build` fills it, once, while others wait.

    It is built aside and renamed, so that it is complete or absent whenever the building is killed.
    """
    cache = cache_folder()
    target = cache / name
    if target.is_dir():
        return target
    with lock(cache / "lock", wait=True):
        if not target.is_dir():
            for litter in cache.glob(".*.aside"):  # of a builder that was killed: the lock is ours
                shutil.rmtree(litter, ignore_errors=True)
            aside = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".aside", dir=cache))
            try:
                build(aside)
                aside.chmod(0o755)
                sync_tree(aside)
                aside.rename(target)
                sync_directory(cache)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
    return target
