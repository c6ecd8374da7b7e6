"""A query's text as what rules ask of it: its words in their brackets, and the clauses of each SELECT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from mgw.core.statements import split, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CLAUSES = {"FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "UNION",
            "INTERSECT", "EXCEPT", "RETURNING", "SET", "VALUES", "ON", "USING", "SELECT"}  # fmt: skip
_ENDS_WHERE = _CLAUSES - {"FROM", "USING", "ON", "SET", "VALUES"}


class Word(NamedTuple):
    """A piece of SQL that is no blank and no comment.

    Attributes:
        text: as it stands.
        upper: in capitals; of a string or a quoted name nothing, so that it is no keyword.
        start: offset in the file.
        depth: how many brackets it is in.
    """

    text: str
    upper: str
    start: int
    depth: int

    @property
    def end(self) -> int:
        """The offset behind it."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class Statement:
    """The text of a query's file.

    Attributes:
        text: all of it.
    """

    text: str

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """What it is made of; `:name` is one word, and so is `a.b` not: it is three."""
        found, depth = [], 0
        for kind, text, start in tokens(self.text):
            if kind == "comment" or text.isspace():
                continue
            if kind == "other" and text in ")]":
                depth -= 1
            found.append(Word(text, text.upper() if kind in {"word", "other", "slice"} else "", start, depth))
            if kind == "other" and text in "([":
                depth += 1
        return tuple(found)

    @cached_property
    def verb(self) -> str:
        """Its first word, in capitals."""
        return self.words[0].upper if self.words else ""

    @cached_property
    def parameters(self) -> frozenset[str]:
        """What stands in the statement with a colon in front."""
        return frozenset(word.text[1:] for word in self.words if word.text.startswith(":") and len(word.text) > 1
                         and word.text != "::" and word.text[1].isidentifier())  # fmt: skip

    @cached_property
    def begins(self) -> int:
        """Where the statement begins, behind its header."""
        first = next(iter(split(self.text)), None)
        return len(self.text) if first is None else first[0]

    def line(self, offset: int) -> int:
        """Return the line of an offset, from 1."""
        return self.text.count("\n", 0, offset) + 1

    def column(self, offset: int) -> int:
        """Return its column, from 1."""
        return offset - self.text.rfind("\n", 0, offset)

    def has_at_top(self, *keywords: str) -> bool:
        """Say whether one of some keywords stands in no brackets."""
        return any(word.depth == 0 and word.upper in keywords for word in self.words)

    def conjuncts(self, place: int) -> Iterator[Sequence[Word]]:
        """Yield the conditions of the WHERE at a place of `words`, as far as all have to hold.

        Where an OR stands beside them, none has to.
        """
        depth = self.words[place].depth
        current: list[Word] = []
        found: list[list[Word]] = [current]
        between = False
        for word in self.words[place + 1 :]:
            if word.depth < depth or (word.depth == depth and (word.upper in _ENDS_WHERE or word.text == ";")):
                break
            between |= word.depth == depth and word.upper == "BETWEEN"
            if word.depth == depth and word.upper == "OR":
                return
            if word.depth == depth and word.upper == "AND" and not between:
                current = []
                found.append(current)
                continue
            if word.depth == depth and word.upper == "AND":
                between = False
            current.append(word)
        yield from found
