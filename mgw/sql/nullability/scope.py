"""Where an expression stands: in which query, and whether before or after its GROUP BY, or in RETURNING.

Before grouping a column is that of one row; after it, of a group, which may be empty (`SELECT count(*)` over no rows)
and whose GROUPING SETS may have replaced it by NULL. What WHERE says holds before, and after it in groups that have a
row; what HAVING says only after it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from mgw.sql.nullability import joins
from mgw.sql.nullability.grouping import Grouping
from mgw.sql.nullability.keys import Variable, is_parameter
from mgw.sql.nullability.reasons import Missing

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mgw.sql.nullability.catalogue import Catalogue
    from mgw.sql.nullability.implications import Implications
    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.recursion import Assumptions
    from mgw.sql.nullability.tree import Node

_SERIALS = itertools.count(1)
_MERGE = 5
HAVING = "HAVING lets no NULL through"
Phase = Literal["row", "group", "returned"]


class Walker(Protocol):
    """What the modules that know one kind of expression each ask of the whole."""

    @property
    def catalogue(self) -> Catalogue:
        """The facts."""

    @property
    def implications(self) -> Implications:
        """What conditions say."""

    @property
    def assumptions(self) -> Assumptions:
        """What is assumed of recursive queries."""

    def forget(self) -> None:
        """Drop results that were found under assumptions."""

    def find(self, node: Node, place: Place) -> Finding:
        """Return what is known of an expression."""

    def outputs(self, query: Node, parent: Place | None, given: frozenset[int] = ...) -> list[Finding]:
        """Return what is known of the columns of a query."""

    def is_view(self, query: Node) -> bool:
        """Return whether a query without a parent is that of a view."""

    def parameter(self, number: int) -> Finding:
        """Return what is known of a parameter."""


@dataclass(eq=False)
class Scope:
    """One level of a query.

    Attributes:
        query: its node.
        parent: where it stands, for what it takes from queries further out; None for the outermost and for views.
        walker: the whole.
        given: what is known not to be NULL in the rows that count.
        in_view: whether its text is that of a view, so that nothing in it has a place in the query.
    """

    query: Node
    parent: Place | None
    walker: Walker
    given: dict[Hashable, str] = field(default_factory=dict)
    in_view: bool = False
    serial: int = field(default_factory=_SERIALS.__next__)

    @cached_property
    def relations(self) -> list[Node]:
        """The range table; column references count from 1."""
        return self.query.nodes("rtable")

    @cached_property
    def grouping(self) -> Grouping:
        """What GROUP BY does."""
        return Grouping.of(self.query)

    @cached_property
    def phase(self) -> Phase:
        """Where the result's expressions stand."""
        return "group" if self.grouping.is_grouped else "row"

    @cached_property
    def row_facts(self) -> dict[Hashable, str]:
        """What is not NULL in a row that WHERE lets through."""
        return self._solved[1]

    @cached_property
    def group_facts(self) -> dict[Hashable, str]:
        """What is not NULL in a group that HAVING lets through."""
        having = self.query.node("havingQual")
        facts = {} if self.grouping.may_be_empty else self._kept_by_grouping()
        if having is not None:
            for key in self.walker.implications.when_true(having) or ():
                facts.setdefault(key, HAVING)
        return facts

    def _kept_by_grouping(self) -> dict[Hashable, str]:
        replaced = self.grouping.replaced
        if not replaced:
            return dict(self.row_facts)
        # What is made of several columns may be made of one that is replaced by NULL.
        return {key: why for key, why in self.row_facts.items() if isinstance(key, Variable) and key not in replaced}

    @cached_property
    def _solved(self) -> tuple[joins.Join | int, dict[Hashable, str]]:
        root = joins.read(self.query.need("jointree"))
        if isinstance(root, int):
            return root, dict(self.given)
        return root, joins.solve(root, self.walker.implications, self.given)

    @property
    def join_tree(self) -> joins.Join | int:
        """The joins, those that conditions make inner ones already so."""
        return self._solved[0]

    def missing(self, optional: joins.Optional) -> Missing:
        """Return the name of a missing side."""
        return Missing((self.serial, optional.join.index), optional.side)


class Place(NamedTuple):
    """A scope, the phase, and what else is known there, such as inside a branch of CASE."""

    scope: Scope
    phase: Phase
    facts: frozenset[Hashable] = frozenset()

    def outer(self, levels: int) -> Place | None:
        """Return the place of the query so many levels further out."""
        place: Place | None = self
        for _ in range(levels):
            place = None if place is None else place.scope.parent
        return place

    def row(self) -> Place:
        """Return the place of the same query before grouping, where nothing else is known."""
        return Place(self.scope, "row")

    def knowing(self, facts: frozenset[Hashable] | None) -> Place:
        """Return the same place, with more facts."""
        return self._replace(facts=self.facts | facts) if facts else self

    def proof(self, key: Hashable) -> str | None:
        """Return why an expression is not NULL here, if conditions say so, here or in a query further out."""
        place: Place | None = self
        while place is not None:
            found = place.own_proof(key)
            if found is not None:
                return found
            place = place.scope.parent
            if isinstance(key, Variable) and key.level > 0:
                key = key._replace(level=key.level - 1)
            elif not is_parameter(key):  # an expression has columns in it, which mean others further out
                return None
        return None

    def own_proof(self, key: Hashable) -> str | None:
        """Return why an expression is not NULL, if conditions of this very query say so."""
        if key in self.facts:
            return "the condition of CASE excludes NULL"
        if self.phase == "group":
            return self.scope.group_facts.get(key)
        if self.phase == "returned" and not self._holds_after_writing(key):
            return None
        return self.scope.row_facts.get(key)

    def _holds_after_writing(self, key: Hashable) -> bool:
        """Return whether what conditions say of an expression may be asked for in RETURNING.

        Of columns, whoever asks sees to it that they are not those which were written; an expression may be made of
        such. MERGE returns rows that its source, and the conditions in it, have no part in.
        """
        is_merge = self.scope.query.number("commandType") == _MERGE
        return not is_merge and (isinstance(key, Variable) or is_parameter(key))
