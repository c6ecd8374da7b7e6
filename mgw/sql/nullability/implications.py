"""What a condition says about NULL: from "this is true" to "so these are not NULL".

A strict function gives NULL for NULL, so where `a + b > 3` is true neither `a` nor `b` is NULL. AND joins what its
parts say; OR leaves what all of them say. A set of keys is the answer; None stands for a condition that is never met,
of which everything is true.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from mgw.sql.nullability.constants import is_filled_array, is_null_constant
from mgw.sql.nullability.keys import key, variable
from mgw.sql.nullability.tree import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from mgw.sql.nullability.catalogue import Catalogue
    from mgw.sql.nullability.tree import Value

Facts = frozenset["Hashable"]
_NOTHING: Facts = frozenset()

_IS_NULL, _IS_NOT_NULL = 0, 1
_IS_TRUE, _IS_NOT_TRUE, _IS_FALSE, _IS_NOT_FALSE, _IS_UNKNOWN, _IS_NOT_UNKNOWN = range(6)
_ANY_SUBLINK = 2
# They give NULL for NULL and, but for the second argument of NULLIF, for nothing else.
_PASSING = frozenset(
    {
        "RELABELTYPE",
        "COERCEVIAIO",
        "ARRAYCOERCEEXPR",
        "CONVERTROWTYPEEXPR",
        "COLLATEEXPR",
        "COERCETODOMAIN",
        "FIELDSELECT",
        "NAMEDARGEXPR",
    }
)
_FUNCTION_FIELDS = {"FUNCEXPR": "funcid", "OPEXPR": "opfuncid"}


class Implications:
    """Draws conclusions from conditions; it asks the catalogue which functions are strict."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._true: dict[str, Callable[[Node], Facts | None]] = {
            "BOOLEXPR": self._boolean_is_true,
            "NULLTEST": self._null_test_is_true,
            "BOOLEANTEST": self._boolean_test_is_true,
            "SCALARARRAYOPEXPR": self._array_is_true,
            "SUBLINK": self._sub_query_is_true,
            "CONST": lambda node: None if _is_not_true(node) else _NOTHING,
            "COALESCEEXPR": lambda node: _either(self.when_true(arg) for arg in node.nodes("args")),
        }
        self._false: dict[str, Callable[[Node], Facts | None]] = {
            "BOOLEXPR": self._boolean_is_false,
            "NULLTEST": self._null_test_is_false,
            "BOOLEANTEST": lambda _: _NOTHING,
            "DISTINCTEXPR": self._distinct_is_false,
            "COALESCEEXPR": lambda node: _either(self.when_false(arg) for arg in node.nodes("args")),
        }

    def when_true(self, node: Node) -> Facts | None:
        """Return what is not NULL where a condition is true."""
        rule = self._true.get(node.tag)
        return self.when_not_null(node) if rule is None else rule(node)

    def when_false(self, node: Node) -> Facts | None:
        """Return what is not NULL where a condition is false."""
        rule = self._false.get(node.tag)
        return self.when_not_null(node) if rule is None else rule(node)

    def when_not_true(self, node: Node) -> Facts | None:
        """Return what is not NULL where a condition is false or NULL."""
        if node.tag == "NULLTEST":  # never NULL itself
            return self.when_false(node)
        if node.tag == "BOOLEXPR":
            return _by_operator(node, {"or": (_both, self.when_not_true), "and": (_either, self.when_not_true),
                                       "not": (_both, self.when_not_false)})  # fmt: skip
        return _NOTHING

    def when_not_false(self, node: Node) -> Facts | None:
        """Return what is not NULL where a condition is true or NULL, as a CHECK constraint has it."""
        if node.tag == "NULLTEST":
            return self.when_true(node)
        if node.tag == "BOOLEXPR":
            return _by_operator(node, {"and": (_both, self.when_not_false), "or": (_either, self.when_not_false),
                                       "not": (_both, self.when_not_true)})  # fmt: skip
        return _NOTHING

    def when_not_null(self, node: Node) -> Facts:
        """Return what is not NULL where an expression is not."""
        found: set[Hashable] = set()
        todo = [node]
        while todo:
            part = todo.pop()
            name = key(part, self._catalogue)
            if name is not None:
                found.add(name)
            todo.extend(self._needed(part))
        return frozenset(found)

    def _needed(self, node: Node) -> list[Node]:
        """Return the parts which, being NULL, make an expression NULL."""
        if node.tag in _PASSING:
            return [node.need("arg")]
        if node.tag == "NULLIFEXPR":
            return node.nodes("args")[:1]
        if node.tag in _FUNCTION_FIELDS:
            return node.nodes("args") if self._is_strict(node, _FUNCTION_FIELDS[node.tag]) else []
        if node.tag == "SCALARARRAYOPEXPR":
            array = node.nodes("args")[1]
            return node.nodes("args")[:1] if self._is_strict(node, "opfuncid") and is_filled_array(array) else []
        if node.tag == "SUBSCRIPTINGREF" and node.node("refassgnexpr") is None:
            return [node.need("refexpr")]
        return []

    def _is_strict(self, node: Node, field: str) -> bool:
        facts = self._catalogue.function(node.number(field))
        return facts is not None and facts.strict and not (node.flag("funcretset") or node.flag("opretset"))

    def _boolean_is_true(self, node: Node) -> Facts | None:
        return _by_operator(node, {"and": (_both, self.when_true), "or": (_either, self.when_true),
                                   "not": (_both, self.when_false)})  # fmt: skip

    def _boolean_is_false(self, node: Node) -> Facts | None:
        return _by_operator(node, {"and": (_either, self.when_false), "or": (_both, self.when_false),
                                   "not": (_both, self.when_true)})  # fmt: skip

    def _null_test_is_true(self, node: Node) -> Facts:
        if node.number("nulltesttype") != _IS_NOT_NULL:
            return _NOTHING
        arg = node.need("arg")
        if arg.tag == "ROWEXPR":  # true only if no field is NULL
            return _NOTHING.union(*(self.when_not_null(field) for field in arg.nodes("args")))
        return self.when_not_null(arg)

    def _null_test_is_false(self, node: Node) -> Facts:
        arg = node.need("arg")
        if (
            node.number("nulltesttype") != _IS_NULL or arg.tag == "ROWEXPR"
        ):  # of a row: one field is not NULL, but which?
            return _NOTHING
        return self.when_not_null(arg)

    def _boolean_test_is_true(self, node: Node) -> Facts | None:
        arg = node.need("arg")
        rules: dict[int, Callable[[Node], Facts | None]] = {
            _IS_TRUE: self.when_true,
            _IS_FALSE: self.when_false,
            _IS_NOT_TRUE: self.when_not_true,
            _IS_NOT_FALSE: self.when_not_false,
            _IS_NOT_UNKNOWN: self.when_not_null,
        }
        rule = rules.get(node.number("booltesttype"))
        return _NOTHING if rule is None else rule(arg)

    def _array_is_true(self, node: Node) -> Facts:
        if not self._is_strict(node, "opfuncid"):
            return _NOTHING
        value, array = node.nodes("args")
        if node.flag("useOr"):
            return self.when_not_null(value) | self.when_not_null(array)
        return self.when_not_null(value) if is_filled_array(array) else _NOTHING

    def _sub_query_is_true(self, node: Node) -> Facts | None:
        test = node.node("testexpr")
        return self.when_true(test) if node.number("subLinkType") == _ANY_SUBLINK and test is not None else _NOTHING

    def _distinct_is_false(self, node: Node) -> Facts:
        left, right = node.nodes("args")
        found = _NOTHING
        for one, other in ((left, right), (right, left)):
            if one.tag == "CONST" and not is_null_constant(one):
                found |= self.when_not_null(other)
        return found


