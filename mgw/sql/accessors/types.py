"""PostgreSQL's types as the Python types that psycopg loads and dumps.

Of a schema's own types psycopg has to be told on each connection; until then they arrive as their text. The module
does so where a query needs it (`registration`), and an annotation says what comes then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.accessors import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mgw.sql.description import Description, Type

_SCALARS = {
    "boolean": "bool",
    "smallint": "int",
    "integer": "int",
    "bigint": "int",
    "oid": "int",
    "real": "float",
    "double precision": "float",
    "numeric": "Decimal",
    "text": "str",
    "character varying": "str",
    "character": "str",
    "bpchar": "str",
    "name": "str",
    '"char"': "str",
    "bytea": "bytes",
    "uuid": "UUID",
    "date": "dt.date",
    "time without time zone": "dt.time",
    "time with time zone": "dt.time",
    "timestamp without time zone": "dt.datetime",
    "timestamp with time zone": "dt.datetime",
    "interval": "dt.timedelta",
    "json": "Any",
    "jsonb": "Any",
    "inet": "Inet",
    "cidr": "Cidr",
    "record": "tuple[Any, ...]",
}
_RANGES = {
    "int4range": ("Range[int]", "Int4Range"),
    "int8range": ("Range[int]", "Int8Range"),
    "numrange": ("Range[Decimal]", "NumericRange"),
    "daterange": ("Range[dt.date]", "DateRange"),
    "tsrange": ("Range[dt.datetime]", "TimestampRange"),
    "tstzrange": ("Range[dt.datetime]", "TimestamptzRange"),
    "int4multirange": ("Multirange[int]", "Int4Multirange"),
    "int8multirange": ("Multirange[int]", "Int8Multirange"),
    "nummultirange": ("Multirange[Decimal]", "NumericMultirange"),
    "datemultirange": ("Multirange[dt.date]", "DateMultirange"),
    "tsmultirange": ("Multirange[dt.datetime]", "TimestampMultirange"),
    "tstzmultirange": ("Multirange[dt.datetime]", "TimestamptzMultirange"),
}
_OVER = {"range": "Range", "multirange": "Multirange"}
# What a parameter takes besides or instead of what a result gives: psycopg dumps no bare dictionary, and a plain range
# by its bounds, which may be those of a narrower type.
_GIVEN = {
    "numeric": "Decimal | int",
    "json": "Json | Jsonb",
    "jsonb": "Json | Jsonb",
    "inet": "Inet | str",
    "cidr": "Cidr | str",
}


def loaded(name: str, types: Mapping[str, Type], *, elements_nullable: bool = True) -> str:
    """Return the annotation of a value that PostgreSQL sends.

    Args:
        name: of its type.
        types: those types of the query that are more than a name.
        elements_nullable: whether an element of an array may be NULL.
    """
    kind = types.get(name)
    if name in _RANGES:
        return _RANGES[name][0]
    if kind is not None and kind.kind in {"enum", "composite"}:
        return names.of_type(name)
    if kind is None or kind.of is None:
        return _SCALARS.get(name, "str")
    if kind.kind == "array":
        element = loaded(kind.of, types)
        return f"list[{element} | None]" if elements_nullable and element != "Any" else f"list[{element}]"
    if kind.kind in _OVER:
        return f"{_OVER[kind.kind]}[{loaded(kind.of, types)}]"
    return loaded(kind.of, types, elements_nullable=elements_nullable)


def given(name: str, types: Mapping[str, Type]) -> str:
    """Return the annotation of a value that is sent to PostgreSQL, which is cast to its type there."""
    if name in _RANGES:
        return _RANGES[name][1]
    if name in _GIVEN:
        return _GIVEN[name]
    kind = types.get(name)
    if kind is not None and kind.kind == "domain" and kind.of is not None:
        return given(kind.of, types)
    if kind is not None and kind.kind == "array" and kind.of is not None:
        return f"list[{given(kind.of, types)}]"
    return loaded(name, types)


def registered(description: Description) -> tuple[str, ...]:
    """Return the types of a query's values that psycopg has to be told of, each behind those that it is made of."""
    found: dict[str, None] = {}
    values = [each.type for each in description.parameters] + [each.type for each in description.columns]
    for name in values:
        _register(name, description.types, found, within=False)
    return tuple(found)


def _register(name: str, types: Mapping[str, Type], found: dict[str, None], *, within: bool) -> None:
    """Add a type and what it is made of.

    Args:
        name: of the type.
        types: those types of the query that are more than a name.
        found: where to.
        within: whether it is part of another. By itself a value of a domain comes as one of its base, and whatever
            psycopg does not know as its text, which is right for an enum.
    """
    kind = types.get(name)
    if name in found or name in _RANGES or (kind is None and (not within or name in _SCALARS)):
        return
    if kind is not None:
        parts = [part for _, part in kind.fields] + ([kind.of] if kind.of is not None else [])
        for part in parts:
            _register(part, types, found, within=within or kind.kind != "domain")
        if kind.kind == "array" or (kind.kind in {"domain", "enum"} and not within):
            return
    found[name] = None
