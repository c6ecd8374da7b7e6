"""The way of items to the database: none is lost, whatever is away, full or killed."""

from __future__ import annotations

import fcntl
import logging
import os

import pytest
from msgspec import Struct

from mgw.core.errors import DatabaseFailed, DatabaseUnreachable
from mgw.core.spool import Backlog, Spool, backlog_of


class Shown(Struct, frozen=True):
    user_id: str


def shown(number):
    return Shown(f"u{number}")


class Database:
    """Takes exposures, or is away, or refuses them."""

    def __init__(self):
        self.error = None
        self.rows = []

    def record(self, exposures):
        if self.error is not None:
            raise self.error
        self.rows.extend(exposures)


@pytest.fixture
def database():
    return Database()


@pytest.fixture
def make_log(tmp_path, database):
    def make(**options):
        spool = Spool(tmp_path / "exposures", Shown, "exposures", **options)
        spool.flush_now = lambda: spool.flush(database.record, (DatabaseUnreachable,))
        return spool

    return make


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "exposures").iterdir())


def test_exposures_arrive_as_they_were(tmp_path, database, make_log):
    log = make_log()
    assert log.flush_now() == 0
    log.add([shown(1), shown(2)])
    log.add([shown(3)])
    assert log.flush_now() == 0
    assert database.rows == [shown(1), shown(2), shown(3)]
    assert files(tmp_path) == []


def test_they_wait_while_the_database_is_away_and_come_in_order(tmp_path, database, make_log):
    log = make_log()
    database.error = DatabaseUnreachable("away")
    for number in range(3):
        log.add([shown(number)])
        assert log.flush_now() == number + 1
    assert database.rows == []
    database.error = None
    assert log.flush_now() == 0
    assert database.rows == [shown(number) for number in range(3)]
    assert files(tmp_path) == []


def test_what_a_process_left_that_died_is_taken_over_and_what_one_writes_is_not(tmp_path, database, make_log):
    first, second = make_log(), make_log()
    first.add([shown(1)])
    second.add([shown(2)])
    second.flush_now()
    assert database.rows == [shown(2)]  # the first one writes still
    os.close(first._file)  # as the kernel does when it is killed
    third = make_log()
    third.flush_now()
    assert database.rows == [shown(2), shown(1)]
    assert files(tmp_path) == []


def test_a_line_that_was_cut_short_takes_no_other_with_it(tmp_path, database, make_log, caplog):
    log = make_log()
    log.add([shown(1)])
    os.write(log._file, b'{"user_id": \xff\n{"user')
    with caplog.at_level(logging.WARNING):
        log.flush_now()
    assert database.rows == [shown(1)]
    assert "line 2 is none of the exposures" in caplog.text
    (kept,) = files(tmp_path)
    assert kept.endswith(".damaged")
    assert (tmp_path / "exposures" / kept).read_bytes() == b'{"user_id": \xff\n{"user'


def test_a_backlog_is_what_waits_and_what_was_set_aside(tmp_path, database, make_log):
    folder = tmp_path / "exposures"
    assert backlog_of(folder) == Backlog((), ())
    assert not folder.exists()
    log = make_log()
    for error, cut in ((DatabaseFailed("no"), b'{"user'), (DatabaseUnreachable("away"), b"")):
        log.add([shown(1)])
        os.write(log._file, cut)
        database.error = error
        log.flush_now()
    found = backlog_of(folder)
    assert [path.suffix for path in (*found.waiting, *found.set_aside)] == [".jsonl", ".refused", ".damaged"]
    assert found.waiting == tuple(log.waiting())
    assert len(files(tmp_path)) == 3


def test_what_the_database_refuses_is_kept_aside_and_holds_nothing_up(tmp_path, database, make_log, caplog):
    log = make_log()
    log.add([shown(1)])
    database.error = DatabaseFailed("no")
    log.flush_now()
    (kept,) = files(tmp_path)
    assert kept.endswith(".refused")
    assert b'"u1"' in (tmp_path / "exposures" / kept).read_bytes()
    database.error = None
    log.add([shown(2)])
    log.flush_now()
    assert database.rows == [shown(2)]
    assert "refused" in caplog.text


def test_a_disk_that_takes_nothing_leaves_them_in_memory(tmp_path, database, make_log, monkeypatch):
    log = make_log()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        log.add([shown(1)])
    database.error = DatabaseUnreachable("away")
    log.flush_now()
    database.error = None
    log.flush_now()
    assert database.rows == [shown(1)]


def test_a_file_is_locked_while_it_is_written(tmp_path, make_log):
    log = make_log()
    log.add([shown(1)])
    (name,) = files(tmp_path)
    with (tmp_path / "exposures" / name).open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_is_synced_is_on_the_disk_before_anybody_goes_on(make_log, monkeypatch):
    synced = []
    real = os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda file: synced.append(file) or real(file))
    make_log().add([shown(1)])
    assert synced == []
    make_log(is_synced=True).add([shown(1)])
    assert len(synced) == 1
