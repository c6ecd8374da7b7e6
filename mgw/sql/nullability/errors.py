"""What can prevent a query's analysis.

DatabaseError
├── QueryRefused        NULLABILITY_QUERY_REFUSED      PostgreSQL does not understand the query
├── NotAQuery           NULLABILITY_NOT_A_QUERY        it is a statement without a result to analyse, or none
├── QueryUnreadable     NULLABILITY_QUERY_UNREADABLE   PostgreSQL's tree is not what this version should write
└── TemporaryDenied     NULLABILITY_TEMPORARY_DENIED   no right to create the temporary function
"""

from __future__ import annotations

from mgw.core.errors import DatabaseError


class QueryRefused(DatabaseError):
    """PostgreSQL refuses the query: a syntax error, an unknown name, two statements.

    Attributes:
        sqlstate: PostgreSQL's code for it.
        position: offset into the query, where PostgreSQL gives one.
    """

    code = "NULLABILITY_QUERY_REFUSED"
    exit_code = 1

    def __init__(
        self, message: str, *, hint: str | None = None, sqlstate: str | None = None, position: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate
        self.position = position


class NotAQuery(QueryRefused):
    """The text holds no statement, or one that PostgreSQL does not analyse, such as CREATE TABLE."""

    code = "NULLABILITY_NOT_A_QUERY"


class QueryUnreadable(DatabaseError):
    """The analysed tree is not of the form that is expected; nothing is claimed about such a query."""

    code = "NULLABILITY_QUERY_UNREADABLE"


class TemporaryDenied(DatabaseError):
    """The user may not create the temporary function that carries the query, or the server only reads."""

    code = "NULLABILITY_TEMPORARY_DENIED"
