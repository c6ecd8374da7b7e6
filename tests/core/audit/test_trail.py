"""The audit trail on a real server: what is written, found, refused, verified and taken out."""

from __future__ import annotations

import csv
import hashlib
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgw.cli.audit import _FIELDS, _csv
from mgw.core.audit import (
    Action,
    Actor,
    Change,
    Entry,
    EntryFilter,
    Point,
    Trail,
    page,
    pages,
    purge,
    record,
    verify,
    verify_export,
    write,
)
from mgw.core.database.migrations import migrate, read_migrations
from mgw.core.errors import AuditExportInvalid, DatabaseFailed, DatabaseUnreachable, UsageInvalid

ANN = Actor("ann@host", "10.0.0.1", "curl/8")
START = datetime(2026, 1, 1, tzinfo=UTC)


def entry(number, **changes):
    return msgspec.structs.replace(
        Entry(
            entry_id=uuid4(), at=START + timedelta(minutes=number), action=Action.MODEL_PROMOTED, resource_type="model",
            resource_id=f"als-{number}", details={"before": None, "after": f"als-{number}"}, user_id="ann@host",
        ),
        **changes,
    )  # fmt: skip


@pytest.fixture
def trail(database):
    """A database with the trail of the migrations taken out, and ten entries."""
    database.commit()
    write(database, [entry(number) for number in range(10)])
    database.commit()
    return database


def positions(connection, **filters):
    """Return what the entries that are found are about, but for what the migrations wrote."""
    found = page(connection, EntryFilter(**filters), limit=100).entries
    return [each["resource_id"] for each in found if each["resource_type"] != "schema"]


def test_what_is_recorded_is_what_is_listed(database):
    record(
        database, ANN, Change(Action.EXPERIMENT_STARTED, "experiment", "blend", {"before": "draft", "why": 'ünd "x"'})
    )
    (found,) = page(database, EntryFilter(action="experiment.started"), limit=5).entries
    assert (found["user_id"], found["ip"], found["user_agent"]) == ("ann@host", "10.0.0.1", "curl/8")
    assert (found["resource_type"], found["resource_id"]) == ("experiment", "blend")
    assert found["details"] == {"before": "draft", "why": 'ünd "x"'}
    assert abs(datetime.fromisoformat(found["at"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_entry_and_its_change_are_there_both_or_neither(database):
    database.commit()
    with database.transaction() as transaction:
        record(database, ANN, Change(Action.MODEL_DELETED, "model", "als-1"))
        assert positions(database, action=Action.MODEL_DELETED) == ["als-1"]
        raise psycopg.Rollback(transaction)
    assert positions(database, action=Action.MODEL_DELETED) == []


def test_a_batch_that_is_sent_twice_is_there_once_and_the_chain_whole(trail):
    batch = [entry(20), entry(21)]
    write(trail, batch)
    write(trail, [batch[0], entry(22), batch[1]])
    trail.commit()
    assert positions(trail, since=START + timedelta(minutes=20))[:3] == ["als-22", "als-21", "als-20"]
    assert verify(trail).broken == ()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"since": START + timedelta(minutes=8)}, ["als-9", "als-8"]),
        ({"until": START + timedelta(minutes=2)}, ["als-1", "als-0"]),
        ({"since": START + timedelta(minutes=3), "until": START + timedelta(minutes=5)}, ["als-4", "als-3"]),
        ({"resource_id": "als-3"}, ["als-3"]),
        ({"resource_type": "model", "resource_id": "als-3"}, ["als-3"]),
        ({"resource_type": "cache"}, []),
        ({"user_id": "ann@host", "until": START + timedelta(minutes=1)}, ["als-0"]),
        ({"user_id": "bob@host"}, []),
        ({"action": "model.promoted", "since": START + timedelta(minutes=9)}, ["als-9"]),
        ({"action": "model.deleted"}, []),
        ({"text": "ALS 7"}, ["als-7"]),
        ({"text": "promo ann, als-8"}, ["als-8"]),
        ({"text": "nowhere"}, []),
        ({"text": "o'hara & | !:* \\"}, []),
    ],
)
def test_every_filter_filters(trail, filters, expected):
    assert positions(trail, **filters) == expected


