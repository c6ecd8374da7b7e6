"""The scanner that finds `:name`, beside psql's rules and a real server."""

from __future__ import annotations

import psycopg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mgw.core.statements import split, tokens


def to_psycopg(text):
    """Write parameters as psycopg does, which reads percent signs only where there is one."""
    pieces = tokens(text)
    if not any(piece.kind == "parameter" for piece in pieces):
        return text
    return "".join(
        f"%({piece.text[1:]})s" if piece.kind == "parameter" else piece.text.replace("%", "%%") for piece in pieces
    )


# Each text has `:x` as a parameter, and `:no` where it is none.
TEXTS = {
    "a cast": ("a::no = :x::int", "a::no = %(x)s::int"),
    "a slice": ("a[1:no] || a[no:2] || a[f(2):no] || a[b[1]:no] = :x", None),
    "an element of an array": ("a[:x]", "a[%(x)s]"),
    "a slice that is open below": ("a[: :x]", "a[: %(x)s]"),
    "a slice of two parameters": ("a[:x : :x]", "a[%(x)s : %(x)s]"),
    "a named argument": ("f(no := :x, no:=:x)", "f(no := %(x)s, no:=%(x)s)"),
    "a string": ("':no' || :x || 'it''s :no'", None),
    "a backslash in a standard string": (r"'\' || :x || '\'", None),
    "a type in front of a string": (r"date'\' || :x || ''", None),
    "an escape string": (r"E'\':no' || :x || e'\\' || :x", None),
    "an escape string on two lines": ("E'a'\n  'b\\':no' || :x", None),
    "a national string": (r"N':no\' || :x", None),
    "a quoted name": ('":no"":no" = :x', None),
    "a dollar quote": ("$$:no$$ || :x", None),
    "a dollar quote with a tag": ("$a$:no $$ :no $b$ :no$a$ || :x", None),
    "a dollar in a name": ("a$b$ = :x OR c$b$ = :x", None),
    "a parameter of the server": ("$1 = :x AND $2 = :x", None),
    "a comment": ("a -- ':no\n = :x", None),
    "a block": ("a /* ':no */ = :x", None),
    "a block in a block": ("a /* /* :no */ :no */ = :x /**/ :x", None),
    "letters beyond ASCII": ("größe::no = :x", None),
    "a percent sign": ("a % 2 = :x AND b LIKE '%:no%'", None),
    "no blank around": ("(:x),:x=:x", None),
}


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=TEXTS.keys())
def test_parameters_and_what_looks_like_one(text, expected):
    found = to_psycopg(text)
    assert found == (expected or text.replace("%", "%%").replace(":x", "%(x)s"))
    assert ":x" not in found


def test_a_parameter_may_have_any_letters():
    assert to_psycopg("SELECT :größe, :x1_y") == "SELECT %(größe)s, %(x1_y)s"


# Beginnings and ends of everything that the scanner knows, so that they meet.
PIECES = [
    "'",
    "''",
    '"',
    "$$",
    "$a$",
    "/*",
    "*/",
    "--",
    "\n",
    ":",
    "::",
    ":=",
    "E'",
    "\\",
    "%",
    "a",
    "1",
    " ",
    "[",
    ";",
]
SQL = st.lists(st.sampled_from(PIECES) | st.text(max_size=3)).map("".join)


@given(SQL)
@example("/*" * 3)
def test_the_tokens_are_the_text_again(text):
    found = list(tokens(text))
    assert "".join(token.text for token in found) == text
    assert all(text[token.start :].startswith(token.text) and token.text for token in found)


@given(SQL)
def test_a_text_without_parameters_stays_and_one_with_a_parameter_only_doubles_percent_signs(text):
    if any(token.kind == "parameter" for token in tokens(text)):
        text = text.replace(":", ";")
    assert to_psycopg(text) == text
    # In front, where nothing before it can swallow it.
    assert to_psycopg(f":x {text}") == "%(x)s " + text.replace("%", "%%")


LITERALS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20)


@given(LITERALS, st.sampled_from(["'", "E'", "$q$"]))
def test_what_the_server_reads_from_a_literal(postgres, text, quote):
    """The server, which knows where a literal ends, gets the parameter behind it."""
    if quote == "$q$":
        text = text.replace("$", "")
        literal = f"$q${text}$q$"
    else:
        literal = quote + text.replace("'", "''").replace("\\", "\\\\" if quote == "E'" else "\\") + "'"
    row = postgres.execute(to_psycopg(f"SELECT {literal}, :x::int /* :no /* {quote[-1]} */ */"), {"x": 7}).fetchone()
    assert row == (text, 7)


@pytest.fixture(scope="module")
def postgres(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


def test_slices_and_named_arguments_on_a_server(postgres):
    text = to_psycopg(
        "SELECT (ARRAY[5, 6, 7])[2:3], (ARRAY[5, 6, 7])[: :x], (ARRAY[5, 6, 7])[:x], (ARRAY[5, 6, 7])[:x : :y],"
        " make_date(year := :z, month := 2, day => 3)::text, 7 % :y"
    )
    row = postgres.execute(text, {"x": 2, "y": 3, "z": 2020}).fetchone()
    assert row == ([6, 7], [5, 6], 6, [6, 7], "2020-02-03", 1)


def test_a_percent_sign_in_a_query_without_parameters(postgres):
    assert postgres.execute(to_psycopg("SELECT 7 % 4, 'a%'")).fetchone() == (3, "a%")


SCRIPTS = {
    "comments between": ("-- a;\nSELECT 1; /* ; */ ;\nSELECT ';'", ["SELECT 1;", "SELECT ';'"]),
    "a body in dollars": ("DO $$ BEGIN NULL; END $$; SELECT 2;", ["DO $$ BEGIN NULL; END $$;", "SELECT 2;"]),
    "a rule": ("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3", None),
    "a body of SQL": (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3", None
    ),
    "nothing": (" -- nothing\n;;", []),
}  # fmt: skip


@pytest.mark.parametrize(("script", "expected"), SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_script_is_cut_into_its_statements(script, expected):
    found = list(split(script))
    assert all(script[start:].startswith(text) for start, text in found)
    if expected is None:
        expected = [script.removesuffix(" SELECT 3"), "SELECT 3"]
    assert [text for _, text in found] == expected
