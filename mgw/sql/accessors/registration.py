"""The piece of the module that is the schema's own types, and how a connection gets to know them.

Enums are aliases of their labels, composite types are named tuples. Numbers of types differ from database to database,
so psycopg looks them up by name, once for each connection.
"""

from __future__ import annotations

import json
from operator import attrgetter
from typing import TYPE_CHECKING

from mgw.sql.accessors import names
from mgw.sql.accessors.types import loaded, registered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mgw.sql.description import Description, Kind, Type

NAME = "_know_types"  # what a function calls that needs them
_INFOS: dict[Kind, str] = {"composite": "CompositeInfo", "range": "RangeInfo", "multirange": "MultirangeInfo"}

_MACHINERY = '''

def _types() -> Sequence[tuple[str, type[TypeInfo], Any]]:
    from psycopg.types import TypeInfo
    from psycopg.types.composite import CompositeInfo
    from psycopg.types.multirange import MultirangeInfo
    from psycopg.types.range import RangeInfo

    return (
{types}
    )


def _register(connection: Connection[Any] | AsyncConnection[Any], infos: Sequence[Any]) -> None:
    from psycopg.pq import Format
    from psycopg.types.composite import CompositeInfo, register_composite
    from psycopg.types.multirange import MultirangeInfo, register_multirange
    from psycopg.types.range import RangeInfo, register_range

    for (_, _, made_of), info in zip(_types(), infos):
        if isinstance(info, CompositeInfo):
            register_composite(info, connection, made_of)
        elif isinstance(info, RangeInfo):
            register_range(info, connection)
        elif isinstance(info, MultirangeInfo):
            register_multirange(info, connection)
        elif info is not None:
            info.register(connection)
            for format in (Format.TEXT, Format.BINARY) if made_of else ():
                loader = connection.adapters.get_loader(connection.adapters.types.get_oid(made_of), format)
                if loader is not None:
                    connection.adapters.register_loader(info.oid, loader)
    _KNOWING.add(connection)


_KNOWING: Final[WeakSet[Any]] = WeakSet()


def register_types(connection: Connection[Any], /) -> None:
    """Have a connection load and dump the types above. Functions that need it do so once for each connection."""
    _register(connection, [info.fetch(connection, name) for name, info, _ in _types()])


async def register_types_async(connection: AsyncConnection[Any], /) -> None:
    """Have a connection load and dump the types above. Functions that need it do so once for each connection."""
    _register(connection, [await info.fetch(connection, name) for name, info, _ in _types()])


def _know_types(connection: Connection[Any]) -> None:
    if connection not in _KNOWING:
        register_types(connection)


async def _know_types_async(connection: AsyncConnection[Any]) -> None:
    if connection not in _KNOWING:
        await register_types_async(connection)
'''


def source(descriptions: Iterable[Description]) -> str:
    """Return the piece of the module that is the types of some queries."""
    types: dict[str, Type] = {}
    known: dict[str, None] = {}
    for description in sorted(descriptions, key=attrgetter("name")):
        types |= description.types
        known |= dict.fromkeys(registered(description))
    enums = "".join(_alias(name, each) for name, each in sorted(types.items()) if each.kind == "enum" and each.labels)
    rows = ["\n\n" + _class(name, types) for name in sorted(known) if name in types and types[name].kind == "composite"]
    if not known:
        return enums or "# There are none.\n"
    lines = "\n".join(f"        {_entry(name, types.get(name))}," for name in known)
    return "".join(["from weakref import WeakSet\n\n", enums, *rows, _MACHINERY.replace("{types}", lines)])


def _alias(name: str, enum: Type) -> str:
    labels = ", ".join(json.dumps(label, ensure_ascii=False) for label in enum.labels)
    return f"{names.of_type(name)}: TypeAlias = Literal[{labels}]\n"


def _class(name: str, types: Mapping[str, Type]) -> str:
    lines = [
        f"class {names.of_type(name)}(NamedTuple):",
        f'    """A value of the type {json.dumps(name)[1:-1]}."""',
        "",
    ]
    for field, type_name in types[name].fields:
        annotation = loaded(type_name, types)
        lines.append(f"    {names.field(field)}: {annotation}{'' if annotation == 'Any' else ' | None'}")
    return "\n".join(lines) + "\n"


def _entry(name: str, kind: Type | None) -> str:
    """Return a line of the table: the name, how it is looked up, and what it is made of where psycopg cannot know."""
    made_of = "None"
    if kind is not None and kind.kind == "composite":
        made_of = names.of_type(name)
    elif kind is not None and kind.kind == "domain":
        made_of = json.dumps(kind.of, ensure_ascii=False)
    info = _INFOS.get(kind.kind, "TypeInfo") if kind is not None else "TypeInfo"
    return f"({json.dumps(name, ensure_ascii=False)}, {info}, {made_of})"
