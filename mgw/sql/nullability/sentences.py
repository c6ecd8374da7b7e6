"""The sentences of reasons that more than one module writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgw.sql.nullability.facts import FunctionFacts


def constraint(schema: str, relation: str, column: str) -> str:
    """Say that a column has a NOT NULL constraint."""
    return f"{named(schema, relation)}.{column} is NOT NULL"


def check(schema: str, relation: str, column: str, name: str) -> str:
    """Say that a CHECK constraint keeps NULL out of a column."""
    return f"{named(schema, relation)}.{column} is not NULL by CHECK constraint {name}"


def unconstrained(schema: str, relation: str, column: str) -> str:
    """Say that nothing keeps NULL out of a column."""
    return f"{named(schema, relation)}.{column} may be NULL"


def function(facts: FunctionFacts) -> str:
    """Name a function with its arguments, and with its schema where it is not PostgreSQL's own."""
    return facts.signature if facts.builtin else f"{facts.schema}.{facts.signature}"


def named(schema: str, relation: str) -> str:
    """Name a relation, with its schema where that says something."""
    return relation if schema in {"public", "pg_catalog"} else f"{schema}.{relation}"
