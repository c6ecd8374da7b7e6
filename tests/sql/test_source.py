"""Reading a folder of queries: names, headers, parameters, and everything that can be wrong with a file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.sql.errors import QueriesMissing, QueryFault
from mgw.sql.source import SourceFile, parse, read_folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path


def read(folder, text, name="one"):
    """Parse one file, or raise what is wrong with it."""
    path = folder / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    files, faults = read_folder(folder)
    if faults:
        raise faults[0]
    return parse(files[name])


def test_a_query(folder):
    query = read(folder, "-- Films.\n--\n-- Of a year.\nSELECT 'a:b', :year, :top_k, :year; -- end\n", "graph/by-year")
    assert query.name == "graph/by-year"
    assert query.header.description == "Films.\n\nOf a year."
    assert query.parameters == ("year", "top_k")
    assert query.sql == "-- Films.\n--\n-- Of a year.\nSELECT 'a:b', $1, $2, $1"
    assert query.statement == "SELECT 'a:b', :year, :top_k, :year"
    for place in (query.sql.index("$2"), query.sql.rindex("$1"), query.sql.index("SELECT"), len(query.sql)):
        name = {"$1": ":year", "$2": ":top_k"}.get(query.sql[place : place + 2], query.sql[place : place + 2])
        assert query.text[query.offset_in_file(place) :].startswith(name)


@given(st.lists(st.sampled_from([":a", ":bcd", " ", "'x :no'", "-- :no\n", "x::int", "\n", ", "]), max_size=20))
def test_every_place_in_the_text_for_postgresql_is_found_in_the_file(pieces):
    text = "SELECT 1" + "".join(f" {piece}" for piece in pieces)
    query = parse(SourceFile("one", None, text, ""))
    for match in re.finditer(r"\$(\d)", query.sql):
        assert query.text.startswith(f":{query.parameters[int(match[1]) - 1]}", query.offset_in_file(match.start()))
    for position, letter in enumerate(query.sql):
        if letter == "x":
            assert query.text[query.offset_in_file(position)] == "x"


def test_directives(folder):
    header = read(
        folder,
        "-- Words: these are prose.\n"
        "-- param user_id: bigint\n"
        "-- param since: timestamp with time zone null\n"
        '-- column "two words": null\n'
        "--   returns: one\n"
        "-- needs: ingest/stage, ingest/resolve\n"
        "-- scan film: all of it is wanted\n"
        "SELECT :user_id, :since\n",
    ).header
    assert header.description == "Words: these are prose."
    assert (header.parameters["user_id"].type, header.parameters["user_id"].nullable) == ("bigint", None)
    assert (header.parameters["since"].type, header.parameters["since"].nullable) == ("timestamp with time zone", True)
    assert header.columns["two words"].nullable
    assert (header.returns, list(header.needs), list(header.scans)) == (
        "one", ["ingest/stage", "ingest/resolve"], ["film"],
    )  # fmt: skip


def test_line_ends_and_byte_order_marks_are_no_change(folder):
    plain = read(folder, "-- A.\nSELECT\n1\n", "a")
    assert read(folder, b"\xef\xbb\xbf-- A.\r\nSELECT\r\n1\r\n", "b").checksum == plain.checksum


# What is in the file, the code, the place, and what the message or hint says.
WRONG = {
    "two statements": ("SELECT 1;\n  SELECT 2;", "SQL_TWO_STATEMENTS", (2, 3), "one file, one query"),
    "nothing": ("", "SQL_QUERY_EMPTY", (0, 0), "no statement"),
    "only comments": ("-- a\n/* b */ ;\n", "SQL_QUERY_EMPTY", (0, 0), "no statement"),
    "not UTF-8": (b"-- a\nSELECT '\xe9'", "SQL_NOT_UTF8", (2, 9), "0xe9"),
    "a zero byte": (b"SELECT\n'\0'", "SQL_NOT_UTF8", (2, 2), "zero"),
    "an unknown directive": (
        "-- a\n-- retuns: one\nSELECT 1",
        "SQL_DIRECTIVE_INVALID",
        (2, 4),
        "did you mean returns?",
    ),
    "a directive of nobody's": ("-- cache: 5\nSELECT 1", "SQL_DIRECTIVE_INVALID", (1, 4), "capital letter"),
    "a directive without a name": ("-- param: int\nSELECT 1", "SQL_DIRECTIVE_INVALID", (1, 4), "param NAME"),
    "a directive with a name": ("-- returns x: one\nSELECT 1", "SQL_DIRECTIVE_INVALID", (1, 4), "returns: …"),
    "a directive that says nothing": ("-- param x:\nSELECT :x", "SQL_DIRECTIVE_INVALID", (1, 4), "nothing"),
    "no such cardinality": ("-- returns: two\nSELECT 1", "SQL_DIRECTIVE_INVALID", (1, 4), "one, optional, many"),
    "no such nullability": ("-- column x: maybe\nSELECT 1 AS x", "SQL_DIRECTIVE_INVALID", (1, 4), "maybe"),
    "a parameter not null": ("-- param x: int not null\nSELECT :x", "SQL_DIRECTIVE_INVALID", (1, 4), "leave it out"),
    "twice": ("-- returns: one\n-- returns: many\nSELECT 1", "SQL_DIRECTIVE_INVALID", (2, 4), "once"),
    "a column twice": ("-- column x: null\n-- column x: null\nSELECT 1 AS x", "SQL_DIRECTIVE_INVALID", (2, 4), "once"),
    "too late": ("SELECT 1\n-- returns: one\n", "SQL_DIRECTIVE_INVALID", (2, 4), "top of the file"),
    "parameters that differ in case": ("SELECT :a,\n:A", "SQL_PARAMETER_CLASH", (2, 1), ":a and :A"),
    "parameters that become one": ("SELECT :class, :class_", "SQL_PARAMETER_CLASH", (1, 16), "one argument"),
    "a utility statement": ("-- a\nANALYZE film", "SQL_NOT_DESCRIBABLE", (2, 1), "-- utility"),
    "a query called utility": ("-- utility\nSELECT 1", "SQL_NOT_DESCRIBABLE", (2, 1), "leave"),
}


@pytest.mark.parametrize(("text", "code", "place", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_with_a_file(folder, text, code, place, words):
    with pytest.raises(QueryFault) as caught:
        read(folder, text)
    error = caught.value
    assert error.code == code
    assert (error.line, error.column) == place
    assert words in f"{error.message} {error.hint}"
    assert error.hint
    if error.column:
        first, line, caret = error.message.split("\n")
        assert first.startswith(f"{folder / 'one.sql'}:{place[0]}:{place[1]}: ")
        assert caret.index("^") == 4 + place[1] - 1
        assert line.startswith("    ")


@pytest.mark.parametrize(
    "name", ['a"; DROP TABLE film; --', "1st", "a b", "ünder", "a.b", "-a", "a/1/b", "a'''", "os.system('x')"]
)
def test_names_that_are_none(folder, name):
    with pytest.raises(QueryFault) as caught:
        read(folder, "SELECT 1", name)
    assert caught.value.code == "SQL_NAME_INVALID"


@pytest.mark.parametrize(
    ("first", "second"), [("a/b", "a_b"), ("a-b", "a_b"), ("a", "A"), ("list", "list_async"), ("a/b_async", "a_b")]
)
def test_names_that_become_one(folder, first, second):
    for name in (first, second):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.sql").write_text("SELECT 1")
    _, faults = read_folder(folder)
    assert [fault.code for fault in faults] == ["SQL_NAME_TWICE"]


def test_faults_do_not_hide_each_other(folder):
    (folder / "a b.sql").write_text("SELECT 1")
    (folder / "c.sql").write_bytes(b"\xff")
    (folder / "d.sql").write_text("SELECT 1")
    (folder / ".hidden.sql").write_text("no")
    files, faults = read_folder(folder)
    assert (list(files), sorted(fault.code for fault in faults)) == (["d"], ["SQL_NAME_INVALID", "SQL_NOT_UTF8"])


def test_a_folder_without_queries(folder):
    with pytest.raises(QueriesMissing):
        read_folder(folder)
    with pytest.raises(QueriesMissing):
        read_folder(folder / "nowhere")
