"""Lists as parameters: PostgreSQL reads them as they were, whatever is in them."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgw.core.database.lists import FlatListDumper, register_lists

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)


@pytest.fixture(scope="module")
def connection(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connected:
        register_lists(connected)
        yield connected


@given(st.lists(_TEXT | st.sampled_from(["", "NULL", "{}", '"', "\\", '\\"', "a,b", " ", "\u2003"])))
def test_strings(connection, values):
    assert connection.execute("SELECT %s::text[]", (values,)).fetchone() == (values,)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_integers(connection, values):
    assert connection.execute("SELECT %s::bigint[]", (values,)).fetchone() == (values,)


@given(st.lists(st.floats()))
def test_floats(connection, values):
    (found,) = connection.execute("SELECT %s::double precision[]", (values,)).fetchone()
    assert list(map(repr, found)) == list(map(repr, values))


@pytest.mark.parametrize(
    ("kind", "values"),
    [("bigint[]", [1, None, 3]), ("boolean[]", [True, False]), ("text[]", ["a", None]), ("bigint[]", [[1, 2], [3, 4]])],
)
def test_other_lists_are_left_to_psycopg(connection, kind, values):
    assert connection.execute(f"SELECT %s::{kind}", (values,)).fetchone() == (values,)


def test_what_cannot_be_text_is_refused(connection):
    with pytest.raises(psycopg.DataError, match="NUL"):
        connection.execute("SELECT %s::text[]", (["a", "b\0c"],))


def test_it_is_this_dumper_that_writes_them(connection):
    assert connection.adapters.get_dumper(list, psycopg.adapt.PyFormat.TEXT) is FlatListDumper
