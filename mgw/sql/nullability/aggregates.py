"""Aggregates and window functions: what they are over no rows, and whether there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability import known, sentences
from mgw.sql.nullability.reasons import Subject, all_of, not_null, nullable, unknown
from mgw.sql.nullability.scope import Place

if TYPE_CHECKING:
    from mgw.sql.nullability.facts import FunctionFacts
    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Walker
    from mgw.sql.nullability.tree import Node

# Bits of PostgreSQL's frameOptions: frames that begin at the current row or before it, and end at it or after it.
# With RANGE a distance is one of values, and what is in range is for the type's own functions to say.
_RANGE = 0x00002
_STARTS_BEFORE = 0x00020 | 0x00200
_ENDS_AFTER = 0x00100 | 0x00400
_STARTS_BEFORE_BY_DISTANCE = 0x00800
_ENDS_AFTER_BY_DISTANCE = 0x04000
_EXCLUDES_IT = 0x08000 | 0x10000


def find_aggregate(walker: Walker, node: Node, place: Place) -> Finding:
    """Return what is known of an aggregate."""
    facts = walker.catalogue.function(node.number("aggfnoid"))
    if facts is None:
        return unknown("an aggregate")
    if facts.is_one_of(known.COUNTS) or (facts.is_one_of(known.HYPOTHETICAL) and node.text("aggkind") == "h"):
        return not_null(f"{facts.name}() never returns NULL")
    if not facts.is_one_of(known.AGGREGATES):
        return unknown(f"aggregate {sentences.function(facts)}", Subject("call", facts.name))
    if node.number("agglevelsup") != 0:
        return unknown("an aggregate of a query further out", Subject("call", facts.name))
    return _over_group(walker, node, place, facts)


def _over_group(walker: Walker, node: Node, place: Place, facts: FunctionFacts) -> Finding:
    subject = Subject("call", facts.name)
    if node.node("aggfilter") is not None:
        return nullable(f"{facts.name}() is NULL where FILTER leaves no row", subject)
    if place.scope.grouping.may_be_empty:
        return nullable(f"{facts.name}() is NULL over no rows", subject)
    direct = [walker.find(arg, place).opaque() for arg in node.nodes("aggdirectargs")]
    read = [] if facts.is_one_of(known.COLLECTING) else _first_argument(node)
    values = [walker.find(arg, place.row()).opaque() for arg in read]
    return all_of([*direct, *values], f"{facts.name}() is not NULL over a group")


def _first_argument(node: Node) -> list[Node]:
    """Return what is aggregated: further arguments, such as the separator of string_agg, may be NULL."""
    return [entry.need("expr") for entry in node.nodes("args") if not entry.flag("resjunk")][:1]


def find_window_function(walker: Walker, node: Node, place: Place) -> Finding:
    """Return what is known of a window function."""
    facts = walker.catalogue.function(node.number("winfnoid"))
    if facts is None:
        return unknown("a window function")
    args = node.nodes("args")
    place = Place(place.scope, place.phase)  # what a CASE around it knows is about this row, not those in its frame
    if facts.is_one_of(known.RANKS | known.COUNTS):
        return not_null(f"{facts.name}() never returns NULL")
    if facts.builtin and facts.name == "ntile":
        return walker.find(args[0], place).opaque()
    if facts.is_one_of(known.NEIGHBOURS):
        return _neighbour(walker, facts, args, place)
    if facts.is_one_of(known.EDGES | known.AGGREGATES):
        return _over_frame(walker, node, place, facts)
    return unknown(f"window function {sentences.function(facts)}", Subject("call", facts.name))


def _neighbour(walker: Walker, facts: FunctionFacts, args: list[Node], place: Place) -> Finding:
    if len(args) < 3:
        return nullable(f"{facts.name}() is NULL where there is no such row", Subject("call", facts.name))
    return all_of((walker.find(arg, place).opaque() for arg in args), f"{facts.name}() has a default")


def _over_frame(walker: Walker, node: Node, place: Place, facts: FunctionFacts) -> Finding:
    subject = Subject("call", facts.name)
    if node.node("aggfilter") is not None:
        return nullable(f"{facts.name}() is NULL where FILTER leaves no row", subject)
    if not _holds_current_row(place.scope.query, node.number("winref")):
        return nullable(f"{facts.name}() is NULL where its frame has no row", subject)
    read = [] if facts.is_one_of(known.COLLECTING) else node.nodes("args")[:1]
    return all_of((walker.find(arg, place).opaque() for arg in read), f"{facts.name}() is not NULL over a frame")


def _holds_current_row(query: Node, reference: int) -> bool:
    """Return whether the frame of a window always holds the current row."""
    window = next((each for each in query.nodes("windowClause") if each.number("winref") == reference), None)
    if window is None:
        return False
    options = window.number("frameOptions")
    starts, ends = _STARTS_BEFORE, _ENDS_AFTER
    if not options & _RANGE:
        starts, ends = starts | _STARTS_BEFORE_BY_DISTANCE, ends | _ENDS_AFTER_BY_DISTANCE
    return bool(options & starts) and bool(options & ends) and not options & _EXCLUDES_IT
