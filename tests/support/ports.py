"""Ports for what tests start."""

from __future__ import annotations

import os
import socket
from itertools import count

# Below the ports that systems give to outgoing connections, and a range of its own for each process that runs tests:
# what a port is for may begin to listen long after the port was chosen.
_FIRST, _SHARE, _SHARES = 20_000, 1_200, 10
_share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
_numbers = count(os.getpid())  # so that two runs on one machine do not begin with the same


def free_port() -> int:
    """Return a port that nobody listens on, and that was not among the last thousand returned."""
    for number in _numbers:
        port = _FIRST + _share * _SHARE + number % _SHARE
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("a count does not end")
