"""The server's configuration files, written anew at every start: who may connect, and settings for a small machine.

What a user sets with `ALTER SYSTEM` stays: it lives in `postgresql.auto.conf`, which is not touched.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mgw.core.database.embedded.account import client_name

if TYPE_CHECKING:
    from pathlib import Path

    from mgw.core.database.embedded.account import Account

_SMALL_SHARED_MEMORY_BYTES = 256 << 20

_SETTINGS = """\
# Written by mgw at every start; use ALTER SYSTEM for settings of your own.
max_connections = 100
shared_buffers = 128MB
jit = off                     # compiling costs more than it saves on statements of milliseconds
wal_level = minimal           # nobody replicates, and COPY into a new table need not be written twice
max_wal_senders = 0
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
lc_messages = 'C'             # the log is quoted in errors
cluster_name = 'mgw'
"""

_HBA = """\
# Written by mgw at every start. One way in: the socket in this folder, for whom the kernel says is the right user.
local all mgw peer map=mgw
"""


def write_configuration(data: Path, account: Account) -> None:
    """Write `postgresql.conf`, `pg_hba.conf` and `pg_ident.conf` into the data directory.

    Raises:
        OSError: the file system refused.
    """
    files = {
        "postgresql.conf": _SETTINGS + _dynamic_shared_memory(),
        "pg_hba.conf": _HBA,
        "pg_ident.conf": f'mgw "{client_name()}" mgw\n',
    }
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name, text in files.items():
            _replace(folder, name, text, account)
        os.fsync(folder)
    finally:
        os.close(folder)


def _replace(folder: int, name: str, text: str, account: Account) -> None:
    """Write one file by way of a new one beside it.

    Root writes here into a folder of an unprivileged user: nothing may lead it, by a symbolic link, to another file.
    """
    aside = f"{name}.{os.urandom(4).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(aside, flags, 0o600, dir_fd=folder), "w", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
            account.own(file.fileno())
            os.fsync(file.fileno())
            os.replace(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            os.unlink(aside, dir_fd=folder)
            raise


def _dynamic_shared_memory() -> str:
    """Keep parallel queries out of a small /dev/shm: containers get 64 MB, and such queries then fail in the middle."""
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108 - nothing is written there
    except OSError:
        return ""
    small = found.f_frsize * found.f_blocks < _SMALL_SHARED_MEMORY_BYTES
    return "dynamic_shared_memory_type = mmap\n" if small else ""
