"""What functions, rows, their fields and arguments are called: PostgreSQL's names, where Python lets them be."""

from __future__ import annotations

import keyword
import re

from mgw.sql.source.folder import function_name

# Names that the generated module uses itself.
_OF_THE_MODULE = {"bool", "bytes", "dict", "dt", "float", "int", "list", "memoryview", "object", "str", "tuple"}
_OF_A_TUPLE = {"count", "index"}
_OF_A_FUNCTION = {"connection", "copy", "cursor"}
_NOT_IN_NAMES = re.compile(r"\W")


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
