"""Writing files so that a reader sees the old content or the new, never a part, and translating what the disk says.

What is written aside has a name of the form `.NAME.XXXXXXXX.part`. A process that is killed leaves it behind. It is
locked while it is being written, and the kernel drops the locks of a dead process: so `sweep` can tell at once, without
guessing by age, what nobody works on any more.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from mgw.core.errors import DiskFull, FileUnreadable, ReadOnly

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.EEXIST, errno.ENOTDIR}
_NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
_ASIDE = ".part"


@contextmanager
def storage_errors(path: Path, action: Literal["write", "read"] = "write") -> Iterator[None]:
    """Translate an `OSError` raised in the block, which writes at `path` or reads there.

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
            refused = ReadOnly if action == "write" else FileUnreadable
            raise refused(
                f"may not {action} {where}: {error.strerror}", hint="check the owner and the permissions"
            ) from error
        if error.errno in _NO_FOLDER and (file := _file_on_the_way(Path(str(where)))) is not None:
            raise FileUnreadable(f"{file} is a file, not a folder", hint="name a folder, or move it away") from error
        raise FileUnreadable(f"{where}: {error.strerror or error}") from error


def _file_on_the_way(path: Path) -> Path | None:
    return next((each for each in (path, *path.parents) if each.is_file()), None)


def write_atomic(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write `content` to `path` by way of a file beside it, synced and renamed; the umask takes from `mode`."""
    with file_published_as(path, mode=mode) as file:
        file.write(content)


def replace_file(path: Path, content: bytes) -> None:
    """Write what can be made again: as `write_atomic`, but without waiting for the disk, in a folder that is there.

    Raises:
        OSError: it cannot be written.
    """
    aside = _aside(path)
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


@contextmanager
def file_published_as(path: Path, *, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Yield an empty file beside `path`; it becomes `path` when the block ends well and vanishes when it does not."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = _aside(path)
        with locked(path.parent):  # nobody sweeps between the two steps
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            _lock(descriptor)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
                aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


@contextmanager
def directory_published_as(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; it becomes `path` when the block ends well and vanishes when it does not.

    Everything in it is synced before the rename, so that a crash leaves either no `path` or a complete one.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = _aside(path)
        with locked(path.parent):  # nobody sweeps between the two steps
            aside.mkdir()
            descriptor = os.open(aside, os.O_RDONLY | os.O_DIRECTORY)
            _lock(descriptor)
        try:
            yield aside
            for file in aside.iterdir():
                sync_directory(file)
            sync_directory(aside)
            aside.rename(path)
            sync_directory(path.parent)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        finally:
            os.close(descriptor)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time into the block; the lock of a process that died is gone with it.

    Args:
        path: a folder, or a file, which is made if it is not there.

    Raises:
        OSError: it may not be opened.
    """
    folder = path.is_dir()
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY if folder else os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold the lock of a file in the block, without waiting for it; yield False where another process holds it.

    Args:
        path: the file, which is made if it is not there, and stays: who removes a lock may remove another's.

    Raises:
        OSError: it may not be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _lock(descriptor: int, how: int = fcntl.LOCK_EX) -> None:
    try:
        fcntl.flock(descriptor, how)
    except OSError as error:
        # Some network file systems have no locks for folders. Work goes on without: `sweep`, which needs them, does
        # nothing there.
        if error.errno not in _NO_LOCKS:
            raise


def sweep(folder: Path) -> None:
    """Remove what killed processes left written aside in `folder`; what is still being written stays."""
    if not folder.is_dir():
        return
    with suppress(OSError), locked(folder):
        for path in folder.glob(f".*{_ASIDE}"):
            _remove_unless_locked(path)


def _remove_unless_locked(path: Path) -> None:
    with suppress(OSError):  # locked, gone, or on a file system without locks: whoever asked can do without
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        finally:
            os.close(descriptor)


def remove_directory(path: Path) -> None:
    """Remove a folder, renamed first, so that nobody finds half of it under its name; of a link, the link alone.

    Raises:
        OSError: it does not exist or may not be removed.
    """
    with locked(path.parent):
        if path.is_symlink():
            path.unlink()
            return
        aside = _aside(path)
        path.rename(aside)
        shutil.rmtree(aside)


def sync_directory(path: Path) -> None:
    """Flush a folder (or a file) to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{_ASIDE}")