def checked_columns(constraint: Value) -> set[int]:
    """Return the columns that a CHECK constraint, as `conbin` has it, keeps NULL out of."""
    return _checked(constraint) if isinstance(constraint, Node) else set()


def _checked(node: Node) -> set[int]:
    # A CHECK lets NULL pass, so that only tests which are never NULL themselves say something.
    if node.tag == "NULLTEST" and node.number("nulltesttype") == _IS_NOT_NULL:
        arg = node.need("arg")
        return {variable(arg).column} if arg.tag == "VAR" and not node.flag("argisrow") else set()
    if node.tag == "BOOLEXPR" and node.text("boolop") in {"and", "or"}:
        parts = [_checked(arg) for arg in node.nodes("args")]
        return set.union(*parts) if node.text("boolop") == "and" else set.intersection(*parts)
    return set()


def _is_not_true(node: Node) -> bool:
    return is_null_constant(node) or (node.number("consttype") == 16 and not any(node.octets("constvalue")))


def _both(parts: Iterable[Facts | None]) -> Facts | None:
    """Return what holds where all conditions are met: never, if one of them never is."""
    known = list(parts)
    if any(part is None for part in known):
        return None
    return _NOTHING.union(*(part for part in known if part is not None))


def _either(parts: Iterable[Facts | None]) -> Facts | None:
    """Return what holds where at least one condition is met: those that never are do not count."""
    known = [part for part in parts if part is not None]
    return reduce(frozenset.intersection, known) if known else None


def _by_operator(
    node: Node,
    rules: dict[str, tuple[Callable[[Iterable[Facts | None]], Facts | None], Callable[[Node], Facts | None]]],
) -> Facts | None:
    combine, rule = rules[node.text("boolop") or ""]
    return combine(rule(arg) for arg in node.nodes("args"))
