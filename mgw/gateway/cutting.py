"""Breaking a connection off, so that nobody takes half of an answer for the whole.

An answer of unknown length ends with an empty chunk, and the server in front writes that one however the application
ends: there is no way to tell it that something went wrong. So the connection itself is shut down, found among the
sockets of the process by the address of the client.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path


def cut_connection(client: str) -> bool:
    """Shut the connection of a client down; False where it was not found.

    Args:
        client: its address and port, as `host:port`.
    """
    host, _, port = client.rpartition(":")
    folder = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")
    for entry in list(folder.iterdir()):
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as one:
            if _is_of(one, host.strip("[]"), port):
                one.shutdown(socket.SHUT_RDWR)
                return True
    return False


def _is_of(one: socket.socket, host: str, port: str) -> bool:
    if one.family not in {socket.AF_INET, socket.AF_INET6} or one.type != socket.SOCK_STREAM:
        return False
    peer = one.getpeername()
    return bool(peer[0] == host and str(peer[1]) == port)
