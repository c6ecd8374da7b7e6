"""Who listens on a port, as messages name it."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from mgw.core.listeners import holder_of


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_whoever_listens_is_found_and_nobody_else(host):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        server = socket.create_server((host, 0), family=family)
    except OSError:
        pytest.skip(f"{host} is no address of this machine")
    with server:
        port = server.getsockname()[1]
        assert holder_of(port).endswith(f"({os.getpid()})")
    assert holder_of(port) is None
