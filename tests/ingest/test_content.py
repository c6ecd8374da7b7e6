"""Rows as content: what is taken, and the one clear answer to each thing that is not."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.errors import SourceInvalid
from mgw.ingest.content import CONTENT_FIELDS, ContentParser, ContentRow
from mgw.ingest.faults import Malformed

COLUMNS = tuple(CONTENT_FIELDS)


def parse(**values):
    row = {"id": "alien", "title": "Alien"} | values
    return ContentParser(tuple(row), {}).parse(list(row.values()))


def test_the_fields_stand_in_the_order_of_the_row():
    row = [
        "alien",
        "Alien",
        "Film",
        "1979",
        "117",
        "In space…",
        "Horror|SF",
        "space",
        "Weaver|Hurt",
        "Scott",
        "O'Bannon",
    ]
    assert ContentParser(COLUMNS, {}).parse(row) == ContentRow(
        "alien", "Alien", "film", 1979, 117, "In space…", ["Horror", "SF"], ["space"], ["Weaver", "Hurt"], ["Scott"],
        ["O'Bannon"],
    )  # fmt: skip


def test_an_absent_column_says_nothing_and_an_empty_list_says_that_there_are_none():
    assert parse() == ContentRow("alien", "Alien")
    assert parse(genres="", plot="", year="")[3:7] == (None, None, None, [])


def test_lists_keep_their_order_and_drop_what_is_empty_or_repeated():
    assert parse(actors=" b | a||b|c ").actors == ["b", "a", "c"]


@pytest.mark.parametrize("text", ["1979", "1979.0", " 1979 "])
def test_whole_numbers(text):
    assert parse(year=text).year == 1979


@pytest.mark.parametrize(
    ("values", "column", "kind", "reason"),
    [
        ({"id": ""}, "id", "no content id", "is empty"),
        ({"id": "x" * 256}, "id", "content id too long", "255 at most"),
        ({"id": "a\0"}, "id", "bad content id", "NUL"),
        ({"title": " \u3000\t"}, "title", "no title", "the title is empty"),
        ({"title": "\0"}, "title", "bad title", "NUL"),
        ({"title": "Les Mis\udce9rables"}, "title", "not text", "the byte 0xe9"),
        ({"plot": "a\0b"}, "plot", "bad plot", "NUL"),
        ({"kind": "opera"}, "kind", "bad kind", "'opera' is neither film nor series"),
        ({"year": "0"}, "year", "year out of range", "'0' is not a whole number from 1870 to 2200"),
        ({"year": "1979.5"}, "year", "year out of range", "not a whole number"),
        ({"year": "nan"}, "year", "year out of range", "not a whole number"),
        ({"year": "inf"}, "year", "year out of range", "not a whole number"),
        ({"year": "MCMLXXIX"}, "year", "bad year", "is not a number"),
        ({"runtime_minutes": "0"}, "runtime_minutes", "runtime out of range", "from 1 to 32767"),
        ({"runtime_minutes": "32768"}, "runtime_minutes", "runtime out of range", "from 1 to 32767"),
        ({"actors": "|".join(map(str, range(32_768)))}, "actors", "list too long", "32,768 entries, 32,767 at most"),
        ({"genres": "Drama|" + "x" * 256}, "genres", "entry too long", "256 characters"),
        ({"themes": "a|b\0"}, "themes", "bad entry", "NUL"),
    ],
)  # fmt: skip
def test_each_thing_that_cannot_be_taken_has_its_answer(values, column, kind, reason):
    with pytest.raises(Malformed) as caught:
        parse(**values)
    assert (caught.value.column, caught.value.kind) == (column, kind)
    assert reason in caught.value.reason


def test_an_id_stands_in_a_file_once_rows_that_were_refused_not_counted():
    parser = ContentParser(("id", "title"), {})
    with pytest.raises(Malformed, match="the title is empty"):
        parser.parse(["alien", ""])
    parser.parse(["alien", "Alien"])
    with pytest.raises(Malformed, match="content 'alien' stood in the file before") as caught:
        parser.parse([" alien", "Alien"])
    assert (caught.value.column, caught.value.kind) == ("id", "content given twice")


def test_a_row_of_another_width():
    with pytest.raises(Malformed, match="expected 2 values, found 3"):
        ContentParser(("id", "title"), {}).parse(["a", "b", "c"])


def test_a_required_column_that_is_missing():
    with pytest.raises(SourceInvalid, match="no column title among: id, name") as caught:
        ContentParser(("id", "name"), {})
    assert "--map title=COLUMN" in caught.value.hint
    assert ContentParser(("id", "name"), {"title": "name"}).parse(["alien", "Alien"]).title == "Alien"


words = st.text("aéz日- ", min_size=1, max_size=20).map(str.strip).filter(bool)
lists = st.lists(words, unique=True, max_size=5)


@given(
    st.builds(
        ContentRow,
        words, words, st.none() | st.sampled_from(["film", "series"]), st.none() | st.integers(1870, 2200),
        st.none() | st.integers(1, 32_767), st.none() | words, lists, lists, lists, lists, lists,
    )
)  # fmt: skip
def test_every_title_survives_being_written_and_read(row):
    written = ["|".join(v) if isinstance(v, list) else "" if v is None else str(v) for v in row]
    assert ContentParser(COLUMNS, {}).parse(written) == row


@given(st.lists(st.text(st.characters(), max_size=20), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_any_text_is_either_a_title_or_a_fault(values):
    with suppress(Malformed):
        row = ContentParser(COLUMNS, {}).parse(values)
        assert row.content_id
        assert row.title
