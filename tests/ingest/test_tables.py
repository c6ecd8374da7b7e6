"""Files as tables: every way in which a text or Parquet file can be written, or broken."""

from __future__ import annotations

import csv
import gzip
import io
import os
import random
import threading
from contextlib import suppress
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.errors import FileUnreadable, MgwError, SourceInvalid
from mgw.core.progress import SILENT
from mgw.ingest.tables import open_table, read_rows


def read(path, **options):
    with open_table(path, **options) as table:
        return table.columns, [(line, list(values)) for line, values in read_rows(table, SILENT)]


def written(folder, content: bytes, name="table.csv"):
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n3,4\n",
        b"a,b\n1,2\n3,4",
        b"a,b\r\n1,2\r\n3,4\r\n",
        b"a,b\r1,2\r3,4\r",
        b"\xef\xbb\xbfa,b\n1,2\n3,4\n",
        b' a ,"b"\n1,"2"\n3,4\n',
    ],
    ids=["plain", "no last newline", "CRLF", "CR", "byte order mark", "spaces and quotes"],
)
def test_the_same_table_written_in_many_ways(tmp_path, content):
    assert read(written(tmp_path, content)) == (("a", "b"), [(2, ["1", "2"]), (3, ["3", "4"])])


def test_lines_are_counted_through_blank_lines_and_line_breaks_in_values(tmp_path):
    file = written(tmp_path, b'\n\na,b\n\n"1\n1",2\r\n\n3,4\n')
    assert read(file) == (("a", "b"), [(5, ["1\n1", "2"]), (8, ["3", "4"])])


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.tsv", b"a\tb\n1\t2\n"), ("t.dat", b"a::b\n1::2\n"), ("t.tsv.gz", gzip.compress(b"a\tb\n1\t2\n", mtime=0))],
)
def test_the_ending_says_what_stands_between_values(tmp_path, name, content):
    assert read(written(tmp_path, content, name)) == (("a", "b"), [(2, ["1", "2"])])


@pytest.mark.parametrize(
    ("delimiter", "content"), [(";", b"a;b\n1;2\n"), ("\\t", b"a\tb\n1\t2\n"), ("||", b"a||b\n1||2")]
)
def test_a_delimiter_can_be_named(tmp_path, delimiter, content):
    assert read(written(tmp_path, content), delimiter=delimiter) == (("a", "b"), [(2, ["1", "2"])])


@pytest.mark.parametrize("delimiter", ['"', "\n", "a\r"])
def test_not_everything_can_be_a_delimiter(tmp_path, delimiter):
    with pytest.raises(SourceInvalid, match="cannot stand between values"):
        read(written(tmp_path, b"a,b\n"), delimiter=delimiter)


def test_gzip_is_known_by_its_content(tmp_path):
    assert read(written(tmp_path, gzip.compress(b"a\n1\n"), "t.csv")) == (("a",), [(2, ["1"])])


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    assert read(written(tmp_path, b"a,b\n")) == (("a", "b"), [])


def test_encodings(tmp_path):
    assert read(written(tmp_path, "a\né\n".encode("latin-1")), encoding="latin-1")[1] == [(2, ["é"])]
    assert read(written(tmp_path, "a\né\n".encode("utf-16")), encoding="utf-16")[1] == [(2, ["é"])]
    assert read(written(tmp_path, "\ufeffa\né\n".encode()), encoding="U8") == (("a",), [(2, ["é"])])


def test_a_byte_that_is_no_text_spoils_its_value_only(tmp_path):
    assert read(written(tmp_path, b"a\n\xe9\nx\n"))[1] == [(2, ["\udce9"]), (3, ["x"])]


def test_a_pipe_is_read_as_far_as_it_goes(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    content = b"a\n" + b"1\n" * 10_000
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[content])
    writer.start()
    columns, rows = read(tmp_path / "pipe")
    writer.join()
    assert (columns, len(rows)) == (("a",), 10_000)


DAMAGED = gzip.compress(random.Random(0).randbytes(5000).hex().encode(), mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("t.csv", b"", "empty"),
        ("t.csv", b"\xef\xbb\xbf\n\n", "empty"),
        ("t.csv", b"a\xe9,b\n1,2\n", "t.csv, line 1: the header: .* the byte 0xe9"),
        ("t.csv", b"PAR1....", "this is a Parquet file"),
        ("t.csv", b"PK\3\4....", "this is a zip archive"),
        ("t.csv.gz", b"a,b\n1,2\n", "not gzip, though it is called so"),
        ("t.csv.gz", DAMAGED[:-2000], "cut short or damaged"),
        ("t.csv.gz", DAMAGED[:2000] + b"!!!!" + DAMAGED[2004:], "damaged"),
        ("t.csv.gz", DAMAGED[:10] + b"\xff" * 20, "damaged: .* invalid block type"),
        ("t.csv.gz", DAMAGED[:-8] + b"........", "damaged: CRC check failed"),
        ("t.csv", b'a,b\n1,2\n"3,4\n5,6\n', "t.csv, line 3: the row that begins here is not CSV: unexpected end"),
        ("t.csv", b'a,b\n\n"1"2,3\n', "t.csv, line 3: .* is not CSV: ',' expected after"),
        ("t.csv", b'a\n"' + b"x" * 10_000_001, "t.csv, line 2: .* field larger than field limit"),
        ("t.parquet", b"", "not a Parquet file"),
        ("t.parquet", b"PAR1 and nothing more PAR1", "not a Parquet file"),
    ],
    ids=range(15),
)
def test_what_is_no_table_is_refused_by_name_and_line(tmp_path, name, content, complaint):
    with pytest.raises(SourceInvalid, match=complaint) as caught:
        read(written(tmp_path, content, name))
    assert caught.value.message.startswith(str(tmp_path / name))
    assert caught.value.hint