def test_a_word_is_found_wherever_the_entry_has_it(database):
    write(
        database, [entry(1, details={"deep": [{"reason": "Größenwahn"}]}, user_agent="Lynx/2"), entry(2, user_id=None)]
    )
    assert positions(database, text="größen") == positions(database, text="lynx") == ["als-1"]


def test_pages_follow_each_other_without_gaps_also_where_times_are_the_same(database):
    write(database, [entry(number // 4) for number in range(25)])
    wanted = EntryFilter(action=Action.MODEL_PROMOTED)
    seen, cursor = [], None
    while True:
        found = page(database, wanted, limit=7, after=cursor)
        seen += [each["position"] for each in found.entries]
        cursor = found.cursor
        if cursor is None:
            break
    everything = [each["position"] for each in page(database, wanted, limit=100).entries]
    assert seen == everything == [each["position"] for each in pages(database, wanted)]
    assert len(set(seen)) == 25


@pytest.mark.parametrize("cursor", ["", "x", "2026-01-01T00:00:00.000000Z", "2026-13-01T00:00:00.000000Z,3"])
def test_a_cursor_of_another_form_is_refused(database, cursor):
    with pytest.raises(UsageInvalid, match="no cursor"):
        page(database, EntryFilter(), limit=1, after=cursor)
    with pytest.raises(UsageInvalid, match="no word"):
        page(database, EntryFilter(text="!?"), limit=1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET user_id = 'bob'",
        "DELETE FROM audit_logs",
        "TRUNCATE audit_logs",
    ],
)
def test_the_trail_is_only_added_to(trail, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only added to"):
        trail.execute(statement)


TAMPERING = {
    "a changed user": "UPDATE audit_logs SET user_id = 'bob@host' WHERE position = {}",
    "a changed time": "UPDATE audit_logs SET at = at - interval '1 second' WHERE position = {}",
    "changed details": "UPDATE audit_logs SET details = details || '{{\"after\": 1}}' WHERE position = {}",
    "a changed address": "UPDATE audit_logs SET ip = '10.0.0.9' WHERE position = {}",
    "a changed hash": "UPDATE audit_logs SET hash = sha256(hash) WHERE position = {}",
    "an entry taken out": "DELETE FROM audit_logs WHERE position = {}",
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_tampering_shows_where_it_was_done(trail, tampering):
    first = verify(trail).end.position - 9
    trail.execute("SET session_replication_role = replica")  # as a superuser can, past the triggers
    trail.execute(TAMPERING[tampering].format(first + 4))
    (broken,) = verify(trail).broken
    place = first + 5 if tampering == "an entry taken out" else first + 4
    assert broken.startswith(f"entry {place} ")


def test_an_entry_put_in_between_shows(trail):
    end = verify(trail).end.position
    trail.execute("SET session_replication_role = replica")
    trail.execute("UPDATE audit_logs SET position = position + 1 WHERE position = %s", [end])
    trail.execute(
        "INSERT INTO audit_logs (position, entry_id, at, action, resource_type, hash)"
        " VALUES (%s, gen_random_uuid(), now(), 'x', 'y', sha256('z'))",
        [end],
    )
    assert verify(trail).broken[0].startswith(f"entry {end} ")


def test_the_last_entries_taken_out_show(trail):
    end = verify(trail).end.position
    trail.execute("SET session_replication_role = replica")
    trail.execute("DELETE FROM audit_logs WHERE position > %s", [end - 2])
    assert verify(trail).broken == (f"entries {end - 1} to {end} are gone",)
    trail.execute("DELETE FROM audit_logs")
    assert "are gone" in verify(trail).broken[0]


def test_a_chain_that_was_made_anew_is_whole_and_does_not_go_through_an_end_that_was_kept(trail):
    kept = verify(trail).end
    trail.execute("SET session_replication_role = replica")
    trail.execute("DELETE FROM audit_logs WHERE position > %s", [kept.position - 3])
    trail.execute(
        "UPDATE audit_ends SET position = l.position, hash = l.hash FROM"
        " (SELECT position, hash FROM audit_logs ORDER BY position DESC LIMIT 1) l"
    )
    trail.execute("SET session_replication_role = origin")
    write(trail, [entry(30), entry(31), entry(32), entry(33)])
    assert verify(trail).broken == ()
    assert verify(trail, (kept,)).broken == (f"entry {kept.position} is another one than when the anchor was kept",)
    assert verify(trail, (verify(trail).end,)).broken == ()
    assert "before the anchor" in verify(trail, (Point(10_000, kept.hash),)).broken[0]


def test_parts_of_the_chain_are_verified_one_after_the_other(trail, monkeypatch):
    monkeypatch.setattr("mgw.core.audit.chain._PART", 3)
    assert (verify(trail).broken, verify(trail).entries >= 10) == ((), True)
    end = verify(trail).end.position
    trail.execute("SET session_replication_role = replica")
    trail.execute("DELETE FROM audit_logs WHERE position BETWEEN %s AND %s", [end - 6, end - 2])
    assert len(verify(trail).broken) == 1


def test_two_who_write_at_once_take_turns(database_url):
    errors = []

    def work():
        try:
            with psycopg.connect(database_url) as connection:
                for _ in range(20):
                    record(connection, ANN, Change(Action.CACHE_PURGED, "gateway", "/"))
                    connection.commit()
        except psycopg.Error as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with psycopg.connect(database_url) as connection:
        verdict = verify(connection)
        assert (verdict.broken, verdict.entries >= 80) == ((), True)


def test_a_trail_is_verified_while_others_write(database_url, monkeypatch):
    monkeypatch.setattr("mgw.core.audit.chain._PART", 7)
    ended = threading.Event()

    def work():
        with psycopg.connect(database_url) as connection:
            while not ended.is_set():
                record(connection, ANN, Change(Action.CACHE_PURGED, "gateway", "/"))
                connection.commit()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with psycopg.connect(database_url, autocommit=True) as connection:
            verdicts = [verify(connection)]
            while len(verdicts) < 40 or verdicts[-1].entries == verdicts[0].entries:  # it was written to meanwhile
                verdicts.append(verify(connection))
    finally:
        ended.set()
        thread.join()
    assert {verdict.broken for verdict in verdicts} == {()}


def test_a_purge_exports_what_it_takes_out_and_the_chain_stays_whole(trail, tmp_path):
    kept = verify(trail).end
    trail.commit()
    file = tmp_path / "old.jsonl"
    gone = purge(trail, START + timedelta(minutes=6), file, ANN)
    # The entries of the migrations are newer and stand before: nothing old can go before them.
    assert gone.entries == 0
    gone = purge(trail, datetime.now(UTC) + timedelta(minutes=1), file, ANN)
    assert (gone.entries >= 10, gone.last) == (True, kept.position)
    verdict = verify(trail, (kept,))
    assert (verdict.broken, verdict.entries, verdict.first) == ((), 1, kept.position + 1)
    (left,) = page(trail, EntryFilter(), limit=10).entries
    assert (left["action"], left["details"]["entries"]) == ("audit.purged", gone.entries)
    exported = verify_export(file, (kept,))
    assert (exported.broken, exported.entries, str(exported.end)) == ((), gone.entries, str(kept))
    last = msgspec.json.decode(file.read_bytes().splitlines()[-1])
    assert last["entry"]["resource_id"] == "als-9"
    with pytest.raises(UsageInvalid, match="is there already"):
        purge(trail, START, file, ANN)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        trail.execute("DELETE FROM audit_logs")


def test_an_old_entry_behind_a_newer_one_stays_with_it(database, tmp_path):
    database.commit()
    purge(database, datetime.now(UTC) + timedelta(days=1), tmp_path / "first", ANN)
    database.commit()
    purge(database, datetime.now(UTC) + timedelta(days=1), tmp_path / "second", ANN)
    before = verify(database).end.position
    write(database, [entry(1), entry(2), entry(50), entry(3)])
    database.execute("SET session_replication_role = replica")
    database.execute("UPDATE audit_logs SET at = %s WHERE position <= %s", [START, before])
    database.execute("SET session_replication_role = origin")
    database.commit()
    gone = purge(database, START + timedelta(minutes=10), tmp_path / "third", ANN)
    assert gone.last == before + 2
    assert positions(database, action=Action.MODEL_PROMOTED) == ["als-50", "als-3"]


def second_export(connection, folder):
    """Purge everything, write some more, and return the export of that: what came before it is not in it."""
    for name in ("first.jsonl", "second.jsonl"):
        purge(connection, datetime.now(UTC) + timedelta(minutes=1), folder / name, ANN)
        write(connection, [entry(number) for number in range(20, 30)])
        connection.commit()
    return folder / "second.jsonl"


@pytest.mark.parametrize("change", ["entry", "hash", "order", "first entry", "beginning"])
def test_an_export_that_was_changed_shows(trail, tmp_path, change):
    file = second_export(trail, tmp_path)
    assert verify_export(file).broken == ()
    lines = file.read_bytes().splitlines(keepends=True)
    if change == "entry":
        lines[4] = lines[4].replace(b"ann@host", b"bob@host")
    elif change == "hash":
        lines[4] = lines[4][:20] + (b"0" if lines[4][20:21] != b"0" else b"1") + lines[4][21:]
    elif change == "order":
        lines[4], lines[5] = lines[5], lines[4]
    elif change == "first entry":
        lines[0] = lines[0].replace(b'"at": "2', b'"at": "1')
    else:
        lines[0] = re.sub(rb'"previous":"[0-9a-f]{64}"', b'"previous":"%b"' % (b"0" * 64), lines[0])
    changed = b"".join(lines)
    assert changed != file.read_bytes()
    file.write_bytes(changed)
    line = 1 if change in {"first entry", "beginning"} else 5
    assert verify_export(file).broken[0].startswith(f"line {line}, entry ")


def test_an_export_whose_beginning_was_cut_off_is_none(trail, tmp_path):
    file = second_export(trail, tmp_path)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[1:]))
    with pytest.raises(AuditExportInvalid, match="line 1 is no entry"):
        verify_export(file)


def test_an_export_without_the_entry_of_an_anchor_is_not_the_whole_one(trail, tmp_path):
    file, kept = tmp_path / "old.jsonl", verify(trail).end
    purge(trail, datetime.now(UTC) + timedelta(minutes=1), file, ANN)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    assert verify_export(file).broken == ()
    assert verify_export(file, (kept,)).broken == (f"entry {kept.position}, of the anchor, is not in the file",)


def test_an_empty_file_is_no_export(tmp_path):
    (tmp_path / "x").touch()
    with pytest.raises(AuditExportInvalid, match="is empty"):
        verify_export(tmp_path / "x")


@pytest.mark.parametrize(
    "content", [b"no entry\n", b'{"hash": "zz", "entry": {}}\n', b'{"hash": "00", "entry": 3}\n', b"\xff\n"]
)
def test_a_file_that_is_no_export_is_refused(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(AuditExportInvalid, match="line 1"):
        verify_export(tmp_path / "x")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    details=st.dictionaries(
        st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=5),
        st.one_of(st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(-1e6, 1e6),
                  st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=9)),
        max_size=4,
    ),
    name=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=9),
)  # fmt: skip
def test_whatever_an_entry_says_the_hash_is_that_of_its_export(database, tmp_path, details, name):
    """SQL makes the hash and Python holds it against the text: the two agree for any content."""
    write(database, [entry(1, details=details, resource_id=name)])
    row = database.execute(
        "SELECT l.hash, audit_content(l), (SELECT p.hash FROM audit_logs p WHERE p.position = l.position - 1)"
        " FROM audit_logs l ORDER BY l.position DESC LIMIT 1"
    ).fetchone()
    assert hashlib.sha256((row[2] or b"") + row[1].encode()).digest() == row[0]
    said = msgspec.json.decode(row[1])
    assert (said["details"], said["resource_id"]) == (details, name or None)


