"""Which columns of a query's result can be NULL, proved from PostgreSQL's own analysis, with reasons.

    analyse(connection, "SELECT c.title, r.name FROM content c LEFT JOIN credits r ON r.content = c.id")

    [ColumnVerdict(nullable=False, reasons=("content.title is NOT NULL",)),
     ColumnVerdict(nullable=True, reasons=("NULL where LEFT JOIN credits r finds no row (line 1)",))]

How it hangs together: `probe` has PostgreSQL analyse the query without running it, `tree` reads what it wrote,
`catalogue` adds `facts` on tables and functions, and the `walker` asks a rule for each expression: `columns` (over
`joins`, `sources`, `recursion`), `expressions`, `calls`, `aggregates`, `subqueries`, `outputs`, `returning`. What
WHERE and ON say is drawn by `implications` and kept under `keys`. A `Finding` of `reasons` is passed up; `positions`
looks up where its sentences belong.

One rule stands above all: what is not known is nullable. "Not null" is only said where it was proved.
"""

from mgw.sql.nullability.analysis import Analyser, Analysis, analyse
from mgw.sql.nullability.dependencies import Dependencies
from mgw.sql.nullability.errors import NotAQuery, QueryRefused, QueryUnreadable, TemporaryDenied
from mgw.sql.nullability.reasons import ColumnVerdict, Reason

__all__ = [
    "Analyser",
    "Analysis",
    "ColumnVerdict",
    "Dependencies",
    "NotAQuery",
    "QueryRefused",
    "QueryUnreadable",
    "Reason",
    "TemporaryDenied",
    "analyse",
]
