"""Who may connect: the user that runs mgw (and root's clients where root runs it), through the socket, as `mgw`."""

import os
import stat
import subprocess
from pathlib import Path

import psycopg
import pytest

from mgw.core.database.embedded.account import Account
from mgw.core.database.embedded.configuration import write_configuration

from .conftest import NOBODY, query

ATTEMPT = """
import socket, sys
try:
    socket.socket(socket.AF_UNIX).connect(sys.argv[1])
except PermissionError:
    sys.exit(13)
"""


def as_nobody(*command: object) -> subprocess.CompletedProcess:
    identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, cwd="/", check=False, **identity
    )


def test_there_is_no_tcp_port_and_no_password(server):
    with server.lease() as url:
        assert query(url, "SHOW listen_addresses") == [("",)]
        assert query(url, "SELECT rolpassword FROM pg_authid WHERE rolname = 'mgw'") == [(None,)]
        assert query(url, "SELECT DISTINCT type, auth_method FROM pg_hba_file_rules") == [("local", "peer")]
        assert query(url, "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL") == [(0,)]
        descriptors = Path(f"/proc/{server.status().pid}/fd")
        inodes = {str(each.readlink()).removeprefix("socket:[").rstrip("]") for each in descriptors.iterdir()}
    for table in ("tcp", "tcp6"):
        listening = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        assert not inodes & {line.split()[9] for line in listening}


def test_what_decides_who_may_connect_cannot_be_changed_from_within(server):
    with server.lease() as url:
        query(url, "ALTER SYSTEM SET listen_addresses = '*'")
        query(url, "ALTER SYSTEM SET unix_socket_permissions = '0777'")
        query(url, "ALTER SYSTEM SET work_mem = '5MB'")
    server.stop()
    with server.lease() as url:
        assert query(url, "SHOW listen_addresses") == [("",)]
        assert query(url, "SHOW unix_socket_permissions") == [("0700",)]
        assert query(url, "SHOW work_mem") == [("5MB",)]


def test_another_role_or_host_is_refused(server):
    with server.lease() as url:
        query(url, "CREATE ROLE other LOGIN")
        with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf"):
            psycopg.connect(url.replace("mgw@", "other@"))


def test_everything_in_the_home_is_private(server):
    with server.lease():
        entries = [server.home, *server.home.rglob("*")]
        modes = {entry: entry.lstat().st_mode for entry in entries if not entry.is_symlink()}
    assert len(modes) > 1000
    assert any(stat.S_ISSOCK(mode) for mode in modes.values())
    assert [entry for entry, mode in modes.items() if mode & 0o077] == []


def test_another_user_reaches_neither_socket(as_root, server):
    with server.lease() as url:
        host = Path(url.partition("host=")[2].partition("&")[0].replace("%2F", "/"))
        python = next(each for each in ("/usr/bin/python3", "/bin/python3") if Path(each).exists())
        for address in (host / ".s.PGSQL.5432", server.home / "keeper.sock"):
            assert address.is_socket()
            assert as_nobody(python, "-c", ATTEMPT, address).returncode == 13


def test_another_user_is_refused_by_the_server_itself(as_root, server):
    """Were the folders opened by mistake, the kernel's word on who is connecting still stands."""
    psql = next((each for each in Path("/usr/lib/postgresql").glob("*/bin/psql")), None)
    if psql is None:
        pytest.skip("no psql that user nobody may execute")
    with server.lease():
        data = server.home / "data"
        opened = [data, data / ".s.PGSQL.5432", *data.parents[:-1]]
        before = {path: path.stat().st_mode for path in opened}
        try:
            for path in opened:
                path.chmod(before[path] | 0o077 if path != Path("/tmp") else before[path])
            answer = as_nobody(psql, f"host={data} user=mgw dbname=mgw", "-c", "SELECT 1")
        finally:
            for path, mode in before.items():
                path.chmod(mode)
    assert answer.returncode != 0
    assert "Peer authentication failed" in answer.stderr


def test_root_is_not_led_astray_by_links_in_the_folder_of_the_server(tmp_path):
    data, target = tmp_path / "data", tmp_path / "precious"
    data.mkdir()
    target.write_text("precious")
    for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
        (data / name).symlink_to(target)
    write_configuration(data, Account(os.geteuid(), os.getegid()))
    assert target.read_text() == "precious"
    assert "peer map=mgw" in (data / "pg_hba.conf").read_text()
    assert sorted(each.name for each in data.iterdir()) == ["pg_hba.conf", "pg_ident.conf", "postgresql.conf"]
