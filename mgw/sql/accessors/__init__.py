"""A typed Python module from the descriptions: a function for each query, `T | None` exactly where NULL can come."""

from mgw.sql.accessors.module import (
    PREAMBLE,
    TYPES,
    Block,
    inputs,
    module_source,
    query_block,
    read_module,
    types_block,
)

__all__ = [
    "PREAMBLE",
    "TYPES",
    "Block",
    "inputs",
    "module_source",
    "query_block",
    "read_module",
    "types_block",
]