@pytest.mark.parametrize("encoding", ["nonsense", "hex", "", "a\0b"])
def test_an_unknown_encoding(tmp_path, encoding):
    with pytest.raises(SourceInvalid, match="unknown encoding"):
        read(written(tmp_path, b"a\n"), encoding=encoding)


@pytest.mark.parametrize(
    "name", ["missing.csv", "missing.parquet", "folder", "folder.parquet", "x" * 300, "file/t.csv"]
)
def test_what_cannot_be_opened(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(FileUnreadable, match=r"No such file|Is a directory|File name too long|Not a directory"):
        read(tmp_path / name)


def test_an_error_of_the_caller_is_not_taken_for_one_of_the_file(tmp_path):
    with pytest.raises(BrokenPipeError), open_table(written(tmp_path, b"a\n1\n")):
        raise BrokenPipeError


# Parquet


def parquet(folder, columns: dict, **options):
    pq.write_table(pa.table(columns), folder / "t.parquet", **options)
    return folder / "t.parquet"


def test_parquet_values_come_as_a_text_file_would_have_them(tmp_path):
    nanoseconds = pa.array([1_577_872_800_123_456_789, None], pa.timestamp("ns", "Europe/Berlin"))
    file = parquet(
        tmp_path,
        {
            "text": ["Amélie", None],
            "list": [["a", "b"], []],
            "whole": pa.array([42.0, None], pa.float64()),
            "part": [0.5, 4.0],
            "flag": [True, False],
            "at": [datetime(2020, 1, 1, 10, tzinfo=UTC), None],
            "naive": [datetime(2020, 1, 1, 10), None],  # noqa: DTZ001 - the case
            "nanoseconds": nanoseconds,
            "day": [date(2020, 1, 1), None],
            "bytes": [b"42", None],
            "kind": pa.array(["film", "film"]).dictionary_encode(),
        },
    )
    assert read(file) == (
        ("text", "list", "whole", "part", "flag", "at", "naive", "nanoseconds", "day", "bytes", "kind"),
        [
            (1, ["Amélie", "a|b", "42", "0.5", "True", "2020-01-01T10:00:00+00:00", "2020-01-01T10:00:00",
                 "2020-01-01T10:00:00.123456+00:00", "2020-01-01", "42", "film"]),
            (2, ["", "", "", "4", "False", "", "", "", "", "", "film"]),
        ],
    )  # fmt: skip


def test_parquet_without_rows(tmp_path):
    assert read(parquet(tmp_path, {"a": pa.array([], pa.string())})) == (("a",), [])


def test_a_damaged_page_of_parquet(tmp_path):
    file = parquet(
        tmp_path, {"a": [random.Random(n).randbytes(50).hex() for n in range(2000)]}, write_page_checksum=True
    )
    content = bytearray(file.read_bytes())
    content[200:1200] = random.Random(0).randbytes(1000)
    file.write_bytes(content)
    with pytest.raises(SourceInvalid, match="damaged"):
        read(file)


# Properties

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=12)


@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8), packed=st.booleans())
def test_what_csv_writes_is_read_back(tmp_path_factory, rows, packed):
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    content = text.getvalue().encode()
    file = written(tmp_path_factory.getbasetemp(), gzip.compress(content) if packed else content, "round.csv")
    columns, found = read(file)
    assert columns == ("a", "b", "c")
    assert [values for _, values in found] == rows
    lines = content.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert all(lines[line - 1].startswith('"') for line, _ in found)


@given(
    content=st.binary(max_size=300),
    beginning=st.sampled_from([b"", b"a,b\n", b"\x1f\x8b\x08", b"PAR1"]),
    name=st.sampled_from(["f.csv", "f.dat", "f.csv.gz", "f.tsv", "f.parquet"]),
    encoding=st.sampled_from(
        ["utf-8", "utf-16", "utf-7", "utf-32", "latin-1", "ascii", "idna", "shift_jis", "undefined"]
    ),
)
def test_no_bytes_whatever_raise_anything_but_our_errors(tmp_path_factory, content, beginning, name, encoding):
    file = written(tmp_path_factory.getbasetemp(), beginning + content, name)
    with suppress(MgwError):
        read(file, encoding=encoding)
