"""Addresses of Unix sockets: a path fits into about a hundred bytes, and a project may lie deeper than that.

Then a short symbolic link in a private temporary folder stands in for the deep folder.
"""

from __future__ import annotations

import os
import sys

# `sun_path` with its terminating zero; libpq has the same limit.
_SUN_PATH_BYTES = 107 if sys.platform == "linux" else 103
_PREFIX = "mgw-"


def fits(folder: str, socket_name: str) -> bool:
    """Return whether a socket in `folder` can be named by its path, also in the URL of a libpq client.

    libpq takes a comma in a host for a list of hosts, and there is no way to escape it; psycopg wants UTF-8.
    """
    path = os.fsencode(os.path.join(folder, socket_name))  # noqa: PTH118 - pathlib is slow to import
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return b"," not in path and len(path) <= _SUN_PATH_BYTES


def make_link(folder: str) -> str:
    """Return a short path that leads to `folder`.

    Raises:
        OSError: no temporary folder can be written, or none has a short path.
    """
    import tempfile  # noqa: PLC0415 - costs the keeper's start some milliseconds and is rarely needed

    parents = [parent for parent in (tempfile.gettempdir(), "/tmp", "/var/tmp") if len(os.fsencode(parent)) < 60]  # noqa: S108 - mkdtemp is private
    for parent in parents:
        try:
            link = os.path.join(tempfile.mkdtemp(prefix=_PREFIX, dir=parent), "home")  # noqa: PTH118
        except OSError:
            continue
        os.symlink(folder, link)  # noqa: PTH211 - pathlib is slow to import
        return link
    raise OSError(f"{folder} is too long a path for a socket, and no temporary folder takes a short link to it")


def remove_link(link: str) -> None:
    """Remove what `make_link` made; it may be gone already."""
    try:
        os.unlink(link)  # noqa: PTH108
        os.rmdir(os.path.dirname(link))  # noqa: PTH106, PTH120
    except OSError:
        pass


def libpq_url(folder: str) -> str:
    """Return the URL of database `mgw` behind the socket in `folder`.

    The port is named because libpq would else take `PGPORT` from the environment.
    """
    host = "".join(chr(byte) if _is_plain(byte) else f"%{byte:02X}" for byte in os.fsencode(folder))
    return f"postgresql://mgw@/mgw?host={host}&port=5432"


def _is_plain(byte: int) -> bool:
    return chr(byte) in "-._~" or (byte < 128 and chr(byte).isalnum())
