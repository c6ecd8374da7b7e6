"""What the catalogue says of the objects in a query, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

# What is stored in others was not, or not lately, held to a constraint.
STORED_KINDS = frozenset("rpS")


class ColumnFacts(NamedTuple):
    """A column of a table.

    Attributes:
        name: as it is called.
        not_null: the sentence of the proof that it is never NULL, or None.
        generated: whether its value is computed, which an assignment does not say.
    """

    name: str
    not_null: str | None
    generated: bool


@dataclass(frozen=True, slots=True)
class RelationFacts:
    """A table, view or whatever else can stand in FROM.

    Attributes:
        schema: where it is.
        name: as it is called.
        kind: `pg_class.relkind`.
        columns: by number; constraints count only where they hold in all that inherits from it as well.
        own_columns: the same, for `FROM ONLY`.
        foreign: whether it is, or has among what inherits from it, a foreign table.
        rewritten: whether rules say what INSERT, UPDATE or DELETE really do.
        triggered: whether a trigger may change a row on its way into it.
    """

    schema: str
    name: str
    kind: str
    columns: dict[int, ColumnFacts]
    own_columns: dict[int, ColumnFacts]
    foreign: bool
    rewritten: bool
    triggered: bool


class FunctionFacts(NamedTuple):
    """A function.

    Attributes:
        schema: where it is.
        name: as it is called.
        arguments: its types, as `oidvectortypes` writes them.
        strict: whether NULL for any argument makes the result NULL.
        steady: whether the same arguments give the same result, as long as one statement runs.
        builtin: whether it is one of PostgreSQL's own.
    """

    schema: str
    name: str
    arguments: str
    strict: bool
    steady: bool
    builtin: bool

    @property
    def signature(self) -> str:
        """The name with its arguments, without the schema."""
        return f"{self.name}({self.arguments})"

    def is_one_of(self, names: frozenset[str]) -> bool:
        """Whether this is a function of PostgreSQL's own that a list in `known` means."""
        return self.builtin and (self.name in names or self.signature in names)
