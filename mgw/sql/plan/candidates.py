"""Which index could serve a filter: columns that are compared for equality first, then one of a range."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.sql.plan.scans import masked_strings, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.sql.plan.scans import Scan

_OPERATOR = re.compile(r" (=|<|>|<=|>=|@>|<@|&&|@@|\?|\?\||\?&) ")
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "@>": "<@", "<@": "@>"}
_EQUAL = {"="}
_RANGE = {"<", ">", "<=", ">="}
_NULL_TEST = re.compile(r"(.+) IS (?:NOT )?NULL", re.DOTALL)
_IDENTIFIER = re.compile(r'[A-Za-z_][\w$]*|"(?:[^"]|"")+"')


@dataclass(frozen=True, slots=True)
class Candidate:
    """An index that might serve.

    Attributes:
        keys: what is in it: columns, or expressions in brackets.
        method: "btree", "gin" or "gist".
        served: the conjuncts that it is for.
    """

    keys: tuple[str, ...]
    method: str
    served: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Comparison:
    key: str
    operator: str
    conjunct: str


def candidates(scan: Scan) -> Iterator[Candidate]:
    """Yield the indexes that might serve a scan, the most selective first."""
    found = [each for each in (_comparison(conjunct, scan.alias) for conjunct in scan.conjuncts) if each]
    equal = _distinct([each for each in found if each.operator in _EQUAL])
    ranges = [each for each in found if each.operator in _RANGE]
    if equal or ranges:
        ordered = equal + [each for each in ranges[:1] if each.key not in {other.key for other in equal}]
        keys = tuple(each.key for each in ordered)
        comparable = [each for each in found if each.operator in _EQUAL | _RANGE]
        served = [each.conjunct for key in keys for each in comparable if each.key == key]
        yield Candidate(keys, "btree", tuple(served))
    for each in (*equal, *ranges[:1]) if len(equal) + len(ranges) > 1 else ():
        yield Candidate((each.key,), "btree", (each.conjunct,))
    for each in found:
        if each.operator not in _EQUAL | _RANGE:
            yield Candidate((each.key,), "gin", (each.conjunct,))
            yield Candidate((each.key,), "gist", (each.conjunct,))


def _distinct(comparisons: list[_Comparison]) -> list[_Comparison]:
    return list({each.key: each for each in reversed(comparisons)}.values())[::-1]


def _comparison(conjunct: str, alias: str) -> _Comparison | None:
    """Return what a conjunct compares, if one side of it is a column or expression of the table alone."""
    masked = masked_strings(conjunct)
    if "SubPlan" in masked or " OR " in masked:
        return None
    null_test = _NULL_TEST.fullmatch(conjunct)
    if null_test:
        key = _key(null_test[1], alias)
        return _Comparison(key, "=", conjunct) if key else None
    match = _OPERATOR.search(masked)
    if match is None:
        key = _key(conjunct.removeprefix("NOT "), alias)
        return _Comparison(key, "=", conjunct) if key and not key.startswith("(") else None
    left, right = conjunct[: match.start()], conjunct[match.end() :]
    for one, other, operator in ((left, right, match[1]), (right, left, _FLIPPED.get(match[1], match[1]))):
        key = _key(one, alias)
        if key and not _mentions(other, alias):
            return _Comparison(key, operator, conjunct)
    return None


def _mentions(expression: str, alias: str) -> bool:
    return f"{alias}." in expression


def _key(expression: str, alias: str) -> str | None:
    """Return a column, or an expression over the table in brackets, as an index has it; None for anything else."""
    expression = unwrapped(expression)
    prefix = f"{alias}."
    if expression.startswith(prefix) and _IDENTIFIER.fullmatch(expression[len(prefix) :]):
        return expression[len(prefix) :]
    if prefix not in expression or "$" in masked_strings(expression):
        return None
    bare = expression.replace(prefix, "")
    if re.search(r"\b[a-z_]\w*\.", masked_strings(bare)):  # a column of another table
        return None
    return f"({bare})"


def without_alias(conjunct: str, alias: str) -> str:
    """Return a conjunct as a reader would write it about the table.

    >>> without_alias("e.user_id = $1", "e")
    'user_id = $1'
    """
    return re.sub(rf"(?<![\w.]){re.escape(alias)}\.", "", conjunct)
