"""Whose processes and files: the user that runs mgw, or, where that is root, an unprivileged number for the server.

PostgreSQL refuses to run as root. No user is added to the system for it: a server runs well under a user id that has
no name. The ids are those that systemd gives to its dynamic users, one for each home, so that the servers of two
projects cannot read each other's files. Only `initdb` asks for its user's name; root lets it run as `nobody`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mgw.core.errors import EmbeddedUnavailable

_FIRST_UID, _UIDS = 61184, 4336  # https://systemd.io/UIDS-GIDS/: dynamic service users
_USE_ANOTHER = "run mgw as another user, or set MGW_DATABASE_URL to a PostgreSQL server of your own"


@dataclass(frozen=True)
class Account:
    """A user id and a group id that own files and run processes."""

    uid: int
    gid: int

    def own(self, path: Path | int) -> None:
        """Make this account the owner of one file; a symbolic link is not followed."""
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid, follow_symlinks=not isinstance(path, Path))

    def own_tree(self, folder: Path) -> None:
        """Make this account the owner of a folder and all that is in it."""
        self.own(folder)
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                self.own(Path(parent, name))


def server_account(home: Path, data: Path) -> Account:
    """Return whom the server of `home` runs as; a data directory keeps its owner.

    Raises:
        EmbeddedUnavailable: this system cannot run the server for root.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if sys.platform != "linux" or not Path("/proc/self/fd").is_dir():
        message = "for root the embedded server runs on Linux only, with /proc mounted"
        raise EmbeddedUnavailable(message, hint=_USE_ANOTHER)
    try:
        owner = data.stat()
    except FileNotFoundError:
        pass
    else:
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    number = int.from_bytes(hashlib.sha256(os.fsencode(home.resolve())).digest()[:8], "big")
    uid = _FIRST_UID + number % _UIDS
    return Account(uid, uid)


def initdb_account() -> Account:
    """Return whom `initdb` runs as: a user with a name.

    Raises:
        EmbeddedUnavailable: there is no such user.
    """
    import pwd  # noqa: PLC0415 - does not exist on Windows, where this package must still import

    if os.geteuid() == 0:
        named = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid > 0}
        entry = named.get("nobody") or next(iter(named.values()), None)
        if entry is None:
            raise EmbeddedUnavailable("initdb cannot run as root, and the system has no other user", hint=_USE_ANOTHER)
        return Account(entry.pw_uid, entry.pw_gid)
    client_name()
    return Account(os.geteuid(), os.getegid())


def client_name() -> str:
    """Return the name of the user that runs mgw, by which the server knows its clients.

    Raises:
        EmbeddedUnavailable: the user id has no name.
    """
    import pwd  # noqa: PLC0415 - does not exist on Windows

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        message = f"user id {os.geteuid()} has no name on this system, and PostgreSQL insists on one"
        raise EmbeddedUnavailable(message, hint="add the user to /etc/passwd, or set MGW_DATABASE_URL") from error


def check_owner(home: Path) -> None:
    """Refuse a home that belongs to another user.

    Raises:
        EmbeddedUnavailable: it does.
    """
    try:
        owner = home.stat().st_uid
    except (FileNotFoundError, NotADirectoryError):
        return
    if owner != os.geteuid():
        message = f"{home} belongs to user {_name(owner)}, and this is user {_name(os.geteuid())}"
        raise EmbeddedUnavailable(message, hint=f"run mgw as {_name(owner)}, or remove the folder if its data may go")


def _name(uid: int) -> str:
    import pwd  # noqa: PLC0415 - does not exist on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
