"""What `kill -9`, a power cut or a copied folder leaves behind heals itself, and the data is still there."""

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest

from mgw.core.database.embedded import EmbeddedServer
from mgw.core.errors import EmbeddedFailed

from .conftest import is_running, query, stop, wait_until, wait_until_gone

on_linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")


@pytest.fixture
def filled(server):
    """A server that has run, with a table."""
    with server.lease() as url:
        query(url, "CREATE TABLE kept AS SELECT 42 AS n")
        status = server.status()
    wait_until_gone(status.pid, status.keeper_pid)
    return server


def assert_heals(server) -> None:
    with server.lease() as url:
        assert query(url, "SELECT n FROM kept") == [(42,)]
        status = server.status()
    wait_until_gone(status.pid, status.keeper_pid)


@on_linux
def test_a_killed_keeper_takes_the_server_along_in_good_order(filled, client):
    holder = client(filled.home)
    pid, keeper_pid = holder.pids
    os.kill(keeper_pid, signal.SIGKILL)
    wait_until_gone(keeper_pid, pid)
    assert "database system is shut down" in (filled.home / "server.log").read_text()
    assert_heals(filled)


def test_a_lease_right_after_the_keeper_was_killed_gets_a_server(filled):
    for _ in range(3):
        os.kill(filled.start().keeper_pid, signal.SIGKILL)
        assert query(filled.start().url, "SELECT n FROM kept") == [(42,)]


def test_a_killed_server_is_noticed_and_recovers(filled, client):
    holder = client(filled.home)
    pid, keeper_pid = holder.pids
    query(holder.url, "INSERT INTO kept VALUES (43)")
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid, keeper_pid)
    with filled.lease() as url:
        assert query(url, "SELECT n FROM kept ORDER BY n") == [(42,), (43,)]


@on_linux
def test_a_busy_backend_that_outlives_its_server_does_not_block_the_next(filled):
    status = filled.start()
    connection = psycopg.connect(status.url, autocommit=True)
    backend = connection.info.backend_pid

    def compute() -> None:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT count(*) FROM generate_series(1, 100000000000) WHERE generate_series % 7 = 9")

    busy = threading.Thread(target=compute)
    busy.start()
    active = f"SELECT count(*) FROM pg_stat_activity WHERE pid = {backend} AND state = 'active'"
    wait_until(lambda: query(status.url, active) == [(1,)], "the query runs")
    os.kill(status.pid, signal.SIGKILL)
    wait_until_gone(status.pid, status.keeper_pid)
    assert is_running(backend)
    assert_heals(filled)
    wait_until_gone(backend)
    busy.join()
    connection.close()


@on_linux
def test_stop_also_ends_a_server_that_lost_its_keeper(filled):
    status = filled.start()
    os.kill(status.pid, signal.SIGSTOP)  # it cannot react to the death of its keeper
    os.kill(status.keeper_pid, signal.SIGKILL)
    wait_until_gone(status.keeper_pid)
    os.kill(status.pid, signal.SIGCONT)
    filled.stop()
    assert not is_running(status.pid)
    assert_heals(filled)


@pytest.mark.parametrize("noted", ["dead", "stranger", "nonsense", ""])
def test_a_stale_postmaster_pid_heals_and_strangers_are_left_alone(filled, noted):
    data = filled.home / "data"
    owner = data.stat()
    identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "600"], cwd="/", **identity) as stranger:
        try:
            pids = {"dead": "4194303", "stranger": str(stranger.pid), "nonsense": "x", "": ""}
            (data / "postmaster.pid").write_text(f"{pids[noted]}\n{data}\n1600000000\n5432\n.\n\n 1 1\nready   \n")
            os.chown(data / "postmaster.pid", owner.st_uid, owner.st_gid)
            assert_heals(filled)
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_client_killed_while_it_creates_the_data_leaves_nothing_half_done(server, client, sign):
    with server.lease():
        pass  # the template is in the cache now
    stop(server)
    shutil.rmtree(server.home)
    creator = client(server.home)
    wait_until(lambda: list(server.home.glob(".data.*")) or (server.home / "data").exists(), "the copy has begun")
    creator.kill(sign)
    with server.lease() as url:
        assert query(url, "SELECT 1") == [(1,)]
    assert not list(server.home.glob(".data.*"))


def test_litter_of_a_killed_creator_is_removed(server):
    litter = server.home / ".data.abc"
    (litter / "base").mkdir(parents=True, mode=0o700)
    (litter / "PG_VERSION").write_text("18\n")
    with server.lease() as url:
        assert query(url, "SELECT 1") == [(1,)]
    assert not litter.exists()


def test_a_project_copied_while_its_server_runs_gets_a_server_of_its_own(filled, tmp_path):
    with filled.lease() as url:
        query(url, "CHECKPOINT")
        original = filled.status()
        ignored = shutil.ignore_patterns("*.sock", ".s.PGSQL*")
        shutil.copytree(filled.home, tmp_path / "copy", ignore=ignored)
        (tmp_path / "copy").chmod(0o700)
        copy = EmbeddedServer(tmp_path / "copy")
        with copy.lease() as other:
            assert other != url
            assert query(other, "SELECT n FROM kept") == [(42,)]
            assert copy.status().pid != original.pid
        stop(copy)
        assert filled.status().pid == original.pid


def test_a_server_that_cannot_start_is_quoted(filled):
    (filled.home / "data" / "postgresql.auto.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedFailed, match="no_such_setting"), filled.lease():
        pass
    assert not filled.status().running


def test_damaged_data_is_named(filled):
    mark = filled.home / "data" / "PG_VERSION"
    version = mark.read_text()
    mark.write_text("?")
    with pytest.raises(EmbeddedFailed, match="PG_VERSION is damaged"), filled.lease():
        pass
    mark.write_text(version)
    assert_heals(filled)


def test_a_keeper_that_does_not_answer_is_not_waited_for_for_ever(filled):
    status = filled.start()
    os.kill(status.keeper_pid, signal.SIGSTOP)
    try:
        hasty = EmbeddedServer(filled.home, timeout_s=0.2)
        with pytest.raises(EmbeddedFailed, match="did not answer"), hasty.lease():
            pass
    finally:
        os.kill(status.keeper_pid, signal.SIGCONT)
