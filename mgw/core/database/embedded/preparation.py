"""Everything that must be true before the server starts: binaries, a data directory, no leftovers, its configuration.

Whoever calls this holds the lock of the home. Each step is complete or undone, so that it may be killed at any point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.core.database.embedded.account import server_account
from mgw.core.database.embedded.binaries import find, within_reach
from mgw.core.database.embedded.configuration import write_configuration
from mgw.core.database.embedded.keeper.wire import DATA_NAME, Launch
from mgw.core.database.embedded.leftover import data_major, shut_down_leftovers
from mgw.core.database.embedded.template import create_data
from mgw.core.errors import EmbeddedFailed

if TYPE_CHECKING:
    from pathlib import Path


def prepared(home: Path, version: int, bin_dir: Path | None, deadline: float) -> Launch:
    """Make the data directory in `home` ready for a start and return what the keeper needs to know.

    Args:
        home: absolute path of a folder that exists and whose lock is held.
        version: major version for a new data directory, where there is a choice.
        bin_dir: the only folder to look for binaries in, or None.
        deadline: when to give up waiting for a leftover, on the clock of `time.monotonic`.

    Raises:
        EmbeddedUnavailable: there are no binaries for it, or this system or user cannot run it.
        EmbeddedFailed: the data directory is not one, or a leftover server does not end.
        OSError: the file system refused.
    """
    data = home / DATA_NAME
    account = server_account(home, data)
    major = data_major(data)
    binaries = within_reach(find(version, bin_dir, data_major=major), account)
    if major is None:
        if data.exists() and any(data.iterdir()):
            message = f"{data} is not empty, and is no data directory of PostgreSQL"
            raise EmbeddedFailed(message, hint="move it away, or restore it from a backup")
        create_data(data, binaries, account)
    elif data.stat().st_uid != account.uid:
        account.own_tree(data)  # it was copied or restored by root
    shut_down_leftovers(data, deadline)
    write_configuration(data, account)
    return {
        "home": str(home),
        "postgres": str(binaries.folder.resolve() / "postgres"),
        "version": binaries.version,
        "uid": account.uid,
        "gid": account.gid,
    }
