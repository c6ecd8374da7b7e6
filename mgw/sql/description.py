"""What is known of a query without running it: the content of `queries/.prepared/<name>.json`.

Nothing in here depends on the server that was asked: no version, no object id, no cost. Two servers with the same
schema give the same bytes.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

from mgw.sql.source.header import Returns

FORMAT = 1
Kind: TypeAlias = Literal["base", "array", "enum", "domain", "range", "multirange", "composite", "pseudo"]


class Type(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A type that is more than a name.

    Attributes:
        kind: what it is.
        of: the element of an array, the base of a domain, what a range is over.
        labels: of an enum, in its order.
        fields: of a composite type, name and type, in its order.
    """

    kind: Kind
    of: str | None = None
    labels: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


class Parameter(Struct, frozen=True, kw_only=True):
    """One parameter.

    Attributes:
        name: as the query has it, without the colon.
        type: name of the type.
        nullable: whether the header lets it be NULL.
    """

    name: str
    type: str
    nullable: bool


class Column(Struct, frozen=True, kw_only=True):
    """One column of the result.

    Attributes:
        name: as PostgreSQL names it.
        type: name of the type.
        nullable: whether it may be NULL, by the proof or by the header.
        elements_nullable: whether an element of it, where it is an array, may be.
        reasons: why, in words, with the line of the query; empty where it cannot be NULL.
        source: `table.column` where it is one as it stands.
    """

    name: str
    type: str
    nullable: bool
    reasons: tuple[str, ...]
    source: str | None
    elements_nullable: bool = True


class Finding(Struct, frozen=True, kw_only=True):
    """A predicate that no index can serve.

    Attributes:
        table: whose rows are all read.
        predicate: by which they are sifted.
        index: the statement that creates an index which serves it, proved by planning with it.
    """

    table: str
    predicate: str
    index: str | None


class Description(Struct, frozen=True, kw_only=True):
    """One query.

    Attributes:
        name: of the query.
        query: SHA-256 of the text of its file.
        needs: the queries that create its temporary tables, with the SHA-256 of each file.
        returns: how many rows it gives; None for a utility statement.
        returns_proved: whether that follows from the query and the schema, or only from the header.
        parameters: in the order of first use.
        takes_casts: whether it means the same where every parameter is cast to its type, as the accessors do.
        columns: of the result.
        types: of those types that occur and are more than a name.
        dependencies: the tables, columns and functions that it needs.
        plan: findings.
        format: version of this form.
    """

    name: str
    query: str
    returns: Returns | None
    returns_proved: bool = False
    needs: dict[str, str] = {}
    parameters: tuple[Parameter, ...] = ()
    takes_casts: bool = True
    columns: tuple[Column, ...] = ()
    types: dict[str, Type] = {}
    dependencies: tuple[str, ...] = ()
    plan: tuple[Finding, ...] = ()
    format: int = FORMAT
