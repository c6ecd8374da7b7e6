"""Why a value is, or is not, NULL: the sentences a user reads, and how they combine.

While the tree is walked every expression gets a `Finding`: the causes that could make it NULL, and where there are
none, the grounds on which it is not. A cause keeps what it is about (a table, a function), so that its place in the
text can be looked up at the end, and only for the few sentences that are shown. Beside the sentences stand conditions,
for outer joins only: the two sides of one FULL JOIN are never both missing, so that COALESCE of a column of each is not
NULL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_REASONS = 6


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence of a verdict.

    Attributes:
        sentence: such as "NULL where LEFT JOIN credits c finds no row"; without the place.
        position: offset into the query of what it is about, where the text has exactly one place for that.
        line: of the same place, from 1.
    """

    sentence: str
    position: int | None = None
    line: int | None = None

    def __str__(self) -> str:
        return self.sentence if self.line is None else f"{self.sentence} (line {self.line})"


@dataclass(frozen=True, slots=True)
class ColumnVerdict:
    """What was found for one column of the result.

    Attributes:
        nullable: whether it may be NULL; False only where that was proved.
        reasons: what may make it NULL, or what proves that nothing does.
    """

    nullable: bool
    reasons: tuple[Reason, ...]


class Subject(NamedTuple):
    """What a sentence is about, to look it up in the text: a relation with its alias, or something that is called."""

    kind: Literal["relation", "call", "column"]
    name: str
    alias: str | None = None


class Missing(NamedTuple):
    """One side of one outer join has no row.

    Attributes:
        join: identity of the join within the query level that has it.
        side: "l" or "r".
    """

    join: tuple[int, int]
    side: str


# What has to hold for a value to be NULL: all of a set; the empty set is a condition that nothing is known of.
Condition = frozenset[Missing]
_ANY: Condition = frozenset()
_MAX_CONDITIONS = 64


class Cause(NamedTuple):
    """A sentence, and what it is about."""

    sentence: str
    subject: Subject | None = None


class Finding(NamedTuple):
    """What is known of a value.

    Attributes:
        causes: what may make it NULL, for the reader.
        grounds: why it is not, where nothing does.
        conditions: the same as the causes, for the walker: it is NULL only where one of them holds; none: never.
    """

    causes: tuple[Cause, ...]
    grounds: tuple[Cause, ...]
    conditions: frozenset[Condition]

    @property
    def nullable(self) -> bool:
        """Whether it may be NULL."""
        return bool(self.conditions)

    def opaque(self) -> Finding:
        """Return the same without knowledge of when it is NULL: for values of more, or of other, rows than this one."""
        return self._replace(conditions=frozenset([_ANY])) if self.conditions else self


def not_null(sentence: str, subject: Subject | None = None) -> Finding:
    """Return the finding that a value is never NULL, and why."""
    return Finding((), (Cause(sentence, subject),), frozenset())


def nullable(sentence: str, subject: Subject | None = None, missing: Missing | None = None) -> Finding:
    """Return the finding that a value may be NULL, and why."""
    condition = _ANY if missing is None else frozenset([missing])
    return Finding((Cause(sentence, subject),), (), frozenset([condition]))


def unknown(what: str, subject: Subject | None = None) -> Finding:
    """Return the finding for what the walker does not know, which counts as nullable."""
    return nullable(f"not known: {what}", subject)


def all_of(findings: Iterable[Finding], otherwise: str) -> Finding:
    """Combine values where one NULL makes the result NULL; `otherwise` says why there is none if no finding does."""
    causes: dict[Cause, None] = {}
    grounds: dict[Cause, None] = {}
    conditions: set[Condition] = set()
    for finding in findings:
        causes.update(dict.fromkeys(finding.causes))
        grounds.update(dict.fromkeys(finding.grounds))
        conditions |= finding.conditions
    if conditions:
        return Finding(tuple(causes), (), _simplified(conditions))
    return Finding((), tuple(grounds) or (Cause(otherwise),), frozenset())


def first_of(findings: list[Finding], otherwise: str) -> Finding:
    """Combine values where the result is NULL only if all of them are, as in COALESCE."""
    for finding in findings:
        if not finding.conditions:
            return finding
    conditions = frozenset([_ANY])
    for finding in findings:
        both = {one | other for one in conditions for other in finding.conditions}
        conditions = _simplified({condition for condition in both if _can_hold(condition)})
    if not conditions:
        return not_null("the two sides of a FULL JOIN are never both missing")
    return all_of(findings, otherwise)._replace(conditions=conditions)


def _can_hold(condition: Condition) -> bool:
    """Return whether no join has both of its sides missing."""
    return len({missing.join for missing in condition}) == len(condition)


def _simplified(conditions: set[Condition]) -> frozenset[Condition]:
    """Drop conditions that are special cases of others."""
    if _ANY in conditions or len(conditions) > _MAX_CONDITIONS:
        return frozenset([_ANY])
    return frozenset(one for one in conditions if not any(other < one for other in conditions))
