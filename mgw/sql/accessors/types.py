"""PostgreSQL's types as the Python types that psycopg loads and dumps when nothing was registered on the connection.

What psycopg does not know arrives as its text: composite types, ranges of one's own, arrays of enums. The annotation
says so, because an annotation that says more would be wrong at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mgw.sql.description import Type

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
    if kind is None or kind.of is None:
        return enum_alias(name) if kind is not None and kind.kind == "enum" else _SCALARS.get(name, "str")
    if kind.kind == "domain":
        return loaded(kind.of, types, elements_nullable=elements_nullable)
    if kind.kind == "array" and (kind.of not in types or kind.of in _RANGES):
        element = loaded(kind.of, types)
        return f"list[{element}]" if not elements_nullable or element == "Any" else f"list[{element} | None]"
    return "str"


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


def enum_alias(name: str) -> str:
    """Return the name of the alias of an enum.

    >>> enum_alias('mood'), enum_alias('app."Day of week"')
    ('Mood', 'AppDayOfWeek')
    """
    words = "".join(letter if letter.isalnum() else " " for letter in name).split()
    return "".join(word[:1].upper() + word[1:] for word in words) or "Enum"
