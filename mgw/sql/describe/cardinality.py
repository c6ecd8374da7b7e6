"""How many rows a query gives: exactly one, at most one, many, or none because it has no columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgw.sql.describe.overrides import contradiction

if TYPE_CHECKING:
    from mgw.sql.describe.analysis import Facts
    from mgw.sql.describe.statement import Shape
    from mgw.sql.source import Query, Returns


def settle(query: Query, shape: Shape, facts: Facts) -> tuple[Returns, bool]:
    """Return how many rows a query gives, and whether that is proved or only claimed by its header.

    Raises:
        OverrideContradicted: the header claims what cannot be.
    """
    proved = _proved(shape, facts)
    claimed = query.header.returns
    if claimed is None or claimed == proved:
        return proved, True
    problem = None
    if proved == "execute":
        problem = f"the query has no columns, so it cannot return {claimed}"
    elif claimed == "execute":
        problem = "the query has columns, so it is not only executed"
    elif claimed == "copy" and query.parameters:
        problem = "COPY takes no parameters"
    elif claimed == "copy" and query.verb not in {"SELECT", "VALUES", "WITH", "TABLE", "("}:
        problem = f"{query.verb} is not for COPY"
    elif claimed == "optional" and proved == "one":
        problem = "the query always gives one row"
    if problem is not None:
        raise contradiction(query, problem, query.header.returns_offset, "leave the line out")
    # A list is right for any number of rows; only a claim of fewer than is proved must be believed.
    return claimed, claimed in {"many", "copy"}


def _proved(shape: Shape, facts: Facts) -> Returns:
    if not shape.fields or shape.is_void:
        return "execute"
    return facts.rows
