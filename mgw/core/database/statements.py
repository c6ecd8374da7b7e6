"""The SQL that the program runs, read from `queries/` by name.

A query's name is its path without the ending: `history/by_user` is `queries/history/by_user.sql`. Parameters are
written `:name`, so that a file also runs in psql; psycopg wants `%(name)s`, so the text is rewritten once, by a scanner
that leaves strings, quoted names, comments, dollar quotes and `::` casts alone.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, LiteralString, cast

from mgw.core.resources import resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection, Copy
    from psycopg.rows import TupleRow

_TOKEN = re.compile(
    r"""
      (?P<comment>  --[^\n]* )
    | (?P<escape>   [eE]'(?:[^'\\]|\\.|'')*' )
    | (?P<string>   '(?:[^']|'')*' )
    | (?P<quoted>   "(?:[^"]|"")*" )
    | (?P<dollar>   \$(?P<tag>[A-Za-z_][A-Za-z_0-9]*)?\$ .*? \$(?P=tag)?\$ )
    | (?P<cast>     :: )
    | (?P<slice>    (?<=[\w\])]):(?=\d|\w) )
    | (?P<parameter> :(?P<name>[A-Za-z_][A-Za-z_0-9]*) )
    | (?P<percent>  % )
    """,
    re.VERBOSE | re.DOTALL,
)


def to_psycopg(text: str) -> str:
    """Rewrite `:name` parameters as psycopg's `%(name)s`, and double the percent signs outside of them.

    >>> to_psycopg("SELECT ':no', a::int FROM t WHERE b = :b AND c % 2 = 0 -- :neither")
    "SELECT ':no', a::int FROM t WHERE b = %(b)s AND c %% 2 = 0 -- :neither"
    """
    return _TOKEN.sub(_rewrite, text)


def _rewrite(match: re.Match[str]) -> str:
    if match["name"]:
        return f"%({match['name']})s"
    return match[0].replace("%", "%%")


@cache
def statement(name: str) -> LiteralString:
    """Return the text of a query for `Connection.execute`, parameters in psycopg's form."""
    # The files are part of the program, as literal as a string in its source.
    return cast("LiteralString", to_psycopg(_read(name)))


def copy_out(connection: Connection[TupleRow], name: str) -> Iterator[memoryview]:
    """Run a query without parameters as a binary COPY and yield its blocks."""
    text = cast("LiteralString", f"COPY ({_read(name)}) TO STDOUT (FORMAT binary)")
    with connection.cursor() as cursor, cursor.copy(text) as copy:
        yield from _blocks(copy)


def _blocks(copy: Copy) -> Iterator[memoryview]:
    while block := copy.read():
        yield memoryview(block)


def _read(name: str) -> str:
    text = (resource("queries") / f"{name}.sql").read_text(encoding="utf-8")
    return text.strip().removesuffix(";")
