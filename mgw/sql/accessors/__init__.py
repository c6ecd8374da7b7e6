"""A typed Python module from the descriptions: a function for each query, `T | None` exactly where NULL can come."""

from mgw.sql.accessors.module import (
    ENUMS,
    PREAMBLE,
    Block,
    enums_block,
    inputs,
    module_source,
    query_block,
    read_module,
)

__all__ = [
    "ENUMS",
    "PREAMBLE",
    "Block",
    "enums_block",
    "inputs",
    "module_source",
    "query_block",
    "read_module",
]
