"""Getting a folder of a thousand files safely to the disk without a thousand waits."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mgw.core.files import sync_directory


def sync_tree(folder: Path) -> None:
    """Flush a folder and all that is in it.

    On Linux the file system as a whole: a data directory took .1 s that way, and file by file up to 5 s.

    Raises:
        OSError: something could not be written.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - needed once in the life of a project

        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
        finally:
            os.close(descriptor)
    else:
        for parent, _, files in os.walk(folder):
            for path in (*(Path(parent, name) for name in files), Path(parent)):
                sync_directory(path)
