"""Faults are counted, shown and kept; the file that keeps them is there as a whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mgw.core.errors import DiskFull, FileUnreadable, ReadOnly, RowsInvalid, SourceInvalid
from mgw.ingest.faults import Fault, Faults
from mgw.ingest.rejects import RejectsWriter

COLUMNS = ("user", "content")


def add(faults: Faults, line: int = 2, *, kind: str = "bad thing", values=("ada", "alien"), columns=COLUMNS):
    faults.add(Fault("t.csv", line, "user", kind, "it is bad"), columns, values)


def rows(file: Path):
    with file.open(newline="", encoding="utf-8", errors="surrogateescape") as opened:
        return list(csv.reader(opened, strict=True))


def files(folder: Path):
    return sorted(path.name for path in folder.iterdir())


def test_a_fault_names_file_line_and_column():
    assert str(Fault("t.csv", 7, "stars", "k", "too many")) == "t.csv, line 7, column stars: too many"
    assert str(Fault("t.csv", 7, "\x1b[2J", "k", "no")) == r"t.csv, line 7, column '\x1b[2J': no"


def test_stopping_names_the_first_faults_and_counts_the_rest():
    faults = Faults("stop")
    faults.raise_if_stopping()
    for line in range(1, 1235):
        add(faults, line)
    with pytest.raises(RowsInvalid) as caught:
        faults.raise_if_stopping()
    first, *lines = caught.value.message.split("\n  ")
    assert first == "1,234 rows cannot be used, nothing was imported"
    assert lines[0] == "t.csv, line 1, column user: it is bad"
    assert lines[10:] == ["… and 1,224 more"]
    assert "--on-error skip" in caught.value.hint


@pytest.mark.parametrize(
    ("kinds", "hint"),
    [
        (["unknown content"], "mgw import content"),
        (["not text"], "--encoding latin-1"),
        (["unknown content", "not text"], "mend the file"),
    ],
)
def test_the_hint_knows_what_is_usually_behind_a_kind_of_fault(kinds, hint):
    faults = Faults("stop")
    for kind in kinds:
        add(faults, kind=kind)
    with pytest.raises(RowsInvalid) as caught:
        faults.raise_if_stopping()
    assert hint in caught.value.hint


def test_skipping_counts_by_kind():
    faults = Faults("skip")
    for kind in ("a", "b", "a"):
        add(faults, kind=kind)
    faults.raise_if_stopping()
    assert (faults.counts, faults.total, faults.stopping) == ({"a": 2, "b": 1}, 3, False)


def test_rejected_rows_are_kept_as_they_were(tmp_path):
    kept = [["ada", "a,b"], ["ada", "a\rb"], ["ada", 'a"b\nc'], ["ada"], [], ["ada", "b", "c"], ["\udce9", "x\0"]]
    with Faults("skip", tmp_path / "new" / "rejects.csv") as faults:
        for line, values in enumerate(kept, start=2):
            add(faults, line, values=values)
        assert not (tmp_path / "new" / "rejects.csv").exists()
    header, *found = rows(tmp_path / "new" / "rejects.csv")
    assert header == ["mgw_file", "mgw_line", "mgw_column", "mgw_reason", "user", "content"]
    assert [row[:4] for row in found] == [["t.csv", str(line), "user", "it is bad"] for line in range(2, 9)]
    assert [row[4:] for row in found] == kept
    assert b"\xe9" in (tmp_path / "new" / "rejects.csv").read_bytes()


def test_half_a_character_is_written_as_its_number(tmp_path):
    with Faults("skip", tmp_path / "r.csv") as faults:
        add(faults, values=["a\ud800", "b"])
    assert rows(tmp_path / "r.csv")[1][4:] == ["a\\ud800", "b"]


def test_rows_that_are_rejected_again_have_one_set_of_marks(tmp_path):
    with Faults("skip", tmp_path / "r.csv") as faults:
        marked = ("mgw_file", "mgw_line", "mgw_column", "mgw_reason", *COLUMNS)
        add(faults, 9, columns=marked, values=["old.csv", "1", "x", "y", "ada", "alien"])
    header, row = rows(tmp_path / "r.csv")
    assert header == list(marked)
    assert row == ["t.csv", "9", "user", "it is bad", "ada", "alien"]


def test_a_header_stands_wherever_the_columns_change(tmp_path):
    with Faults("skip", tmp_path / "r.csv") as faults:
        for columns in (COLUMNS, COLUMNS, ("a", "b")):
            add(faults, columns=columns)
    assert [row[4:] for row in rows(tmp_path / "r.csv")] == [
        ["user", "content"], ["ada", "alien"], ["ada", "alien"], ["a", "b"], ["ada", "alien"]
    ]  # fmt: skip


def end_with(error, faults: Faults, prepare=id) -> None:
    """An import that finds some thousand faults and then ends with an error, or well."""
    with faults:
        prepare(faults)
        for line in range(3000):
            add(faults, line)
        if error is not None:
            raise error


def test_a_refused_import_keeps_its_rows_too(tmp_path):
    with pytest.raises(RowsInvalid):
        end_with(RowsInvalid("refused"), Faults("stop", tmp_path / "r.csv"))
    assert len(rows(tmp_path / "r.csv")) == 3001


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DiskFull("full"), RuntimeError()], ids=repr)
def test_whatever_else_ends_an_import_leaves_the_former_file(tmp_path, error):
    (tmp_path / "r.csv").write_text("former")
    with pytest.raises(type(error)):
        end_with(error, Faults("skip", tmp_path / "r.csv"))
    assert (tmp_path / "r.csv").read_text() == "former"
    assert files(tmp_path) == ["r.csv"]


def test_a_full_disk_while_rows_are_written(tmp_path):
    with pytest.raises(DiskFull, match=r"no space left to write .*r\.csv"):
        end_with(None, Faults("skip", tmp_path / "r.csv"), full_disk)
    assert files(tmp_path) == []


def test_a_full_disk_when_the_last_rows_are_written(tmp_path):
    (tmp_path / "r.csv").write_text("former")
    faults = Faults("skip", tmp_path / "r.csv").__enter__()
    full_disk(faults)
    add(faults)
    with pytest.raises(DiskFull):
        faults.__exit__(None, None, None)
    assert (tmp_path / "r.csv").read_text() == "former"
    assert files(tmp_path) == ["r.csv"]


def test_a_full_disk_does_not_hide_why_an_import_ended(tmp_path):
    faults = Faults("skip", tmp_path / "r.csv").__enter__()
    full_disk(faults)
    add(faults)
    faults.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert files(tmp_path) == []


def full_disk(faults: Faults) -> None:
    """Let the rows go where there is never any space; the device is as real as the error."""
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    writer = faults._writer
    writer._file.close()
    writer._file = Path("/dev/full").open("w", newline="", encoding="utf-8")  # noqa: SIM115
    writer._csv = csv.writer(writer._file)


def test_a_place_that_cannot_be_written_is_found_before_the_import_begins(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(ReadOnly, match="folder is a folder"):
        RejectsWriter(tmp_path / "folder")
    with pytest.raises(ReadOnly, match="file is a file, not a folder"):
        RejectsWriter(tmp_path / "file" / "r.csv")
    with pytest.raises((ReadOnly, FileUnreadable), match="/proc"):
        RejectsWriter(Path("/proc/r.csv"))
    assert files(tmp_path) == ["file", "folder"]


def test_the_source_is_not_replaced_by_its_rejects(tmp_path):
    (tmp_path / "t.csv").touch()
    (tmp_path / "link.csv").symlink_to("t.csv")
    for rejects in (tmp_path / "t.csv", tmp_path / "link.csv", tmp_path / ".." / tmp_path.name / "t.csv"):
        with pytest.raises(SourceInvalid, match="this is the file that is imported"):
            Faults("skip", rejects).read_from(tmp_path / "t.csv")
    Faults("skip", tmp_path / "other.csv").read_from(tmp_path / "t.csv")
    Faults("skip").read_from(tmp_path / "t.csv")
