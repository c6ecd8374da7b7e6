"""The FROM clause as a tree of joins: which outer joins can leave which relations without a row.

PostgreSQL 16 and later write this beside every column (`varnullingrels`); version 15 does not, so it is derived from
the join tree, in every version alike. The conditions of WHERE and ON then take some of it back, as the planner does:
where a row survives only if a column of the optional side is not NULL, the outer join is as good as an inner one
(`reduce_outer_joins`), whose ON condition then holds as well, which may say more: hence the loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mgw.sql.nullability.keys import Variable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from mgw.sql.nullability.implications import Implications
    from mgw.sql.nullability.tree import Node

INNER: Final = 0
# For each type of join, which of its sides may be without a row. Types are those of PostgreSQL's JoinType.
_OPTIONAL = {INNER: "", 1: "r", 2: "lr", 3: "l"}
_WORDS = {"r": "LEFT JOIN", "l": "RIGHT JOIN", "lr": "FULL JOIN"}

WHERE = "WHERE lets no NULL through"
ON = "the ON condition of an inner join lets no NULL through"


@dataclass(slots=True)
class Join:
    """One join, or one FROM list, whose parts are joined by commas.

    Attributes:
        index: of the join in the range table; 0 for a FROM list.
        optional: the sides that may be without a row: "", "l", "r" or "lr"; it shrinks.
        words: how it is written.
        parts: left and right; of a FROM list all its members; relations stand as their index.
        condition: of ON, or of WHERE.
        origin: which of the two.
        members: the indexes of all relations and joins below each part.
    """

    index: int
    optional: str
    words: str
    parts: list[Join | int]
    condition: Node | None
    origin: str
    members: list[frozenset[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.members = [
            frozenset([part]) if isinstance(part, int) else frozenset([part.index]).union(*part.members)
            for part in self.parts
        ]

    def side(self, which: str) -> frozenset[int]:
        """Return the members of a side."""
        return self.members[0 if which == "l" else 1]


@dataclass(frozen=True, slots=True)
class Optional:
    """An outer join that can leave a relation without a row: the join, and the side the relation is on."""

    join: Join
    side: str


def read(node: Node) -> Join | int:
    """Read the join tree of a query."""
    if node.tag == "RANGETBLREF":
        return node.number("rtindex")
    if node.tag == "FROMEXPR":
        return Join(0, "", "", [read(part) for part in node.nodes("fromlist")], node.node("quals"), WHERE)
    optional = _OPTIONAL[node.number("jointype")]
    parts = [read(node.need("larg")), read(node.need("rarg"))]
    return Join(node.number("rtindex"), optional, _WORDS.get(optional, "JOIN"), parts, node.node("quals"), ON)


def solve(root: Join, implications: Implications, given: dict[Hashable, str]) -> dict[Hashable, str]:
    """Make inner joins of outer ones where that is no difference; return what is not NULL in a row that survives.

    Args:
        root: the join tree, which is changed.
        implications: what conditions say.
        given: what is known beforehand, with the reason.
    """
    facts = dict(given)
    seen: set[int] = set()
    changed = True
    while changed:
        changed = False
        for join in _certain(root):
            if id(join) not in seen and join.condition is not None:
                seen.add(id(join))
                for key in implications.when_true(join.condition) or ():
                    facts.setdefault(key, join.origin)
                changed = True
        changed |= _reduce(root, {key.relation for key in facts if isinstance(key, Variable) and key.level == 0})
    return facts


def optional_for(root: Join | int, index: int) -> list[Optional]:
    """Return the outer joins that can leave a relation without a row, the outermost first."""
    found = []
    at = root
    while isinstance(at, Join) and at.index != index:
        step = next((i for i, members in enumerate(at.members) if index in members), None)
        if step is None:
            return []
        side = "lr"[step] if at.index else ""
        if side and side in at.optional:
            found.append(Optional(at, side))
        at = at.parts[step]
    return found


def _certain(join: Join | int) -> Iterator[Join]:
    """Yield the joins whose condition holds in every row that survives: those that are on no optional side."""
    if isinstance(join, int):
        return
    if not join.optional:
        yield join
    for side, part in zip("lr" if join.index else " " * len(join.parts), join.parts, strict=True):
        if side not in join.optional:
            yield from _certain(part)


def _reduce(join: Join | int, present: set[int]) -> bool:
    """Take from outer joins the sides that have a row for certain; return whether there were any."""
    if isinstance(join, int):
        return False
    left = "".join(side for side in join.optional if not join.side(side) & present)
    changed = left != join.optional
    join.optional = left
    for part in join.parts:
        changed |= _reduce(part, present)
    return changed
