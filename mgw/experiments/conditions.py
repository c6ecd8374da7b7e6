"""Targeting rules: conditions on what is known of a user and a request, in the form that GrowthBook publishes.

    {"device_type": "tv", "titles_seen": {"$gte": 20}}              both
    {"$or": [{"mood": "happy"}, {"viewing_with": {"$elemMatch": {"$eq": "children"}}}]}

They are plain JSON, so they are kept with the experiment and can be evaluated by any other of its SDKs. Left out are
the operators on version numbers and on groups that are saved elsewhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

from mgw.core.errors import ExperimentInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Condition: TypeAlias = "Mapping[str, Any]"

_LOGICAL = {"$and", "$or", "$nor", "$not"}
_TYPES = {"string": str, "boolean": bool, "array": list, "object": dict}


def holds(condition: Condition, attributes: Mapping[str, Any]) -> bool:
    """Say whether a condition holds; an empty one always does.

    Args:
        condition: as `check_condition` let it pass.
        attributes: by name; a dot in a name of the condition goes one level down.
    """
    return all(_holds(key, wanted, attributes) for key, wanted in condition.items())


def check_condition(condition: Condition, where: str = "targeting") -> None:
    """Refuse a condition that can never be evaluated.

    Args:
        condition: as somebody wrote it.
        where: what it is called in the message.

    Raises:
        ExperimentInvalid: an operator is unknown, or does not take what it was given.
    """
    for key, wanted in condition.items():
        place = f"{where}.{key}"
        if key in _LOGICAL:
            parts = [wanted] if key == "$not" else wanted
            if not isinstance(parts, list) or not all(isinstance(each, dict) for each in parts):
                raise ExperimentInvalid(f"{place}: takes {'a condition' if key == '$not' else 'a list of conditions'}")
            for part in parts:
                check_condition(part, place)
        elif key.startswith("$"):
            raise ExperimentInvalid(f"{place}: there is no such operator", hint=f"one of {', '.join(sorted(_LOGICAL))}")
        elif _is_operators(wanted):
            _check_operators(wanted, place)


def names_of(condition: Condition) -> set[str]:
    """Return the attributes that a condition asks for."""
    found: set[str] = set()
    for key, wanted in condition.items():
        if key in _LOGICAL:
            for part in [wanted] if key == "$not" else wanted:
                found |= names_of(part)
        else:
            found.add(key)
    return found


def _holds(key: str, wanted: Any, attributes: Mapping[str, Any]) -> bool:  # noqa: ANN401 - any JSON value
    if key == "$and":
        return all(holds(part, attributes) for part in wanted)
    if key == "$or":
        return not wanted or any(holds(part, attributes) for part in wanted)
    if key == "$nor":
        return not any(holds(part, attributes) for part in wanted) or not wanted
    if key == "$not":
        return not holds(wanted, attributes)
    return _fits(wanted, _look_up(attributes, key))


def _look_up(attributes: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    found: Any = attributes
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _is_operators(wanted: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(wanted, dict) and bool(wanted) and all(key.startswith("$") for key in wanted)


def _fits(wanted: Any, value: Any) -> bool:  # noqa: ANN401 - any JSON values
    if _is_operators(wanted):
        return all(_OPERATORS[name](value, operand) for name, operand in wanted.items())
    return _equal(value, wanted)


def _equal(value: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON values
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _ordered(value: Any, wanted: Any, by: Callable[[Any, Any], bool]) -> bool:  # noqa: ANN401 - any JSON values
    """Compare as JavaScript does: texts with texts, all else as numbers, nothing as 0."""
    if isinstance(value, str) and isinstance(wanted, str):
        return by(value, wanted)
    try:
        return by(float(value if value is not None else 0), float(wanted))
    except (TypeError, ValueError):
        return False


def _is_in(value: Any, wanted: list[Any], fold: Callable[[Any], Any]) -> bool:  # noqa: ANN401 - any JSON value
    among = [fold(each) for each in wanted]
    given = value if isinstance(value, list) else [value]
    return any(_equal(fold(each), one) for each in given for one in among)


def _has_all(value: Any, wanted: list[Any], fold: Callable[[Any], Any]) -> bool:  # noqa: ANN401 - any JSON value
    def found(each: Any) -> bool:  # noqa: ANN401 - any JSON value
        return any(_fits(each, one) if _is_operators(each) else _equal(fold(one), fold(each)) for one in value)

    return isinstance(value, list) and all(found(each) for each in wanted)


def _same(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value


def _lower(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return value.lower() if isinstance(value, str) else value


def _type_of(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is None:
        return "null"
    return next((name for name, kind in _TYPES.items() if isinstance(value, kind)), "number")


def _matches(value: Any, pattern: str, flags: int = 0) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(value, str) and re.search(pattern, value, flags) is not None


def _some_element(value: Any, wanted: Any) -> bool:  # noqa: ANN401 - any JSON values
    if not isinstance(value, list):
        return False
    if _is_operators(wanted):
        return any(_fits(wanted, each) for each in value)
    return any(isinstance(each, dict) and holds(wanted, each) for each in value)


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda value, wanted: not _equal(value, wanted),
    "$lt": lambda value, wanted: _ordered(value, wanted, lambda a, b: a < b),
    "$lte": lambda value, wanted: _ordered(value, wanted, lambda a, b: a <= b),
    "$gt": lambda value, wanted: _ordered(value, wanted, lambda a, b: a > b),
    "$gte": lambda value, wanted: _ordered(value, wanted, lambda a, b: a >= b),
    "$exists": lambda value, wanted: (value is not None) == bool(wanted),
    "$in": lambda value, wanted: _is_in(value, wanted, _same),
    "$nin": lambda value, wanted: not _is_in(value, wanted, _same),
    "$ini": lambda value, wanted: _is_in(value, wanted, _lower),
    "$nini": lambda value, wanted: not _is_in(value, wanted, _lower),
    "$all": lambda value, wanted: _has_all(value, wanted, _same),
    "$alli": lambda value, wanted: _has_all(value, wanted, _lower),
    "$size": lambda value, wanted: isinstance(value, list) and _fits(wanted, len(value)),
    "$elemMatch": _some_element,
    "$type": lambda value, wanted: _type_of(value) == wanted,
    "$regex": _matches,
    "$regexi": lambda value, wanted: _matches(value, wanted, re.IGNORECASE),
    "$not": lambda value, wanted: not _fits(wanted, value),
}
_LISTS = {"$in", "$nin", "$ini", "$nini", "$all", "$alli"}


def _check_operators(wanted: Mapping[str, Any], where: str) -> None:
    for name, operand in wanted.items():
        place = f"{where}.{name}"
        if name not in _OPERATORS:
            known = ", ".join(sorted(_OPERATORS))
            raise ExperimentInvalid(f"{place}: there is no such operator", hint=f"one of {known}")
        if name in _LISTS and not isinstance(operand, list):
            raise ExperimentInvalid(f"{place}: takes a list")
        if name in {"$regex", "$regexi"}:
            _check_pattern(operand, place)
        if name in {"$not", "$size", "$elemMatch"} and _is_operators(operand):
            _check_operators(operand, place)
        elif name == "$elemMatch":
            if not isinstance(operand, dict):
                raise ExperimentInvalid(f"{place}: takes a condition")
            check_condition(operand, place)


def _check_pattern(operand: Any, where: str) -> None:  # noqa: ANN401 - any JSON value
    try:
        re.compile(operand)
    except (re.error, TypeError) as error:
        raise ExperimentInvalid(f"{where}: {operand!r} is no regular expression: {error}") from error