def test_the_content_depends_on_no_setting(trail):
    for setting in (
        "TimeZone = 'Asia/Tokyo'",
        "DateStyle = 'German'",
        "IntervalStyle = 'iso_8601'",
        "bytea_output = 'escape'",
    ):
        trail.execute(f"SET {setting}")
    assert verify(trail).broken == ()
    write(trail, [entry(40)])
    for setting in ("TimeZone", "DateStyle", "bytea_output"):
        trail.execute(f"RESET {setting}")
    assert verify(trail).broken == ()


class Way:
    """A way to the database, which may be cut."""

    def __init__(self, connection):
        self.connection = connection
        self.is_cut = False

    def __call__(self, work):
        if self.is_cut:
            raise DatabaseUnreachable("away")
        work(self.connection)


def test_what_is_noted_waits_for_the_database_and_arrives_once(database, tmp_path):
    database.commit()
    way, noted = Way(database), Trail(tmp_path)
    way.is_cut = True
    noted.note(ANN, Change(Action.TOKEN_MINTED, "token", "u1", {"tier": "free"}))
    assert (noted.flush(way), noted.backlog) == (1, 1)
    noted.note(ANN, Change(Action.TOKEN_MINTED, "token", "u2"))
    first, _ = sorted((tmp_path / "audit").iterdir())
    copy = first.read_bytes()
    way.is_cut = False
    assert (noted.flush(way), noted.backlog) == (0, 0)
    assert positions(database, action=Action.TOKEN_MINTED) == ["u2", "u1"]
    first.write_bytes(copy + b'{"entry_id": "cut sho')  # as if it had been recorded and not deleted
    assert noted.flush(way) == 0
    assert positions(database, action=Action.TOKEN_MINTED) == ["u2", "u1"]
    assert [path.suffix for path in (tmp_path / "audit").iterdir()] == [".damaged"]
    assert verify(database).broken == ()


