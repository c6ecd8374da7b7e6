"""The folder that the processes of one gateway share while it runs: the file as it was taken, sockets and counts.

main.pid         the main process, by whose end others know that nobody needs the folder
gateway.json     what the file says, as the main process took it last
PID.socket       where a worker takes commands
PID.counts       what a worker counted, at most a second old; it stays when the worker dies, so that sums never fall
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from mgw.core.count_files import CountFiles
from mgw.core.files import write_atomic
from mgw.core.processes import is_alive
from mgw.gateway.definition import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "mgw-gateway-"
_MAIN = "main.pid"
_SOCKET = ".socket"


class RuntimeFolder:
    """Such a folder.

    Args:
        path: of it.

    Attributes:
        counts: what the processes counted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.counts = CountFiles(path)

    @classmethod
    def make(cls) -> RuntimeFolder:
        """Make one that only this user can look into; its path is short, as those of sockets have to be.

        Those whose gateway was killed, and could not remove them, are removed.
        """
        for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            _remove_abandoned(path)
        made = cls(Path(tempfile.mkdtemp(prefix=_PREFIX)))
        (made.path / _MAIN).write_text(str(os.getpid()), encoding="ascii")
        return made

    def remove(self) -> None:
        """Remove it with everything in it."""
        shutil.rmtree(self.path, ignore_errors=True)

    def keep_gateway(self, gateway: Gateway) -> None:
        """Keep what the file says, for workers that are there and for those that come."""
        write_atomic(self.path / "gateway.json", msgspec.json.encode(gateway), mode=0o600)

    def gateway(self) -> Gateway:
        """Return what the file says."""
        return msgspec.json.decode((self.path / "gateway.json").read_bytes(), type=Gateway)

    def socket(self, pid: int) -> Path:
        """Return where a worker takes commands."""
        return self.path / f"{pid}{_SOCKET}"

    def sockets(self) -> Iterator[Path]:
        """Yield where the workers that live take commands."""
        for path in sorted(self.path.glob(f"*{_SOCKET}")):
            if is_alive(int(path.stem)):
                yield path


def _remove_abandoned(path: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # of somebody else, or being made this moment
        if path.stat().st_uid == os.getuid() and not is_alive(int((path / _MAIN).read_text(encoding="ascii"))):
            shutil.rmtree(path, ignore_errors=True)
