"""Which titles may be recommended: by a list, by an SQL predicate, by when and where they are available."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import psycopg

from mgw.core.database import queries
from mgw.core.errors import PredicateInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from numpy.typing import NDArray
    from psycopg import Connection
    from psycopg.rows import TupleRow

    from mgw.core.settings import RecommendSettings

# What the predicate itself is at fault for: SQLSTATE classes "feature not supported", "cardinality violation", "data
# exception", "invalid transaction state" (something was to be written), "syntax error or access rule violation".
_OF_THE_PREDICATE = {"0A", "21", "22", "25", "42"}
_HINT = (
    "a condition on c, the row of content: c.year >= 2000, or EXISTS (SELECT FROM content_genres g WHERE g.content_id ="
    " c.id AND g.genre = 'Drama')"
)


@dataclass(frozen=True, slots=True)
class Eligibility:
    """Which titles may be listed, by the callers' ids.

    Attributes:
        only: nothing but these; None is every title.
        never: none of these.
        watched: whether titles that the user has met are listed too.
    """

    only: frozenset[str] | None = None
    never: frozenset[str] = frozenset()
    watched: bool = False

    def mask(self, content_ids: NDArray[np.bytes_]) -> NDArray[np.bool_]:
        """Say of each of a snapshot's titles whether it may be listed, `(n_items,)`."""
        if self.only is None and not self.never:
            return np.ones(len(content_ids), dtype=np.bool_)
        names = (content_id.decode() for content_id in content_ids.tolist())
        allowed = ((self.only is None or name in self.only) and name not in self.never for name in names)
        return np.fromiter(allowed, dtype=np.bool_, count=len(content_ids))

    def but_for(self, content_ids: Iterable[str]) -> Eligibility:
        """Return the same without some titles."""
        return Eligibility(self.only, self.never.union(content_ids), self.watched)

    def within(self, content_ids: Iterable[str]) -> Eligibility:
        """Return the same, of these titles only."""
        allowed = frozenset(content_ids)
        return Eligibility(allowed if self.only is None else allowed & self.only, self.never, self.watched)


EVERY_TITLE = Eligibility()
"""Every title that the user has not met."""


def unavailable_titles(connection: Connection[TupleRow], region: str | None, moment: datetime) -> list[str]:
    """Return the ids of the titles that may not be watched at a moment in a region; without one, in any region."""
    return queries.catalogue_unavailable(connection, region=region, moment=moment)


def eligible_titles(connection: Connection[TupleRow], settings: RecommendSettings, moment: datetime) -> Eligibility:
    """Find the titles that the settings let be recommended at a moment.

    Raises:
        PredicateInvalid: `recommend.where` is no condition.
    """
    eligible = Eligibility(watched=not settings.exclude_watched)
    if settings.where is not None:
        eligible = eligible.within(titles_where(connection, settings.where))
    return eligible.but_for(unavailable_titles(connection, settings.region, moment))


def unknown_titles(connection: Connection[TupleRow], content_ids: Iterable[str]) -> list[str]:
    """Return those of some ids that no content has, in their order."""
    wanted = list(dict.fromkeys(content_ids))
    known = set(queries.catalogue_known_ids(connection, content_ids=wanted))
    return [content_id for content_id in wanted if content_id not in known]


def titles_where(connection: Connection[TupleRow], predicate: str) -> list[str]:
    """Return the ids of the titles for which an SQL predicate on `c`, the row of `content`, is true.

    It is sent as one statement that can only read.

    Raises:
        PredicateInvalid: PostgreSQL refuses it.
    """
    statement = f"SELECT c.external_id FROM content c WHERE (\n{predicate}\n)"  # noqa: S608 - SQL by intent, from whoever holds the password
    try:
        with connection.transaction():
            queries.catalogue_only_read(connection)
            # In the extended protocol, which `binary` asks for, PostgreSQL takes one statement and no second behind it.
            rows = connection.execute(statement.encode(), binary=True).fetchall()
    except psycopg.Error as error:
        if (error.sqlstate or "")[:2] not in _OF_THE_PREDICATE:
            raise
        raise PredicateInvalid(f"{predicate!r} is no condition: {error.diag.message_primary}", hint=_HINT) from error
    return [row[0] for row in rows]