def test_what_no_database_takes_is_made_fit_before_it_is_kept(database):
    strange = Actor("a\0b", "no address", "\udcff")
    details = {
        "file\0": "\ud800",
        "nested": [{"deep": float("nan")}, ("x\0",)],
        "path": Path("a"),
        "n": 1.5,
        "none": None,
    }
    record(database, strange, Change(Action.DATA_IMPORTED, "data", "\0", details))
    (found,) = page(database, EntryFilter(action=Action.DATA_IMPORTED), limit=1).entries
    assert (found["user_id"], found["ip"], found["user_agent"], found["resource_id"]) == (
        "a\ufffdb",
        None,
        "?",
        "\ufffd",
    )
    assert found["details"] == {
        "file\ufffd": "?", "nested": [{"deep": "nan"}, ["x\ufffd"]], "path": "a", "n": 1.5, "none": None,
    }  # fmt: skip
    assert verify(database).broken == ()


def test_entries_are_set_aside_only_for_a_fault_of_their_own(database, tmp_path):
    database.commit()
    noted = Trail(tmp_path)
    noted.note(ANN, Change(Action.TOKEN_MINTED, "token", "u1"))

    def failing(cause):
        def run(work):
            error = DatabaseFailed("no")
            error.__cause__ = cause
            raise error

        return run

    for passing in (psycopg.errors.QueryCanceled(), psycopg.errors.LockNotAvailable(), None):
        assert (noted.flush(failing(passing)), noted.backlog) == (1, 1)
    assert (noted.flush(failing(psycopg.errors.InvalidTextRepresentation())), noted.backlog) == (0, 0)
    assert [path.suffix for path in (tmp_path / "audit").iterdir()] == [".refused"]


