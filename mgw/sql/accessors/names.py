"""What functions, rows, their fields and arguments are called: PostgreSQL's names, where Python lets them be."""

from __future__ import annotations

import hashlib
import keyword
import re
from typing import TYPE_CHECKING

from mgw.sql.source.folder import function_name

if TYPE_CHECKING:
    from collections.abc import Iterable

# Names that the generated module uses itself.
_OF_THE_MODULE = {"bool", "bytes", "dict", "dt", "float", "int", "list", "memoryview", "object", "str", "tuple"}
_OF_A_TUPLE = {"count", "index"}
_OF_A_FUNCTION = {"connection", "copy", "cursor"}
_CLASSES_OF_THE_MODULE = {
    "Any", "AbstractAsyncContextManager", "AbstractContextManager", "AsyncConnection", "AsyncCopy", "AsyncIterator",
    "Callable", "Cidr", "Connection", "Copy", "DateMultirange", "DateRange", "Decimal", "False", "Final", "Inet",
    "Int4Multirange", "Int4Range", "Int8Multirange", "Int8Range", "Iterator", "Json", "Jsonb", "Literal", "Multirange",
    "NamedTuple", "None", "NumericMultirange", "NumericRange", "Range", "Sequence", "TimestampMultirange",
    "TimestampRange", "TimestamptzMultirange", "TimestamptzRange", "True", "TypeAlias", "TypeVar", "WeakSet",
}  # fmt: skip
_NOT_IN_NAMES = re.compile(r"\W")
# Names of types that become another name each, by their capitals alone.
_PLAIN = re.compile(r"[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*")


def accessor(query: str) -> str:
    """Return the name of the function of a query.

    >>> accessor("graph/genre_similar"), accessor("import"), accessor("list")
    ('graph_genre_similar', 'import_', 'list_')
    """
    return _freed(function_name(query), _OF_THE_MODULE)


def row(query: str) -> str:
    """Return the name of the class of a query's rows.

    >>> row("graph/genre_similar")
    'GraphGenreSimilarRow'
    """
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"(?<=_)_|[_/-]", query)) + "Row"


def of_type(name: str) -> str:
    """Return the name of the alias or class of a type: another one for each type.

    >>> of_type("mood"), of_type("app.day_of_week"), of_type("range"), of_type("film_row")
    ('Mood', 'App_DayOfWeek', 'Range_', 'FilmRow_')
    >>> of_type('"Day of week"')
    'DayOfWeek_dacb94'
    """
    parts = name.split(".")
    if all(_PLAIN.fullmatch(part) for part in parts):
        found = "_".join(_capitals(part.split("_")) for part in parts)
        return f"{found}_" if found in _CLASSES_OF_THE_MODULE or found.endswith("Row") else found
    words = _NOT_IN_NAMES.sub(" ", name.replace("_", " ")).split()
    found = _capitals(words)
    return f"{found if found.isidentifier() else 'Type'}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"


def _capitals(words: Iterable[str]) -> str:
    return "".join(word[:1].upper() + word[1:] for word in words)


def field(column: str) -> str:
    """Return the name of the field of a column.

    >>> field("title"), field("count"), field("class"), field("_x"), field("2 words")
    ('title', 'count_', 'class_', 'x_', 'c_2_words')
    """
    return _freed(_identifier(column), _OF_THE_MODULE | _OF_A_TUPLE)


def argument(parameter: str) -> str:
    """Return the name of the argument of a parameter.

    >>> argument("user_id"), argument("from"), argument("connection")
    ('user_id', 'from_', 'connection_')
    """
    return _freed(parameter, _OF_A_FUNCTION)


def _identifier(name: str) -> str:
    name = _NOT_IN_NAMES.sub("_", name)
    if name.startswith("_"):
        name = f"{name.lstrip('_')}_"
    return name if name.isidentifier() else f"c_{name}"


def _freed(name: str, taken: set[str]) -> str:
    return f"{name}_" if keyword.iskeyword(name) or name in taken else name
