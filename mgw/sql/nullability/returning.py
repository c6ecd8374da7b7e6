"""RETURNING: the row as it was written, or, for DELETE, as it was.

What constraints say holds in it; what WHERE says does not, for an UPDATE may have changed the row since, nor does a
view's own WHERE. Through a view, a rule or a foreign table anything may come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability import columns, sources
from mgw.sql.nullability.reasons import all_of, not_null, nullable, unknown

if TYPE_CHECKING:
    from mgw.sql.nullability.facts import RelationFacts
    from mgw.sql.nullability.keys import Variable
    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Place, Walker
    from mgw.sql.nullability.tree import Node

# PostgreSQL's CmdType and VarReturningType.
_UPDATE, _INSERT, _DELETE, _MERGE = 2, 3, 4, 5
_OLD, _NEW = 1, 2
_BY_SOURCE = 1  # MergeMatchKind: NOT MATCHED BY SOURCE
_DO_UPDATE = 2  # OnConflictAction


def concerns(home: Place, key: Variable) -> bool:
    """Return whether a column in RETURNING is one that the statement writes, or one of the source of MERGE."""
    query = home.scope.query
    is_merge = query.number("commandType") == _MERGE
    return home.phase == "returned" and (is_merge or key.relation == query.number("resultRelation"))


def find(walker: Walker, home: Place, key: Variable) -> Finding:
    """Return what is known of such a column in RETURNING."""
    query = home.scope.query
    if key.relation != query.number("resultRelation"):
        return _of_merge_source(walker, home, key)
    facts = walker.catalogue.relation(home.scope.relations[key.relation - 1].number("relid"))
    if facts is None or facts.kind not in {"r", "p"} or facts.foreign or facts.rewritten:
        return unknown("what comes back through a view, a rule or a foreign table")
    absent = _absent(query, key.returning)
    if absent is not None:
        return absent
    written = _written(walker, home, key, facts)
    if written is not None:
        return written
    if key.column <= 0:
        return not_null("a row of the table, or a system column")
    return sources.stored_column(facts, key.column)


def _absent(query: Node, returning: int) -> Finding | None:
    """Return that there may be no OLD or no NEW row, or None where there is."""
    kinds = _actions(query)
    if returning == _OLD and _INSERT in kinds:
        return nullable("OLD is NULL where a row was inserted")
    if returning == _NEW and _DELETE in kinds:
        return nullable("NEW is NULL where a row was deleted")
    return None


def _actions(query: Node) -> set[int]:
    kind = query.number("commandType")
    return {action.number("commandType") for action in query.nodes("mergeActionList")} if kind == _MERGE else {kind}


def _written(walker: Walker, home: Place, key: Variable, facts: RelationFacts) -> Finding | None:
    """Return what the statement itself makes of a column, or None where only constraints count."""
    query = home.scope.query
    kind = query.number("commandType")
    if kind in {_UPDATE, _DELETE} and (kind == _DELETE or key.returning == _OLD):
        proof = home.proof(key._replace(returning=0))
        return None if proof is None else not_null(f"{columns.name_of(home.scope, key)} is not NULL: {proof}")
    column = facts.columns.get(key.column)
    if kind not in {_INSERT, _UPDATE} or facts.triggered or column is None or column.generated:
        return None
    if column.not_null is not None:
        return None
    return _assigned(walker, home, key)


def _assigned(walker: Walker, home: Place, key: Variable) -> Finding | None:
    """Return what INSERT or UPDATE puts into a column without a constraint, if nothing changes it on the way."""
    query = home.scope.query
    values = [_target(query.nodes("targetList"), key.column)]
    conflict = query.node("onConflict")
    if conflict is not None and conflict.number("action") == _DO_UPDATE:
        values.append(_target(conflict.nodes("onConflictSet"), key.column))
    if query.number("commandType") == _UPDATE and values == [None]:
        proof = home.proof(key._replace(returning=0))  # it is as it was
        return None if proof is None else not_null(f"{columns.name_of(home.scope, key)} is not NULL: {proof}")
    findings = [None if value is None else walker.find(value, home.row()) for value in values]
    if any(each is None or each.nullable for each in findings):
        return None
    return all_of((each for each in findings if each is not None), "what is written is not NULL")


def _target(entries: list[Node], column: int) -> Node | None:
    return next((entry.need("expr") for entry in entries if entry.number("resno") == column), None)


def _of_merge_source(walker: Walker, home: Place, key: Variable) -> Finding:
    query = home.scope.query
    found = columns.before_conditions(walker, home, key)
    if any(action.number("matchKind") == _BY_SOURCE for action in query.nodes("mergeActionList")):
        return all_of([nullable("NULL where MERGE finds no row of the source"), found], "")
    return found
