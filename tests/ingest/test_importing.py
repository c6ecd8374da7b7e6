"""An import from beginning to end: all of a file, or nothing of it, and what was left out can be mended."""

from __future__ import annotations

import csv
import threading
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mgw.core.errors import RowsInvalid, SourceInvalid
from mgw.ingest.faults import Faults
from mgw.ingest.importing import TextFormat, import_content, import_events

CONTENT = "id,title,year,genres\nalien,Alien,1979,SF|Horror\nbrazil,Brazil,1985,SF\n"
EVENTS = "user,content,at,rating\nada,alien,1577872800,5\nbob,brazil,2020-01-01,\n"


def write(folder, content: str | bytes, name="t.csv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def take(connection, action, file, on_error="stop", rejects=None, *, mapping=None, **text):
    try:
        with Faults(on_error, rejects) as faults:
            report = action(connection, file, mapping or {}, faults, text=TextFormat(**text))
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return report


@pytest.fixture
def films(database, tmp_path):
    take(database, import_content, write(tmp_path, CONTENT, "films.csv"))
    return database


def test_content_then_events_then_both_again(films, tmp_path, contents):
    report = take(films, import_events, write(tmp_path, EVENTS))
    assert (report.events.new, report.events.users_new, report.left_out) == (2, 2, {})
    before = contents()
    assert before["events"][0][:5] == ("ada", "alien", datetime(2020, 1, 1, 10, tzinfo=UTC), 1.0, 5.0)
    assert take(films, import_content, tmp_path / "films.csv").content.unchanged == 2
    assert take(films, import_events, tmp_path / "t.csv").events.already_there == 2
    assert contents() == before


def test_columns_of_other_names_and_another_delimiter_encoding_and_zone(films, tmp_path, contents):
    file = write(tmp_path, "Zuschauer;Film;wann\nZoë;alien;2020-01-01 01:00\n".encode("latin-1"))
    names = {"user": "Zuschauer", "content": "Film", "at": "wann"}
    take(
        films, import_events, file, mapping=names, delimiter=";", encoding="latin-1", timezone=ZoneInfo("Europe/Berlin")
    )
    assert contents()["events"][0][:3] == ("Zoë", "alien", datetime(2020, 1, 1, 0, 0, tzinfo=UTC))


def test_parquet_says_the_same_as_csv(films, tmp_path, contents):
    at = [datetime(2020, 1, 1, 10, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)]
    table = pa.table({"user": ["ada", "bob"], "content": ["alien", "brazil"], "at": at, "rating": [5.0, None]})
    pq.write_table(table, tmp_path / "t.parquet")
    take(films, import_events, tmp_path / "t.parquet")
    before = contents()
    assert take(films, import_events, write(tmp_path, EVENTS)).events.already_there == 2
    assert contents() == before
    titles = pa.table({"id": ["alien"], "title": ["Alien"], "genres": [["SF", "Horror"]], "year": [1979]})
    pq.write_table(titles, tmp_path / "c.parquet")
    assert take(films, import_content, tmp_path / "c.parquet").content.unchanged == 1


@pytest.mark.parametrize(
    ("row", "place", "kind"),
    [
        ("ada,alien,1577872800,6", "line 4, column rating", "rating out of range"),
        ("ada,alien,1577872800", "line 4, column rating", "wrong number of values"),
        ("ada,alien,1577872800,5,", "line 4, column 5", "wrong number of values"),
        ("ada,aliens,1577872800,5", "line 4, column content", "unknown content"),
        ("ada,alien,9999999999,5", "line 4, column at", "event from the future"),
        (",alien,1577872800,5", "line 4, column user", "no user id"),
        ("\0,alien,1577872800,5", "line 4, column user", "bad user id"),
        (b"\xff,alien,1577872800,5", "line 4, column user", "not text"),
    ],
)
def test_a_bad_row_stops_everything_or_is_left_out(films, tmp_path, contents, *, row, place, kind):
    content = EVENTS.encode() + (row if isinstance(row, bytes) else row.encode()) + b"\neve,alien,1577872800,5\n"
    file, before = write(tmp_path, content), contents()
    with pytest.raises(RowsInvalid, match=rf"1 row cannot be used, nothing was imported\n  t\.csv, {place}: "):
        take(films, import_events, file)
    assert contents() == before
    report = take(films, import_events, file, "skip")
    assert (report.events.new, report.left_out) == (3, {kind: 1})


def test_a_file_that_breaks_off_changes_nothing(films, tmp_path, contents):
    before = contents()
    with pytest.raises(SourceInvalid, match=r"t\.csv, line 4: "):
        take(films, import_events, write(tmp_path, EVENTS + '"ada,alien,,\n' + "eve,alien,,\n" * 9), "skip")
    assert contents() == before


def test_what_was_left_out_is_mended_and_imported(films, tmp_path, contents):
    rows = ["ada,alien,1,6", "bob,brazil", "eve,aliens,3,5", '"e,v\ne",alien,4,5', "zoe,alien,x,5"]
    file = write(tmp_path, "\n".join(["user,content,at,rating", *rows]))
    report = take(films, import_events, file, "skip", tmp_path / "rejects.csv")
    assert (report.events.new, sum(report.left_out.values())) == (1, 4)
    with (tmp_path / "rejects.csv").open(newline="") as opened:
        header, *rejected = csv.reader(opened)
    assert [row[1:3] for row in rejected] == [["2", "rating"], ["3", "at"], ["4", "content"], ["7", "at"]]
    rejected[0][7], rejected[1][6:], rejected[2][5], rejected[3][6] = "5", ["2", ""], "alien", "7"
    with (tmp_path / "rejects.csv").open("w", newline="") as opened:
        csv.writer(opened).writerows([header, *rejected])
    assert take(films, import_events, tmp_path / "rejects.csv").events.new == 4
    assert [row[0] for row in contents()["events"]] == ["ada", "bob", "e,v\ne", "eve", "zoe"]


def test_rejects_that_are_rejected_again_keep_their_columns(films, tmp_path):
    file = write(tmp_path, "user,content\nada,aliens\n")
    take(films, import_events, file, "skip", tmp_path / "once.csv")
    take(films, import_events, tmp_path / "once.csv", "skip", tmp_path / "twice.csv")
    assert (tmp_path / "twice.csv").read_text() == (tmp_path / "once.csv").read_text().replace('"t.csv"', '"once.csv"')


def test_an_import_in_place_of_its_own_file_is_refused(films, tmp_path):
    file = write(tmp_path, EVENTS)
    for action in (import_events, import_content):
        with pytest.raises(SourceInvalid, match="this is the file that is imported"):
            take(films, action, file, "skip", file)
    assert file.read_text() == EVENTS


@pytest.mark.parametrize("content", ["user,content\n", "user,content"])
def test_a_header_alone(films, tmp_path, content):
    report = take(films, import_events, write(tmp_path, content))
    assert (report.events.new, report.left_out) == (0, {})


def test_content_twice_in_a_file(database, tmp_path, contents):
    file = write(tmp_path, CONTENT + "alien,Aliens,1986,SF\n")
    with pytest.raises(RowsInvalid, match=r"t\.csv, line 4, column id: content 'alien' stood in the file before"):
        take(database, import_content, file)
    assert contents()["content"] == []
    assert take(database, import_content, file, "skip").left_out == {"content given twice": 1}
    assert contents()["content"][0][1] == "Alien"


def test_two_imports_at_once_take_turns(films, database_url, tmp_path, contents):
    rows = [f"user{n},{'alien' if n % 2 else 'brazil'},{n}" for n in range(2000)]
    forth = write(tmp_path, "\n".join(["user,content,at", *rows]), "forth.csv")
    back = write(tmp_path, "\n".join(["user,content,at", *reversed(rows)]), "back.csv")
    counts, start = [], threading.Barrier(4)

    def run(file):
        with psycopg.connect(database_url) as connection:
            start.wait()
            counts.append(take(connection, import_events, file).events)

    threads = [threading.Thread(target=run, args=[file]) for file in (forth, back, forth, back)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((count.new, count.already_there, count.users_new) for count in counts) == [(0, 2000, 0)] * 3 + [
        (2000, 0, 2000)
    ]
    assert len(contents()["events"]) == 2000


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ada", "bob", ""]),
            st.sampled_from(["alien", "brazil", "aliens"]),
            st.sampled_from(["", "0", "1577872800", "x"]),
            st.sampled_from(["", "1", "5", "6"]),
        ),
        max_size=20,
    )
)
def test_counts_add_up_and_a_second_time_adds_nothing(films, tmp_path, rows):
    file = write(tmp_path, "\n".join(["user,content,at,rating", *map(",".join, rows)]))
    films.execute("TRUNCATE viewing_events, users CASCADE")
    films.commit()
    first = take(films, import_events, file, "skip")
    good = [row for row in rows if row[0] and row[1] != "aliens" and row[2] != "x" and row[3] != "6"]
    assert first.events.new == len({row[:3] for row in good})
    assert first.events.duplicates == len(good) - first.events.new
    assert sum(first.left_out.values()) == len(rows) - len(good)
    second = take(films, import_events, file, "skip")
    assert (second.events.new, second.events.already_there, second.events.conflicting) == (0, first.events.new, 0)
