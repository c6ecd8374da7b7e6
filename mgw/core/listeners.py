"""Ports of this machine: who listens on one, as far as the system tells, and which are free."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS = "0A"
_LOCAL, _STATE, _INODE = 1, 3, 9


def holder_of(port: int) -> str | None:
    """Return the program that listens on a port, as `name (pid)`; None where that is not known.

    Only Linux tells, and of the programs of other users only root is told.
    """
    sockets = {f"socket:[{inode}]" for table in _TABLES for inode in _listening(table, port)}
    if not sockets:
        return None
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            if any(_target(entry) in sockets for entry in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text(encoding='utf-8').strip()} ({process.name})"
    return None


def _listening(table: Path, port: int) -> list[str]:
    """Return the sockets that listen on a port."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [row[_INODE] for row in rows if row[_STATE] == _LISTENS and int(row[_LOCAL].rpartition(":")[2], 16) == port]


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


def free_ports(count: int) -> list[int]:
    """Return ports of this machine on which nobody listens, all of them others."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]
