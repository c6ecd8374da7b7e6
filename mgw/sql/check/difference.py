"""One thing that does not fit: which rule it breaks, where, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mgw.sql.errors import QueryFault

RULES = {
    "undescribed": "A query has no description.",
    "stale": "A query, or one that it needs, was changed after it was described.",
    "left-over": "A description or an accessor belongs to no query.",
    "edited": "A description or an accessor was edited by hand.",
    "foreign": "A description has a format that this version does not read.",
    "schema": "The migrations were changed after the queries were described.",
    "invalid": "A query cannot be read.",
    "module": "The module of the accessors is missing, or is not what the descriptions give.",
    "drift": "The database is not what a query was described against.",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not fit.

    Attributes:
        rule: one of `RULES`.
        query: name of the query, or None where it is about all of them.
        path: the file at fault.
        message: what is wrong, in one line.
        line: from 1; 0 where the whole file is meant.
        column: from 1; 0 where the whole line is meant.
        diff: what was and what is, line by line, or empty.
        hint: what to do about it.
    """

    rule: str
    query: str | None
    path: Path
    message: str
    line: int = 0
    column: int = 0
    diff: str = ""
    hint: str = "run `mgw prepare`"


def of_fault(fault: QueryFault) -> Difference:
    """Return a query that cannot be read, or that PostgreSQL refuses, as a difference."""
    excerpt = fault.message.partition("\n")[2]
    return Difference(
        "invalid",
        None,
        fault.path,
        f"{fault.summary} ({fault.code})",
        fault.line,
        fault.column,
        diff=excerpt,
        hint=fault.hint or "mend the query",
    )
