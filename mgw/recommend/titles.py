"""What is shown of titles, and which titles are meant by an id that does not exist."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeAlias

from mgw.core.database import queries
from mgw.core.errors import ContentUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

SUGGESTIONS = 5


Title: TypeAlias = queries.CatalogueByIdsRow
"""What is shown of a title."""


def read_titles(connection: Connection[TupleRow], content_ids: Sequence[str]) -> dict[str, Title]:
    """Read the titles with the caller's ids `content_ids`; those that there are not are left out."""
    return {row.external_id: row for row in queries.catalogue_by_ids(connection, content_ids=list(content_ids))}


def nearest_titles(connection: Connection[TupleRow], content_id: str) -> ContentUnknown:
    """Make the error for an id that does not exist, with the titles whose id or name comes nearest."""
    names: list[tuple[str, str]] = list(queries.catalogue_names(connection))
    wanted = content_id.casefold()
    by_text = {text.casefold(): (identifier, title) for identifier, title in names for text in (title, identifier)}
    containing = [by_text[text] for text in sorted(by_text, key=len) if len(wanted) > 2 and wanted in text]
    close = [by_text[text] for text in difflib.get_close_matches(wanted, by_text, n=SUGGESTIONS, cutoff=0.5)]
    found = list(dict.fromkeys([*close, *containing]))[:SUGGESTIONS]
    listed = ", ".join(f"{identifier} ({title})" for identifier, title in found)
    return ContentUnknown(
        f"there is no content {content_id!r}",
        hint=f"the nearest: {listed}"
        if found
        else "`mgw db shell -- -c 'SELECT external_id, title FROM content'` lists all",
    )