def test_what_was_there_before_the_chain_is_its_beginning(postgres_url, tmp_path):
    migrations = read_migrations()
    name = f"chain_{threading.get_native_id()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            with psycopg.connect(postgres_url, dbname=name) as inside:
                migrate(inside, migrations[:7])
                inside.execute(
                    "INSERT INTO audit_logs (at, user_id, action, resource_type, resource_id, ip) VALUES"
                    " ('2026-02-02', 'b', 'x', 'y', 'second', '10.0.0.2'), ('2026-01-01', 'a', 'x', 'y', 'first', NULL)"
                )
                inside.commit()
                migrate(inside, migrations)
                found = page(inside, EntryFilter(resource_type="y"), limit=10).entries
                assert [(each["position"], each["resource_id"]) for each in found] == [(2, "second"), (1, "first")]
                assert verify(inside).broken == ()
                assert page(inside, EntryFilter(action="schema.migrated"), limit=10).entries
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_table_for_other_programs_can_be_read_back(trail, tmp_path):
    entries = page(trail, EntryFilter(action=Action.MODEL_PROMOTED), limit=3).entries
    rows = list(csv.reader(_csv(entries).splitlines()))
    assert [dict(zip(_FIELDS, row, strict=True))["resource_id"] for row in rows] == ["als-9", "als-8", "als-7"]
