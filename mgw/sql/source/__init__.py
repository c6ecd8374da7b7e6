"""The queries of a project, read from `queries/**/*.sql`: one statement per file, its name is its path."""

from mgw.sql.source.folder import PREPARED, SourceFile, function_name, read_file, read_folder
from mgw.sql.source.header import Header, Override, Returns
from mgw.sql.source.query import Query, parse, python_name

__all__ = [
    "PREPARED",
    "Header",
    "Override",
    "Query",
    "Returns",
    "SourceFile",
    "function_name",
    "parse",
    "python_name",
    "read_file",
    "read_folder",
]
