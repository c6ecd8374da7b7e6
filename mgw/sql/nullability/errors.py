"""What can prevent a query's analysis. Whoever has a query analysed says to its author where it stands.

AnalysisFault
├── QueryRefused        PostgreSQL does not understand the query
│   └── NotAQuery       it is a statement without a result to analyse, or none
├── QueryUnreadable     PostgreSQL's tree is not what this version should write
└── TemporaryDenied     no right to create the temporary function
"""

from __future__ import annotations


class AnalysisFault(Exception):
    """Base of what can prevent it.

    Attributes:
        message: what is wrong.
        hint: what to do about it, or nothing.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class QueryRefused(AnalysisFault):
    """PostgreSQL refuses the query: a syntax error, an unknown name, two statements.

    Attributes:
        sqlstate: PostgreSQL's code for it.
        position: offset into the query, where PostgreSQL gives one.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, sqlstate: str | None = None, position: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate
        self.position = position


class NotAQuery(QueryRefused):
    """The text holds no statement, or one that PostgreSQL does not analyse, such as CREATE TABLE."""


class QueryUnreadable(AnalysisFault):
    """The analysed tree is not of the form that is expected; nothing is claimed about such a query."""


class TemporaryDenied(AnalysisFault):
    """The user may not create the temporary function that carries the query, or the server only reads."""
