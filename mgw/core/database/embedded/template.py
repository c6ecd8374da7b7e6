"""A fresh data directory: `initdb` once for each version, and from then on a copy of what it made.

A copy takes a sixth of the time. `initdb` also insists that its user has a name, which the user id that the server
runs as for root has not.

Copies share the identifier by which PostgreSQL tells clusters apart in replication; these servers do not replicate.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.core.database.embedded.account import Account, initdb_account
from mgw.core.database.embedded.cache import cached
from mgw.core.database.embedded.durability import sync_tree
from mgw.core.database.embedded.keeper.postgres import data_argument, identity
from mgw.core.errors import DiskFull, EmbeddedFailed
from mgw.core.files import sync_directory

if TYPE_CHECKING:
    from mgw.core.database.embedded.binaries import Binaries

_RECIPE = 1  # to be raised when what follows makes something else
_TIMEOUT_S = 300
_BUILTIN_LOCALES_SINCE = 17


def create_data(data: Path, binaries: Binaries, account: Account) -> None:
    """Create the data directory `data`, owned by `account`: complete, or not at all.

    Raises:
        EmbeddedFailed: `initdb` failed; the message quotes it.
        DiskFull: there is no room for it.
    """
    template = cached(f"template-{_RECIPE}-{binaries.fingerprint}", lambda aside: _build(aside, binaries)) / "data"
    prefix = f".{data.name}."
    for litter in data.parent.glob(f"{prefix}*"):  # of a client that was killed: the lock of the home is ours
        shutil.rmtree(litter, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=prefix, dir=data.parent))
    try:
        _copy_tree(template, aside)
        account.own_tree(aside)
        sync_tree(aside)
        aside.rename(data)
        sync_directory(data.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _copy_tree(source: Path, target: Path) -> None:
    """Copy files and folders, private to their owner; unlike that of `shutil`, stop at the first error and keep it."""
    for entry in os.scandir(source):
        path = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            path.mkdir(mode=0o700)
            _copy_tree(Path(entry.path), path)
        else:
            shutil.copyfile(entry.path, path)
            path.chmod(0o600)


def _build(aside: Path, binaries: Binaries) -> None:
    account = initdb_account()
    data = aside / "data"
    data.mkdir(mode=0o700)
    account.own(data)
    locale = ["--locale=C"]
    if binaries.major >= _BUILTIN_LOCALES_SINCE:  # sorts by code point like C, and knows letters beyond ASCII
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    # The cache syncs the template as a whole; to sync each of a thousand files takes seconds.
    checks = [
        "--encoding=UTF8",
        "--data-checksums",
        "--auth-local=peer",
        "--auth-host=reject",
        "--no-instructions",
        "--no-sync",
    ]
    _run(binaries, data, account, ["initdb", "--username=mgw", *locale, *checks])
    _run(binaries, data, account, ["postgres", "--single", "-F", "postgres"], "CREATE DATABASE mgw;\n")
    Account(os.geteuid(), os.getegid()).own_tree(data)  # nobody else may change a template


def _run(binaries: Binaries, data: Path, account: Account, command: list[str], statements: str = "") -> None:
    """Run a program of the installation on the data directory, as `account`."""
    name, *arguments = command
    options = arguments[:1] if arguments[:1] == ["--single"] else []  # must come first
    descriptor = os.open(data, os.O_RDONLY)
    try:
        answer = subprocess.run(
            [binaries.folder / name, *options, "-D", data_argument(descriptor, str(data)), *arguments[len(options) :]],
            input=statements,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=_TIMEOUT_S,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "LD_LIBRARY_PATH": os.environ.get("LD_LIBRARY_PATH", "")},
            pass_fds=(descriptor,),
            **identity(account.uid, account.gid),  # type: ignore[call-overload]
        )
    except subprocess.TimeoutExpired as error:
        raise EmbeddedFailed(f"{name} did not end within {_TIMEOUT_S} seconds") from error
    finally:
        os.close(descriptor)
    if "No space left on device" in answer.stdout:
        raise DiskFull(f"no space left to write {data}", hint="free some space and run the command again")
    if answer.returncode or "ERROR:" in answer.stdout or "FATAL:" in answer.stdout:
        last = "\n".join(answer.stdout.splitlines()[-8:])
        raise EmbeddedFailed(f"{name} could not prepare a database:\n{last}")
