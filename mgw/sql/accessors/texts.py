"""Texts as they stand in a Python source: whatever a query or its header holds, it stays inside the quotes."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgw.sql.description import Description
    from mgw.sql.source import Query

_WIDTH = 116


def quoted(text: str) -> str:
    """Return a string in three quotes, whatever it holds."""
    return '"""' + _escaped(text) + '"""'


def docstring(text: str, indent: str) -> str:
    """Return a docstring; several lines have the closing quotes on a line of their own."""
    lines = [_escaped(line) for line in textwrap.dedent(text).splitlines()]
    if len(lines) <= 1:
        return f'{indent}"""{"".join(lines)}"""'
    return "\n".join([f'{indent}"""{lines[0]}', *(f"{indent}{line}".rstrip() for line in lines[1:]), f'{indent}"""'])


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    text = "".join(f"\\x{ord(letter):02x}" if letter < " " and letter not in "\n\t" else letter for letter in text)
    return f'{text[:-1]}\\"' if text.endswith('"') else text


def executable(query: Query, description: Description) -> str:
    """Return a statement as psycopg takes it, each parameter cast to the type that it was described with.

    psycopg sends an integer as the smallest type that holds it, and so could get another operator, another function and
    another type of the result than what was proved.
    """
    if not query.parameters:
        return query.statement
    types = {parameter.name: parameter.type for parameter in description.parameters}
    parts: list[str] = []
    position = query.start
    for _, start, _, end in query.shifts:
        name = query.text[start + 1 : end]
        between = query.text[position:start].replace("%", "%%")
        parts += [between, _placeholder(name, types[name] if description.takes_casts else None)]
        position = end
    return "".join([*parts, query.text[position : query.end].replace("%", "%%")])


def _placeholder(name: str, type_name: str | None) -> str:
    return f"%({name})s" if type_name is None else f"(%({name})s::{type_name.replace('%', '%%')})"
