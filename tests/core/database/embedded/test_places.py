"""Homes in awkward places: deep, oddly named, closed to others, not writable, somebody else's."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from mgw.core.database.embedded import EmbeddedServer
from mgw.core.errors import EmbeddedFailed, EmbeddedUnavailable, FileUnreadable

from .conftest import NOBODY, PATIENCE_S, query, stop, wait_until, wait_until_gone

QUERY = "SELECT n FROM kept"


def use_twice(home: Path) -> str:
    """Fill a table in one run of the server and read it in the next; return the last URL."""
    server = EmbeddedServer(home, timeout_s=PATIENCE_S)
    try:
        with server.lease() as url:
            query(url, "CREATE TABLE kept AS SELECT 42 AS n")
        stop(server)
        with server.lease() as url:
            assert query(url, QUERY) == [(42,)]
            return url
    finally:
        stop(server)


@pytest.mark.parametrize(
    "name",
    [
        "with spaces",
        "quo'te\"s",
        "größer-日本-🎬",
        "percent%41&host=x?#",
        "comma,separated",
        "back\\slash",
        "-D",
        "ends with ",
    ],
)
def test_odd_names(tmp_path, name):
    use_twice(tmp_path / name / "postgres")


def test_a_name_that_is_no_utf8(tmp_path):
    use_twice(Path(os.fsdecode(os.fsencode(tmp_path) + b"/latin-\xe9")))


def test_a_path_too_long_for_a_socket_and_the_link_that_stands_in_for_it(tmp_path):
    home = tmp_path.joinpath(*["quite-a-long-name-for-a-folder"] * 12) / "postgres"
    host = use_twice(home).partition("host=")[2].partition("&")[0].replace("%2F", "/")
    assert len(os.fsencode(home)) > 300
    assert len(host) < 90
    wait_until(lambda: not Path(host).parents[1].exists(), "the link is removed")


def test_the_link_of_a_killed_keeper_is_removed_by_the_next(tmp_path):
    server = EmbeddedServer(tmp_path.joinpath(*["quite-a-long-name-for-a-folder"] * 4), timeout_s=PATIENCE_S)
    try:
        status = server.start()
        link = Path(status.url.partition("host=")[2].partition("&")[0].replace("%2F", "/")).parent
        os.kill(status.keeper_pid, signal.SIGKILL)
        wait_until_gone(status.keeper_pid, status.pid)
        assert link.is_symlink()
        with server.lease():
            assert not link.parent.exists()
    finally:
        stop(server)


def test_a_long_temporary_folder_does_not_get_in_the_way(tmp_path, monkeypatch):
    temporary = tmp_path / ("t" * 100)
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    use_twice(tmp_path.joinpath(*["quite-a-long-name-for-a-folder"] * 4))


def test_a_link_that_was_swept_away_is_made_anew(tmp_path):
    server = EmbeddedServer(tmp_path.joinpath(*["quite-a-long-name-for-a-folder"] * 4), timeout_s=PATIENCE_S)
    try:
        url = server.start().url
        link = Path(url.partition("host=")[2].partition("&")[0].replace("%2F", "/")).parent
        link.unlink()
        link.parent.rmdir()
        with server.lease() as again:
            assert query(again, "SELECT 1") == [(1,)]
    finally:
        stop(server)


def test_below_a_folder_that_is_closed_to_others(tmp_path):
    """As root, the server runs as a user that cannot walk the path: it must not need to."""
    (tmp_path / "closed").mkdir(mode=0o700)
    home = tmp_path / "closed" / "postgres"
    server = EmbeddedServer(home, timeout_s=PATIENCE_S)
    with server.lease() as url:
        query(url, "CREATE TABLE kept AS SELECT g AS n FROM generate_series(1, 200000) g; CHECKPOINT")
        parallel = "SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0"
        query(url, f"{parallel}; SELECT sum(n) FROM kept")
        query(url, "CREATE INDEX ON kept (n)")
        query(url, "VACUUM ANALYZE kept")
        status = server.status()
    wait_until_gone(status.pid, status.keeper_pid)
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o700
    with server.lease() as url:
        assert query(url, "SELECT count(*) FROM kept WHERE n > 100000") == [(100000,)]
    stop(server)


def test_as_root_each_project_has_a_user_id_without_a_name(as_root, tmp_path):
    owners = set()
    for name in ("one", "two"):
        server = EmbeddedServer(tmp_path / name, timeout_s=PATIENCE_S)
        with server.lease():
            owners.add((server.home / "data").stat().st_uid)
            status = Path(f"/proc/{server.status().pid}/status").read_text()
            assert f"Uid:\t{max(owners)}" in status or f"Uid:\t{min(owners)}" in status
            assert "Groups:\t \n" in status
        stop(server)
    assert len(owners) == 2
    assert all(61184 <= uid < 65520 for uid in owners)


def test_as_root_data_that_root_copied_is_handed_back_to_the_server(as_root, server):
    with server.lease() as url:
        query(url, "CREATE TABLE kept AS SELECT 42 AS n")
    stop(server)
    subprocess.run(["chown", "-R", "0:0", server.home], check=True)
    with server.lease() as url:
        assert query(url, QUERY) == [(42,)]


def test_an_ordinary_user_runs_it_too(nobody, client):
    holder = client(nobody.folder / "postgres", **nobody.keywords)
    assert "url" in holder.answer, holder.answer
    assert Path(f"/proc/{holder.pids[0]}").stat().st_uid == NOBODY
    pids = holder.pids
    assert holder.end() == 0
    wait_until_gone(*pids)


def test_a_folder_that_may_not_be_written(nobody, client):
    nobody.folder.chmod(0o500)
    answer = client(nobody.folder / "postgres", **nobody.keywords).answer
    assert answer["code"] == "READ_ONLY"
    assert str(nobody.folder) in answer["message"]


def test_a_home_of_somebody_else(nobody, client):
    home = nobody.folder / "postgres"
    home.mkdir(mode=0o700)
    answer = client(home, **nobody.keywords).answer
    assert answer["code"] == "EMBEDDED_UNAVAILABLE"
    assert f"{home} belongs to user root" in answer["message"]
    os.chown(home, NOBODY, NOBODY)
    for operation in (EmbeddedServer(home).start, EmbeddedServer(home).stop, EmbeddedServer(home).status):
        with pytest.raises(EmbeddedUnavailable, match="belongs to user nobody"):
            operation()


def test_a_file_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file" / "postgres"):
        with pytest.raises(FileUnreadable, match="file"), EmbeddedServer(home).lease():
            pass


def test_a_data_folder_with_something_else_in_it_is_not_touched(server):
    (server.home / "data").mkdir(parents=True)
    (server.home / "data" / "letter.txt").write_text("dear")
    with pytest.raises(EmbeddedFailed, match="is no data directory"), server.lease():
        pass
    assert (server.home / "data" / "letter.txt").read_text() == "dear"


def test_an_empty_data_folder_is_filled(server):
    (server.home / "data").mkdir(parents=True)
    with server.lease() as url:
        assert query(url, "SELECT 1") == [(1,)]


def test_a_home_that_is_removed_while_nobody_looks_is_made_anew(server):
    with server.lease():
        pass
    stop(server)
    shutil.rmtree(server.home)
    with server.lease() as url:
        assert query(url, "SELECT 1") == [(1,)]


@pytest.fixture
def small_disk(as_root, tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], check=False, capture_output=True
    ).returncode:
        pytest.skip("may not mount a small file system here")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk(small_disk, client):
    answer = client(small_disk / "postgres").answer
    assert answer["code"] == "DISK_FULL"
    assert not list((small_disk / "postgres").glob("*data*"))
