r"""The SQL that the program runs, read from `queries/` by name.

A query's name is its path without the ending: `history/by_user` is `queries/history/by_user.sql`. Parameters are
written `:name`, so that a file also runs in psql; psycopg wants `%(name)s`, so the text is rewritten once, by a scanner
that knows PostgreSQL's strings, quoted names, comments and dollar quotes, and leaves them, `::`, `:=` and the colon of
an array slice alone. `:name` directly after a word, a number or a bracket belongs to a slice (`a[1:n]`); a slice up to
a parameter is `a[1 : :n]`, and `a[:n]` is, as in psql, one element.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import LiteralString, NamedTuple

from mgw.core.resources import resource

# PostgreSQL, "Lexical Structure". A word takes its `$` along, so that `a$b$` opens no dollar quote; `E'…'` goes on
# after a line break, with the same escapes.
_TOKEN = re.compile(
    r"""
      (?P<comment>   --[^\n]* )
    | (?P<block>     /\* )
    | (?P<string>    [eE]'(?:[^'\\]|\\.|'')*'(?:\s*\n\s*'(?:[^'\\]|\\.|'')*')* | '(?:[^']|'')*' | "(?:[^"]|"")*" )
    | (?P<dollar>    \$(?P<tag>(?:[^\W\d]\w*)?)\$ .*? \$(?P=tag)\$ )
    | (?P<word>      \$\d+ | \w[\w$]* )
    | (?P<slice>     (?<=[\w\])]):(?=\w) | :: )
    | (?P<parameter> :[^\W\d]\w* )
    | (?P<other>     \s+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    """A piece of SQL.

    Attributes:
        kind: "comment", "string", "dollar", "word", "slice", "parameter" or "other".
        text: the piece as it stands.
        start: where it begins.
    """

    kind: str
    text: str
    start: int


@lru_cache(maxsize=4)
def tokens(text: str) -> tuple[Token, ...]:
    """Cut SQL into pieces, which together are the text again."""
    found = []
    position = 0
    while match := _TOKEN.match(text, position):
        kind, end = str(match.lastgroup), match.end()
        if kind == "block":
            kind, end = "comment", _end_of_block(text, end)
        found.append(Token(kind, text[position:end], position))
        position = end
    return tuple(found)


def _end_of_block(text: str, position: int) -> int:
    """Return where a block comment ends whose opening ends at `position`; such comments nest."""
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(text, position)):
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return len(text) if depth else position


def to_psycopg(text: str) -> str:
    """Rewrite `:name` parameters as psycopg's `%(name)s`, and double the percent signs outside of them.

    A text without parameters stays as it is: psycopg reads `%` only in what it is given parameters for.

    >>> to_psycopg("SELECT ':no', a::int FROM t WHERE b = :b AND c % 2 = 0 -- :neither")
    "SELECT ':no', a::int FROM t WHERE b = %(b)s AND c %% 2 = 0 -- :neither"
    >>> to_psycopg("SELECT 5 % 2")
    'SELECT 5 % 2'
    """
    pieces = tokens(text)
    if not any(piece.kind == "parameter" for piece in pieces):
        return text
    return "".join(
        f"%({piece.text[1:]})s" if piece.kind == "parameter" else piece.text.replace("%", "%%") for piece in pieces
    )


@cache
def statement(name: str) -> LiteralString:
    """Return the text of a query for `Connection.execute`, parameters in psycopg's form."""
    # The files are part of the program, as literal as a string in its source.
    return to_psycopg(_read(name))


def _read(name: str) -> str:
    text = (resource("queries") / f"{name}.sql").read_text(encoding="utf-8")
    return text.strip().removesuffix(";")
