"""Which migration changed a column: the last that names it beside its table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mgw.core.database.migrations import read_migrations
from mgw.core.errors import MigrationsInvalid
from mgw.core.statements import split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_CHANGES = re.compile(r"\s*(?:ALTER|DROP|CREATE)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")


class Blame:
    """The statements of a folder of migrations that change the schema, the last first."""

    def __init__(self, folder: Path | None) -> None:
        self._statements = list(_statements(folder)) if folder is not None else []

    def sentence(self, columns: Iterable[str]) -> str:
        """Return which columns changed and, where that is known, in which migration.

        Args:
            columns: each as `table.column` or `schema.table.column`.
        """
        parts = []
        for column in columns:
            migration = self.migration(column)
            parts.append(f"{column} was changed last in {migration}" if migration else f"{column} changed")
        return ", ".join(parts)

    def migration(self, column: str) -> str | None:
        """Return the file of the last migration with a statement that names both the table and the column."""
        wanted = {part.strip('"').lower() for part in column.split(".")[-2:]}
        for file, words in self._statements:
            if wanted <= words:
                return file
        return None


def _statements(folder: Path) -> Iterator[tuple[str, frozenset[str]]]:
    try:
        migrations = read_migrations(folder)
    except MigrationsInvalid:
        return  # they are not what the database was made from, then
    for migration in reversed(migrations):
        for _, statement in reversed(list(split(migration.sql))):
            if _CHANGES.match(statement):
                yield migration.file, frozenset(word.lower() for word in _WORD.findall(statement))
