"""The database: where it is, its schema, and the statements that are run on it."""

from mgw.core.database.connection import Database

__all__ = ["Database"]
