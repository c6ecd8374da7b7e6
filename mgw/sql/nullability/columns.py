"""Columns: from a reference to what stands in FROM, and what joins do to it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mgw.sql.nullability import joins, returning, sources
from mgw.sql.nullability.keys import variable
from mgw.sql.nullability.reasons import Finding, Subject, all_of, not_null, nullable, unknown

if TYPE_CHECKING:
    from mgw.sql.nullability.keys import Variable
    from mgw.sql.nullability.scope import Place, Scope, Walker
    from mgw.sql.nullability.tree import Node

RELATION, SUB_QUERY, JOIN, FUNCTION, TABLE_FUNCTION, VALUES, CTE, NAMED, RESULT, GROUP = range(10)
_NO_ROW: Final = "finds no row"


def find_variable(walker: Walker, node: Node, place: Place) -> Finding:
    """Return what is known of a column reference."""
    key = variable(node)
    home = place.outer(key.level)
    if home is None:
        return unknown("a column of a query further out")
    proof = place.proof(key)
    key = key._replace(level=0)
    if returning.concerns(home, key):
        return returning.find(walker, home, key)
    if proof is not None:
        return not_null(f"{name_of(home.scope, key)} is not NULL: {proof}")
    if home.phase == "group" and key in home.scope.grouping.replaced:
        return replaced_by_grouping()
    return before_conditions(walker, home, key)


def before_conditions(walker: Walker, home: Place, key: Variable) -> Finding:
    """Return what is known of a column from where it comes and how that is joined."""
    return all_of([_base(walker, home, key), *absences(home.scope, key.relation)], "it is a whole row")


def absences(scope: Scope, relation: int) -> list[Finding]:
    """Return a finding for each outer join that may leave a relation without a row."""
    return [
        nullable(_sentence(scope, each), _subject(scope, each), scope.missing(each))
        for each in joins.optional_for(scope.join_tree, relation)
    ]


def name_of(scope: Scope, key: Variable) -> str:
    """Return `alias.column` as the query has it."""
    entry = _entry(scope, key.relation)
    alias = None if entry is None else entry.node("eref")
    if alias is None:
        return "the column"
    names = alias.texts("colnames")
    table = alias.text("aliasname") or ""
    column = names[key.column - 1] if 0 < key.column <= len(names) else "*"
    return column if table in {"unnamed_join", "*GROUP*"} else f"{table}.{column}"


def _entry(scope: Scope, relation: int) -> Node | None:
    return scope.relations[relation - 1] if 0 < relation <= len(scope.relations) else None


def _base(walker: Walker, home: Place, key: Variable) -> Finding:
    """Return what is known of a column before joins."""
    entry = _entry(home.scope, key.relation)
    if entry is None:
        return unknown("a column without a relation")
    kind = entry.number("rtekind")
    if kind == JOIN:
        return _merged(walker, home, entry, key.column)
    if kind == GROUP:
        return _grouped(walker, home, entry, key)
    return sources.find(walker, home, entry, key.column)


def _merged(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    """Return what is known of a column that USING made of two, or that is reached through the name of a join."""
    expressions = entry.nodes("joinaliasvars")
    if column == 0:
        return not_null("a row of a join is never NULL itself")
    # The columns of both sides are judged in the whole query, joins further out included, as this one is.
    return walker.find(expressions[column - 1], home) if column <= len(expressions) else unknown("a column of a join")


def _grouped(walker: Walker, home: Place, entry: Node, key: Variable) -> Finding:
    """Return what is known of a column of GROUP BY, as version 18 has them."""
    if key in home.scope.grouping.replaced:
        return replaced_by_grouping()
    return walker.find(entry.nodes("groupexprs")[key.column - 1], home.row())


def replaced_by_grouping() -> Finding:
    """Return the finding for what GROUPING SETS replace."""
    return nullable("NULL in the rows of grouping sets without it")


def _sentence(scope: Scope, optional: joins.Optional) -> str:
    join, side = optional.join, optional.side
    inner, outer = (_names(scope, join.parts[at]) for at in ((1, 0) if side == "r" else (0, 1)))
    if join.words == "LEFT JOIN":
        return f"NULL where LEFT JOIN {inner} {_NO_ROW}"
    if join.words == "RIGHT JOIN":
        return f"NULL where RIGHT JOIN {outer} {_NO_ROW} of {inner}"
    both = " and ".join(_names(scope, part) for part in join.parts)
    return f"NULL where FULL JOIN of {both} {_NO_ROW} of {inner}"


def _subject(scope: Scope, optional: joins.Optional) -> Subject | None:
    """Return what to look for: the relation that is joined, which stands behind the word JOIN."""
    part = optional.join.parts[1]
    while isinstance(part, joins.Join):
        part = part.parts[0]
    entry = _entry(scope, part)
    return None if scope.in_view or entry is None else sources.subject(scope, entry)


def _names(scope: Scope, part: joins.Join | int) -> str:
    if isinstance(part, joins.Join):
        return f"({', '.join(_names(scope, each) for each in part.parts)})"
    entry = _entry(scope, part)
    return "?" if entry is None else sources.shown(scope, entry)
