"""Writing files so that a reader sees the old content or the new, never a part, and translating what the disk says."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.core.errors import DiskFull, FileUnreadable, ReadOnly

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Translate an `OSError` raised while writing at `path`.

    Raises:
        DiskFull: no space, or no quota, is left.
        ReadOnly: the folder or the file may not be written.
        FileUnreadable: anything else that the file system answered.
    """
    try:
        yield
    except OSError as error:
        where = error.filename or path
        if error.errno in _FULL:
            raise DiskFull(
                f"no space left to write {where}", hint="free some space and run the command again"
            ) from error
        if error.errno in _REFUSED:
            raise ReadOnly(
                f"may not write {where}: {error.strerror}", hint="check the owner and the permissions"
            ) from error
        raise FileUnreadable(f"{where}: {error.strerror or error}") from error


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write `content` to `path` by way of a file beside it, synced and renamed."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


@contextmanager
def directory_published_as(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; it becomes `path` when the block ends well and vanishes when it does not.

    Everything in it is synced before the rename, so that a crash leaves either no `path` or a complete one.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield aside
            aside.chmod(0o755)
            for file in aside.iterdir():
                sync_directory(file)
            sync_directory(aside)
            aside.rename(path)
            sync_directory(path.parent)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


def sync_directory(path: Path) -> None:
    """Flush a folder (or a file) to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
