"""What stands in FROM: tables, views, sub-queries, functions, VALUES, common table expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.nullability import recursion, sentences
from mgw.sql.nullability.facts import STORED_KINDS
from mgw.sql.nullability.known import ROW_COLUMNS
from mgw.sql.nullability.reasons import Subject, all_of, not_null, nullable, unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mgw.sql.nullability.facts import RelationFacts
    from mgw.sql.nullability.reasons import Finding
    from mgw.sql.nullability.scope import Place, Scope, Walker
    from mgw.sql.nullability.tree import Node


def find(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    """Return what is known of a column of one member of FROM, before joins."""
    rule = _RULES.get(entry.number("rtekind"))
    return unknown("this kind of relation") if rule is None else rule(walker, home, entry, column)


def subject(scope: Scope, entry: Node) -> Subject | None:
    """Return what to look for in the text to find a member of FROM."""
    reference = entry.node("eref")
    name = None if reference is None else reference.text("aliasname")
    if name is None:
        return None
    if entry.number("rtekind") == 0:
        facts = scope.walker.catalogue.relation(entry.number("relid"))
        table = name if facts is None else facts.name
        return Subject("relation", table, name if entry.node("alias") is not None else None)
    if entry.number("rtekind") == 6:
        return Subject("relation", entry.text("ctename") or name, name if entry.node("alias") is not None else None)
    return Subject("relation", ")", name)


def shown(scope: Scope, entry: Node) -> str:
    """Return a member of FROM as a reader knows it: `credits c`, or only its name."""
    found = subject(scope, entry)
    if found is None:
        return "?"
    if found.name == ")":
        return found.alias or "?"
    return found.name if found.alias in {None, found.name} else f"{found.name} {found.alias}"


def _relation(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    facts = walker.catalogue.relation(entry.number("relid"))
    if facts is None:
        return unknown("the relation")
    if column == 0:
        return not_null(f"a row of {facts.name} is never NULL itself")
    if facts.kind == "v":
        return _view(walker, home, entry, column)
    if column < 0:
        stored = facts.kind in STORED_KINDS and not facts.foreign
        return not_null("a system column") if stored else unknown("a system column")
    return stored_column(facts, column, inherited=entry.flag("inh"))


def stored_column(facts: RelationFacts, column: int, *, inherited: bool = True) -> Finding:
    """Return what the constraints of a table say of a column."""
    found = (facts.columns if inherited else facts.own_columns).get(column)
    if found is None:
        return unknown(f"a column of {facts.name}")
    if found.not_null is not None:
        return not_null(found.not_null, Subject("column", found.name))
    return nullable(_why_nullable(facts, column, found.name), Subject("column", found.name))


def _why_nullable(facts: RelationFacts, column: int, name: str) -> str:
    sentence = sentences.unconstrained(facts.schema, facts.name, name)
    if facts.foreign:
        return f"{sentence}: a foreign table's constraints are not enforced"
    if facts.kind == "m":
        return f"{sentence}: a materialized view may be older than a constraint"
    if facts.own_columns[column].not_null is not None:
        return f"{sentence}: a table that inherits from it has no such constraint"
    return sentence


def _view(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    query = walker.catalogue.view(entry.number("relid"))
    if query is None or column < 0:
        return unknown("the view")
    outputs = walker.outputs(query, None, recursion.demanded(home, entry))
    return outputs[column - 1].opaque() if column <= len(outputs) else unknown("a column of the view")


def _sub_query(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    if column == 0:
        return not_null("a row of a sub-query is never NULL itself")
    given = recursion.demanded(home, entry)
    outputs = walker.outputs(entry.need("subquery"), home.row(), given)
    return outputs[column - 1] if 0 < column <= len(outputs) else unknown("a column of a sub-query")


def _values(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    rows = entry.fields.get("values_lists")
    if not isinstance(rows, list) or column < 1:
        return unknown("VALUES")
    cells = [row[column - 1] for row in rows if isinstance(row, list) and len(row) >= column]
    if len(cells) != len(rows):
        return unknown("VALUES")
    return all_of(
        (unknown("VALUES") if cell is None or isinstance(cell, (str, list)) else walker.find(cell, home.row())
         for cell in cells),
        "no row of VALUES has NULL there",
    )  # fmt: skip


def _function(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    functions = entry.nodes("functions")
    total = sum(each.number("funccolcount") for each in functions)
    if entry.flag("funcordinality") and column == total + 1:
        return not_null("WITH ORDINALITY numbers every row")
    if len(functions) != 1:
        return nullable("NULL where another function of ROWS FROM gives more rows")
    if functions[0].node("funccolnames") is not None or functions[0].fields.get("funccolnames") is not None:
        return unknown("a function with a column definition list")
    call = functions[0].need("funcexpr")
    if total == 1 and column == 1:
        return walker.find(call, home.row())
    return _column_of_rows(walker, call, column)


def _column_of_rows(walker: Walker, call: Node, column: int) -> Finding:
    facts = walker.catalogue.function(call.number("funcid")) if call.tag == "FUNCEXPR" else None
    if facts is None:
        return unknown("a function that gives rows")
    known = ROW_COLUMNS.get(facts.name) if facts.builtin else None
    if known is not None and 0 < column <= len(known) and known[column - 1]:
        return not_null(f"{facts.name}() gives no NULL there")
    return unknown(f"function {sentences.function(facts)}", Subject("call", facts.name))


def _table_function(_walker: Walker, _home: Place, entry: Node, column: int) -> Finding:
    # JSON_TABLE numbers rows as well, but those of NESTED PATHs only where they exist.
    table = entry.node("tablefunc")
    if table is not None and table.number("functype") == 0 and table.number("ordinalitycol", -1) == column - 1:
        return not_null("FOR ORDINALITY numbers every row")
    return unknown("XMLTABLE or JSON_TABLE")


def _common_table(walker: Walker, home: Place, entry: Node, column: int) -> Finding:
    if column == 0:
        return not_null("a row of a common table expression is never NULL itself")
    owner = home.outer(entry.number("ctelevelsup"))
    name = entry.text("ctename")
    if owner is None:
        return unknown("a common table expression")
    found = next((cte for cte in owner.scope.query.nodes("cteList") if cte.text("ctename") == name), None)
    if found is None:
        return unknown("a common table expression")
    outputs = recursion.outputs(walker, found, owner, recursion.demanded(home, entry))
    # Rows of one mention say nothing of the rows of another.
    return outputs[column - 1].opaque() if 0 < column <= len(outputs) else unknown("a column of WITH")


_RULES: dict[int, Callable[[Walker, Place, Node, int], Finding]] = {
    0: _relation,
    1: _sub_query,
    3: _function,
    4: _table_function,
    5: _values,
    6: _common_table,
}
