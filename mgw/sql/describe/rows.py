"""How many rows a query can give, from its analysed tree and the unique keys of its tables.

A table is *pinned* where at most one of its rows can be in the result: every column of a unique key is equal to a
value, or to a column of a table that is pinned already. If all that stands in FROM is pinned, there is one row at most.
What is not known gives many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from mgw.sql.nullability.tree import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.sql.describe.keys import Keys
    from mgw.sql.nullability.tree import Value

Rows: TypeAlias = Literal["one", "optional", "many"]

_SELECT, _INSERT = 1, 3
_READING = {1, 2, 4}  # SELECT, UPDATE and DELETE: what they give is what FROM gives
_RELATION, _SUBQUERY, _FUNCTION, _VALUES, _CTE, _RESULT = 0, 1, 3, 5, 6, 8
_INNER, _LEFT, _RIGHT = 0, 1, 3
_AND = "and"
_EXPRESSION = 4  # SubLinkType of `(SELECT …)` as a value
_NOTHING, _UPDATE = 1, 2  # OnConflictAction
_TO_BIGINT = {481, 754}  # int8(integer) and int8(smallint), the same on every server
_VALUES_OF_OUTSIDE = {"CONST", "PARAM"}


def rows_of(query: Node, keys: Keys) -> Rows:
    """Return how many rows a query gives."""
    return _Level(query, keys, {}).rows()


def always_null(query: Node) -> list[bool]:
    """Return for each column of a query whether it is nothing but the constant NULL."""
    outputs = query.nodes("targetList" if query.number("commandType") == _SELECT else "returningList")
    return [_is_null(each.need("expr")) for each in outputs if not each.flag("resjunk")]


def _is_null(node: Node) -> bool:
    return node.tag == "CONST" and node.flag("constisnull")


class _Level:
    """One SELECT, INSERT, UPDATE or DELETE of a query.

    Args:
        query: its tree.
        keys: of the database.
        outer: the queries of WITH that are in sight, by name.
    """

    def __init__(self, query: Node, keys: Keys, outer: dict[str, Rows]) -> None:
        self._query, self._keys = query, keys
        self._with = dict(outer)
        for each in query.nodes("cteList"):
            recursive = each.flag("cterecursive")
            rows: Rows = "many" if recursive else _Level(each.need("ctequery"), keys, self._with).rows()
            self._with[each.text("ctename") or ""] = rows
        self._tables = query.nodes("rtable")
        self._pinned: set[int] = set()

    def rows(self) -> Rows:
        """Return how many rows it gives."""
        query = self._query
        if query.flag("hasTargetSRFs") or query.node("setOperations") is not None:
            return "many"
        found = self._inserted() if query.number("commandType") == _INSERT else self._read()
        return self._limited(found)

    def _read(self) -> Rows:
        query = self._query
        if query.number("commandType") not in _READING:
            return "many"
        source = query.need("jointree")
        filtered = source.node("quals") is not None
        if query.number("commandType") == _SELECT and query.flag("hasAggs") and not _has_groups(query):
            return "optional" if query.node("havingQual") is not None else "one"
        if not source.nodes("fromlist"):
            return "optional" if filtered or query.node("havingQual") is not None else "one"
        if self._is_one_value(source.nodes("fromlist")) and not filtered and not _has_groups(query):
            return "one"
        return "optional" if self._are_pinned(source.nodes("fromlist"), _parts(source.node("quals"))) else "many"

    def _inserted(self) -> Rows:
        query = self._query
        table = self._tables[query.number("resultRelation") - 1]
        source = query.need("jointree").nodes("fromlist")
        rows: Rows = "one"
        if source:
            rows = "optional" if self._are_pinned(source, []) else "many"
        conflict = query.node("onConflict")
        kept = conflict is None or (conflict.number("action") == _UPDATE and conflict.node("onConflictWhere") is None)
        if rows == "one" and not (kept and self._keys.is_plain(table.number("relid"))):
            return "optional" if self._keys.is_plain(table.number("relid")) else "many"
        return rows

    def _limited(self, found: Rows) -> Rows:
        limit = _bare(self._query.node("limitCount"))
        if found == "one" and (limit is not None or self._query.node("limitOffset") is not None):
            found = "optional"
        if limit is not None and limit.tag == "CONST" and not limit.flag("constisnull"):
            return "optional" if int.from_bytes(limit.octets("constvalue"), "little", signed=True) <= 1 else found
        return found

    def _is_one_value(self, items: list[Node]) -> bool:
        if len(items) != 1 or items[0].tag != "RANGETBLREF":
            return False
        table = self._tables[items[0].number("rtindex") - 1]
        rows = table.fields.get("values_lists")
        return table.number("rtekind") == _VALUES and isinstance(rows, list) and len(rows) == 1

    def _are_pinned(self, items: list[Node], conditions: list[Node]) -> bool:
        """Return whether each item of FROM is pinned, in whatever order one pins the next."""
        waiting = items
        while waiting:
            left = [item for item in waiting if not self._is_pinned(item, conditions)]
            if len(left) == len(waiting):
                return False
            waiting = left
        return True

    def _is_pinned(self, item: Node, conditions: list[Node]) -> bool:
        if item.tag == "RANGETBLREF":
            index = item.number("rtindex")
            pinned = index in self._pinned or self._is_table_pinned(index, conditions)
            self._pinned |= {index} if pinned else set()
            return pinned
        if item.tag != "JOINEXPR":
            return False
        left, right = item.need("larg"), item.need("rarg")
        own = _parts(item.node("quals"))
        kind = item.number("jointype")
        if kind == _INNER:
            return self._are_pinned([left, right], conditions + own)
        if kind == _RIGHT:
            left, right = right, left
        # What ON says of the side that is kept drops no row of it.
        return (
            kind in {_LEFT, _RIGHT} and self._is_pinned(left, conditions) and self._is_pinned(right, conditions + own)
        )

    def _is_table_pinned(self, index: int, conditions: list[Node]) -> bool:
        table = self._tables[index - 1]
        kind = table.number("rtekind")
        if kind == _SUBQUERY:
            return not table.flag("lateral") and self._nested(table.need("subquery")) != "many"
        if kind == _CTE:
            return table.number("ctelevelsup") == 0 and self._with.get(table.text("ctename") or "", "many") != "many"
        if kind == _VALUES:
            rows = table.fields.get("values_lists")
            return isinstance(rows, list) and len(rows) == 1
        if kind != _RELATION:
            return kind == _RESULT
        return any(self._are_given(index, key, conditions) for key in self._keys.of(table.number("relid")))

    def _nested(self, query: Node) -> Rows:
        return _Level(query, self._keys, self._with).rows()

    def _are_given(self, index: int, key: dict[int, frozenset[int]], conditions: list[Node]) -> bool:
        """Return whether every column of a key is equal to a value that is the same for all rows of the table."""
        given = {
            column
            for condition in conditions
            if condition.tag == "OPEXPR" and len(condition.nodes("args")) == 2
            for column, operators in key.items()
            if condition.number("opno") in operators and self._gives(condition.nodes("args"), index, column)
        }
        return given == set(key)

    def _gives(self, sides: list[Node], index: int, column: int) -> bool:
        return any(_is_column(one, index, column) and self._is_fixed(other) for one, other in (sides, reversed(sides)))

    def _is_fixed(self, node: Node) -> bool:
        """Return whether an expression has one value for all rows of what is not pinned yet."""
        while node.tag == "RELABELTYPE":
            node = node.need("arg")
        if node.tag in _VALUES_OF_OUTSIDE:
            return True
        if node.tag == "VAR":
            return node.number("varlevelsup") == 0 and node.number("varno") in self._pinned
        # A sub-query that looks at nothing outside is run once, whatever it computes.
        return node.tag == "SUBLINK" and node.number("subLinkType") == _EXPRESSION and not _looks_outside(node, 0)


def _bare(node: Node | None) -> Node | None:
    """Return a number without the cast to bigint that LIMIT puts around it."""
    while node is not None and node.tag == "FUNCEXPR" and node.number("funcid") in _TO_BIGINT:
        node = node.nodes("args")[0]
    return node


def _has_groups(query: Node) -> bool:
    return bool(query.nodes("groupClause") or query.nodes("groupingSets"))


def _parts(condition: Node | None) -> list[Node]:
    """Return what is joined by AND."""
    if condition is None:
        return []
    if condition.tag == "BOOLEXPR" and condition.text("boolop") == _AND:
        return [part for each in condition.nodes("args") for part in _parts(each)]
    return [condition]


def _is_column(node: Node, index: int, column: int) -> bool:
    while node.tag == "RELABELTYPE":
        node = node.need("arg")
    return (
        node.tag == "VAR"
        and node.number("varlevelsup") == 0
        and node.number("varno") == index
        and node.number("varattno") == column
    )


def _looks_outside(node: Node, depth: int) -> bool:
    """Return whether a tree has a column of a query further out than `depth` levels within it."""
    if node.tag == "VAR":
        return node.number("varlevelsup") >= depth
    inner = depth + 1 if node.tag == "QUERY" else depth
    return any(_looks_outside(child, inner) for value in node.fields.values() for child in _nodes(value))


def _nodes(value: Value) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)
