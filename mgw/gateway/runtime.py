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

from mgw.core.files import write_atomic
from mgw.core.metrics import FamilySample
from mgw.gateway.definition import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "mgw-gateway-"
_MAIN = "main.pid"
_COUNTS = ".counts"
_SOCKET = ".socket"


class RuntimeFolder:
    """Such a folder.

    Args:
        path: of it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

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
            if _is_alive(int(path.stem)):
                yield path

    def keep_counts(self, pid: int, sample: list[FamilySample]) -> None:
        """Keep what a worker counted."""
        aside = self.path / f"{pid}.counting"  # not synced: after a crash of the machine nobody asks for it
        aside.write_bytes(msgspec.msgpack.encode(sample))
        aside.replace(self.path / f"{pid}{_COUNTS}")

    def counts(self) -> Iterator[list[FamilySample]]:
        """Yield what each worker counted; of those that are gone without what only a living one can say."""
        for path in sorted(self.path.glob(f"*{_COUNTS}")):
            pid = int(path.stem)
            sample = msgspec.msgpack.decode(path.read_bytes(), type=list[FamilySample])
            yield sample if _is_alive(pid) else [family for family in sample if family.kind != "gauge"]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _remove_abandoned(path: Path) -> None:
    with contextlib.suppress(OSError, ValueError):  # of somebody else, or being made this moment
        if path.stat().st_uid == os.getuid() and not _is_alive(int((path / _MAIN).read_text(encoding="ascii"))):
            shutil.rmtree(path, ignore_errors=True)
