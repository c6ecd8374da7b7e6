"""SQL cut into pieces, by a scanner that knows strings, quoted names, comments, dollar quotes and `:name` parameters.

`::`, `:=` and the colon of an array slice begin no parameter. `:name` directly after a word, a number or a bracket
belongs to a slice (`a[1:n]`); a slice up to a parameter is `a[1 : :n]`, and `a[:n]` is, as in psql, one element.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

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
