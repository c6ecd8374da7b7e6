"""SQL cut into pieces, by a scanner that knows strings, quoted names, comments, dollar quotes and `:name` parameters.

`::`, `:=` and the colon of an array slice begin no parameter. `:name` directly after a word, a number or a bracket
belongs to a slice (`a[1:n]`); a slice up to a parameter is `a[1 : :n]`, and `a[:n]` is, as in psql, one element.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def split(sql: str) -> Iterator[tuple[int, str]]:
    r"""Cut a script into its statements, each with where it begins; comments in front of a statement are left out.

    A semicolon within parentheses (`CREATE RULE … DO (…; …)`) or within `BEGIN ATOMIC … END` ends nothing, as in psql.

    >>> list(split("SELECT ';'; -- one\nSELECT 2;"))
    [(0, "SELECT ';';"), (19, 'SELECT 2;')]
    """
    start: int | None = None
    depth = 0
    words: list[str] = []
    for kind, text, position in tokens(sql):
        if start is None and (kind == "comment" or text.isspace() or text == ";"):
            continue
        start = position if start is None else start
        if kind == "word":
            words.append(text.upper())
        depth += _nesting(kind, text, words, depth)
        if kind == "other" and text == ";" and depth <= 0:
            yield start, sql[start : position + 1]
            start, depth, words = None, 0, []
    if start is not None:
        yield start, sql[start:]


def _nesting(kind: str, text: str, words: list[str], depth: int) -> int:
    """Return by how much a token changes the depth; `words` are those of its statement, it included."""
    if kind == "other":
        return {"(": 1, ")": -1}.get(text, 0)
    if kind != "word":
        return 0
    if words[-2:] == ["BEGIN", "ATOMIC"] or (words[-1] == "CASE" and depth > 0 and "ATOMIC" in words):
        return 1
    return -1 if words[-1] == "END" and depth > 0 and "ATOMIC" in words else 0
