"""The piece of the module that is one query: its text, its row, a function and its asynchronous twin.

A query whose header says `pipelined` has a third function. In a pipeline (`with connection.pipeline()`), it sends the
query and does not wait; what it returns fetches the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from mgw.sql.accessors import names, registration
from mgw.sql.accessors.texts import docstring, executable, quoted
from mgw.sql.accessors.types import given, loaded, registered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mgw.sql.description import Description
    from mgw.sql.source import Query

Shape: TypeAlias = Literal["one", "optional", "many", "execute", "copy", "utility", "copy_in"]
_INDENT = "    "
_FETCHED: frozenset[Shape] = frozenset({"one", "optional", "many"})


@dataclass(frozen=True, slots=True)
class _Draft:
    """What the two functions of a query have in common.

    Attributes:
        name: of the query.
        function: name of the synchronous one.
        constant: name of the constant with the text.
        shape: what they return.
        result: annotation of one row, or of its only value.
        factory: the expression that makes rows.
        signature: the arguments behind the connection, a line each.
        arguments: the expression that binds them, or nothing.
        knows_types: whether psycopg has to be told of types first.
        documentation: the docstring.
    """

    name: str
    function: str
    constant: str
    shape: Shape
    result: str
    factory: str
    signature: tuple[str, ...]
    arguments: str
    knows_types: bool
    documentation: str


def source(query: Query, description: Description) -> str:
    """Return the piece of the module that is one query."""
    draft = _draft(query, description)
    parts = [f"{draft.constant}: Final = {quoted(_text(query, description, draft.shape))}"]
    if draft.factory.startswith("_into(") and draft.factory.endswith("._make)"):
        parts.append("\n\n" + _row(draft.result, description))
    parts += ["\n\n" + _function(draft, asynchronous=False), "\n\n" + _function(draft, asynchronous=True)]
    if query.header.pipelined and draft.shape in _FETCHED:
        parts.append("\n\n" + _pipelined(draft))
    return "\n".join(parts) + "\n"


def _draft(query: Query, description: Description) -> _Draft:
    function = names.accessor(query.name)
    shape = _shape(query, description)
    result, factory = _result(query, description, shape)
    pairs = [(names.argument(each.name), each) for each in description.parameters]
    signature = [
        f"{argument}: {given(each.type, description.types)}{' | None' if each.nullable else ''},"
        for argument, each in pairs
    ]
    bound = ", ".join(f'"{each.name}": {argument}' for argument, each in pairs)
    return _Draft(
        name=query.name,
        function=function,
        constant=f"_{function.upper().rstrip('_')}",
        shape=shape,
        result=result,
        factory=factory,
        signature=("*,", *signature) if signature else (),
        arguments=f", {{{bound}}}" if bound else "",
        knows_types=bool(registered(description)) and shape not in {"copy", "copy_in"},
        documentation=docstring(query.header.description or f"Run {query.name}.", _INDENT),
    )


def _shape(query: Query, description: Description) -> Shape:
    if description.returns is not None:
        return description.returns
    return "copy_in" if query.verb == "COPY" else "utility"


def _result(query: Query, description: Description, shape: Shape) -> tuple[str, str]:
    """Return the annotation of a row and the expression of its factory: a single column is its value."""
    if shape in {"execute", "utility", "copy", "copy_in"}:
        return "", ""
    only = description.columns[0]
    # A value that is None, and no row, would be the same: then the row stays a row.
    if len(description.columns) == 1 and not (shape == "optional" and only.nullable):
        return _annotation(description, 0), "_value"
    row = names.row(query.name)
    return row, f"_into({row}._make)"


def _annotation(description: Description, index: int) -> str:
    column = description.columns[index]
    plain = loaded(column.type, description.types, elements_nullable=column.elements_nullable)
    return f"{plain} | None" if column.nullable and plain != "Any" else plain


def _text(query: Query, description: Description, shape: Shape) -> str:
    text = executable(query, description)
    return f"COPY (\n{text}\n) TO STDOUT (FORMAT binary)" if shape == "copy" else text


def _row(row: str, description: Description) -> str:
    lines = [f"class {row}(NamedTuple):", f'{_INDENT}"""A row of `{description.name}`."""', ""]
    for index, column in enumerate(description.columns):
        lines.append(f"{_INDENT}{names.field(column.name)}: {_annotation(description, index)}")
    return "\n".join(lines)


def _function(draft: _Draft, *, asynchronous: bool) -> str:
    prefix, suffix = ("async ", "_async") if asynchronous else ("", "")
    if draft.shape == "copy_in":
        prefix = ""
    connection = "AsyncConnection" if asynchronous else "Connection"
    opening = f"{prefix}def {draft.function}{suffix}("
    arguments = [f"connection: {connection}[Any],", "/,", *draft.signature]
    if draft.signature:
        head = "\n".join([opening, *(_INDENT + line for line in arguments), f") -> {_returned(draft, asynchronous)}:"])
    else:
        head = f"{opening}connection: {connection}[Any], /) -> {_returned(draft, asynchronous)}:"
    return "\n".join([head, draft.documentation, *(_INDENT + line for line in _body(draft, asynchronous=asynchronous))])


def _pipelined(draft: _Draft) -> str:
    arguments = ["connection: Connection[Any],", "/,", *draft.signature]
    opening = "\n".join([f"def {draft.function}_pipelined(", *(_INDENT + line for line in arguments)])
    picked = {
        "one": f'lambda: _one("{draft.name}", cursor.fetchall())',
        "optional": f'lambda: _at_most_one("{draft.name}", cursor.fetchall())',
    }
    body = [
        *([f"{registration.NAME}(connection)"] if draft.knows_types else []),
        f"cursor = connection.cursor(row_factory={draft.factory})",
        f"cursor.execute({draft.constant}{draft.arguments})",
        f"return {picked.get(draft.shape, 'cursor.fetchall')}",
    ]
    returned = f") -> Callable[[], {_returned(draft, False)}]:"
    return "\n".join([opening, returned, draft.documentation, *(_INDENT + line for line in body)])


def _returned(draft: _Draft, asynchronous: bool) -> str:
    plain = {
        "one": draft.result,
        "optional": f"{draft.result} | None",
        "many": f"list[{draft.result}]",
        "execute": "int",
        "utility": "None",
    }
    if draft.shape in plain:
        return plain[draft.shape]
    if draft.shape == "copy":
        return "AsyncIterator[memoryview]" if asynchronous else "Iterator[memoryview]"
    return "AbstractAsyncContextManager[AsyncCopy]" if asynchronous else "AbstractContextManager[Copy]"


def _body(draft: _Draft, *, asynchronous: bool) -> Iterator[str]:
    wait, around = ("await ", "async ") if asynchronous else ("", "")
    if draft.knows_types:
        yield f"{wait}{registration.NAME}{'_async' if asynchronous else ''}(connection)"
    call = f"execute({draft.constant}{draft.arguments})"
    if draft.shape == "utility":
        yield f"{wait}connection.{call}"
    elif draft.shape == "execute":
        yield f"return ({wait}connection.{call}).rowcount" if wait else f"return connection.{call}.rowcount"
    elif draft.shape == "copy_in":
        yield f"return connection.cursor().copy({draft.constant})"
    elif draft.shape == "copy":
        yield f"{around}with connection.cursor() as cursor, cursor.copy({draft.constant}) as copy:"
        yield f"{_INDENT}{around}for block in copy:"
        yield f"{_INDENT * 2}yield memoryview(block)"
    else:
        yield f"{around}with connection.cursor(row_factory={draft.factory}) as cursor:"
        yield f"{_INDENT}{wait}cursor.{call}"
        yield f"{_INDENT}rows: list[{draft.result}] = {wait}cursor.fetchall()"
        picked = {"one": f'_one("{draft.name}", rows)', "optional": f'_at_most_one("{draft.name}", rows)'}
        yield f"return {picked.get(draft.shape, 'rows')}"
