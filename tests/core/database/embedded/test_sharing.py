"""One server for all who need it, gone with the last of them."""

import os
import signal

import psycopg
import pytest

from mgw.core.database.embedded import EmbeddedServer

from .conftest import PATIENCE_S, is_running, query, wait_until, wait_until_gone


def test_a_lease_leads_to_an_empty_utf8_database_in_utc(server):
    with server.lease() as url:
        assert query(url, "SELECT current_database(), current_user") == [("mgw", "mgw")]
        facts = (
            "server_encoding",
            "TimeZone",
            "data_checksums",
            "fsync",
            "full_page_writes",
            "synchronous_commit",
            "jit",
        )
        shown = {name: query(url, f"SHOW {name}")[0][0] for name in facts}
    assert shown == dict(zip(facts, ("UTF8", "UTC", "on", "on", "on", "on", "off"), strict=True))


def test_nothing_is_left_running_when_the_lease_ends(server):
    with server.lease():
        status = server.status()
        assert is_running(status.pid)
        assert is_running(status.keeper_pid)
    wait_until_gone(status.pid, status.keeper_pid)
    assert not server.status().running
    assert not (server.home / "keeper.sock").exists()


def test_two_processes_share_a_server_and_the_first_to_end_does_not_take_it_away(server, client):
    first = client(server.home)
    query(first.url, "CREATE TABLE kept (n int)")
    second = client(server.home)
    assert second.pids == first.pids
    assert server.status().leases == 2
    assert first.end() == 0
    wait_until(lambda: server.status().leases == 1, "the lease is given back")
    assert query(second.url, "SELECT count(*) FROM kept") == [(0,)]
    assert second.end() == 0
    wait_until_gone(*second.pids)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_client_that_is_killed_takes_the_server_along(server, client, sign):
    holder = client(server.home)
    pids = holder.pids
    holder.kill(sign)
    wait_until_gone(*pids)


def test_a_client_killed_while_the_server_starts_leaves_nothing(server, client):
    holder = client(server.home)
    wait_until((server.home / "keeper.sock").exists, "the keeper listens")
    holder.kill()
    wait_until(lambda: not (server.home / "keeper.sock").exists(), "the keeper has ended")
    wait_until(lambda: not (server.home / "data" / "postmaster.pid").exists(), "the server has ended")


def test_eight_processes_that_start_at_once_get_one_server(server, client):
    clients = [client(server.home) for _ in range(8)]
    assert len({each.pids for each in clients}) == 1
    assert server.status().leases == 8
    assert [each.end() for each in clients] == [0] * 8
    wait_until_gone(*clients[0].pids)


def test_leases_that_follow_each_other_closely_always_get_a_server(server):
    for _ in range(12):
        with server.lease() as url:
            assert query(url, "SELECT 1") == [(1,)]


def test_a_pinned_server_outlives_its_leases_until_it_is_stopped(server):
    first = server.start()
    assert first.running
    assert first.pinned
    with server.lease() as url:
        query(url, "CREATE TABLE kept AS SELECT 42 AS n")
    again = server.start()
    assert (again.pid, again.leases) == (first.pid, 0)
    assert again.uptime_s > first.uptime_s
    assert server.stop() is True
    wait_until_gone(first.pid, first.keeper_pid)
    assert server.stop() is False
    with server.lease() as url:
        assert query(url, "SELECT n FROM kept") == [(42,)]


def test_stop_disconnects_whoever_holds_a_lease(server):
    with server.lease() as url, psycopg.connect(url) as connection:
        assert server.stop() is True
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        with server.lease() as url_again:
            assert query(url_again, "SELECT 1") == [(1,)]


def test_asking_starts_and_creates_nothing(server):
    status = server.status()
    assert (status.running, status.pinned, status.pid, status.url, status.version) == (False, False, None, None, None)
    assert server.stop() is False
    assert not server.home.exists()


def test_status_describes_server_and_data(server):
    with server.lease() as url:
        status = server.status()
        assert status.url == url
        assert query(url, "SHOW server_version")[0][0].split()[0] == status.version
        assert (status.running, status.pinned, status.leases) == (True, False, 1)
        assert status.data_dir == server.home / "data"
        assert status.size_bytes > 1_000_000
    wait_until_gone(status.pid, status.keeper_pid)
    idle = server.status()
    assert idle.version == status.version.split(".")[0]
    assert idle.size_bytes > 1_000_000


def test_sigterm_to_the_keeper_shuts_down_in_good_order(server):
    status = server.start()
    os.kill(status.keeper_pid, signal.SIGTERM)
    wait_until_gone(status.keeper_pid, status.pid)
    assert "database system is shut down" in (server.home / "server.log").read_text()


def test_the_environment_of_libpq_does_not_lead_astray(server, monkeypatch):
    for name, value in {"PGPORT": "1", "PGDATABASE": "other", "PGUSER": "other", "PGDATA": "/nowhere"}.items():
        monkeypatch.setenv(name, value)
    with server.lease() as url:
        assert query(url, "SELECT current_database()") == [("mgw",)]


def test_a_home_may_be_given_relative_to_the_working_directory(server, monkeypatch):
    monkeypatch.chdir(server.home.parent)
    relative = EmbeddedServer(server.home.relative_to(server.home.parent), timeout_s=PATIENCE_S)
    with server.lease() as url, relative.lease() as same:
        assert same == url
