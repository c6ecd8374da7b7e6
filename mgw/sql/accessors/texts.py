"""Texts as they stand in a Python source: whatever a query or its header holds, it stays inside the quotes."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from mgw.core.database.statements import tokens

if TYPE_CHECKING:
    from mgw.sql.description import Description

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


def executable(statement: str, description: Description) -> str:
    """Return a statement as psycopg takes it, each parameter cast to the type that it was described with.

    psycopg sends an integer as the smallest type that holds it, and so could get another operator, another function and
    another type of the result than what was proved.
    """
    types = {parameter.name: parameter.type for parameter in description.parameters}
    pieces = tokens(statement)
    if not types:
        return statement
    return "".join(
        _placeholder(text[1:], types[text[1:]] if description.takes_casts else None)
        if kind == "parameter"
        else text.replace("%", "%%")
        for kind, text, _ in pieces
    )


def _placeholder(name: str, type_name: str | None) -> str:
    return f"%({name})s" if type_name is None else f"(%({name})s::{type_name.replace('%', '%%')})"
