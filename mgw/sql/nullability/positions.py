"""Where in the query's text something stands that the analysed tree only names.

PostgreSQL 17 and later drop the places of nodes when a tree is stored, and no version keeps those of tables. So the
text is searched for the words. A place is only given where exactly one fits: a wrong line would be worse than none,
and the answer has to be the same whichever version was asked.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from mgw.core.statements import tokens
from mgw.sql.nullability.reasons import Reason

if TYPE_CHECKING:
    from mgw.sql.nullability.reasons import Cause, Subject

# What may stand in front of a table that has no alias.
_OPENING = frozenset({"from", "join", "only", "update", "into", "using", ",", ".", "("})


class _Word(NamedTuple):
    """A token that counts: its start, and its text as PostgreSQL folds it."""

    start: int
    text: str


class Places:
    """The places in one query."""

    def __init__(self, query: str) -> None:
        self._query = query

    def reason(self, cause: Cause) -> Reason:
        """Return a sentence with its place, if the text has exactly one for it."""
        position = None if cause.subject is None else self.find(cause.subject)
        if position is None:
            return Reason(cause.sentence)
        return Reason(cause.sentence, position, self._query.count("\n", 0, position) + 1)

    def find(self, subject: Subject) -> int | None:
        """Return the offset of a table, a call or a column; None where there are none or several."""
        found = {"relation": self._relations, "call": self._calls, "column": self._columns}[subject.kind](subject)
        return found[0] if len(found) == 1 else None

    @cached_property
    def _words(self) -> list[_Word]:
        kept = (token for token in tokens(self._query) if token.kind != "comment" and not token.text.isspace())
        return [_Word(token.start, _folded(token.text)) for token in kept]

    def _relations(self, subject: Subject) -> list[int]:
        if subject.alias is None:
            return [
                word.start
                for before, word, after in self._triples()
                if word.text == subject.name and before in _OPENING and after not in {".", "("}
            ]
        return [start for start, name in self._aliased(subject.alias) if name in {subject.name, ")"}]

    def _aliased(self, alias: str) -> list[tuple[int, str]]:
        """Return the starts and the names of what is followed by this alias, with or without AS."""
        found = []
        for index, word in enumerate(self._words):
            if word.text != alias or index == 0:
                continue
            at = index - 2 if self._words[index - 1].text == "as" else index - 1
            if at >= 0:
                named = self._words[at]
                found.append((word.start if named.text == ")" else named.start, named.text))
        return found

    def _calls(self, subject: Subject) -> list[int]:
        return [word.start for _, word, after in self._triples() if word.text == subject.name and after == "("]

    def _columns(self, subject: Subject) -> list[int]:
        return [
            word.start for _, word, after in self._triples() if word.text == subject.name and after not in {".", "("}
        ]

    def _triples(self) -> list[tuple[str, _Word, str]]:
        texts = ["", *(word.text for word in self._words), ""]
        return [(texts[i], word, texts[i + 2]) for i, word in enumerate(self._words)]


def _folded(text: str) -> str:
    """Fold a name as PostgreSQL does: quoted ones are as they stand."""
    return text[1:-1].replace('""', '"') if text[:1] == '"' else text.lower()
