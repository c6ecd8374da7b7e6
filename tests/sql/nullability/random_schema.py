"""Random schemas with random rows, many of them NULL, for the property test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

TYPES = ("int", "text", "bool")
VALUES = {
    "int": ("0", "1", "2", "3"),
    "text": ("''", "'a'", "'b'", "'ab'"),
    "bool": ("true", "false"),
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    not_null: bool = False
    generated: bool = False


@dataclass(frozen=True)
class Relation:
    """What a query can read: its name, its columns, and whether it can be written."""

    name: str
    columns: tuple[Column, ...]
    writable: bool = True


@dataclass
class Schema:
    relations: list[Relation] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)


def random_schema(rng: random.Random, version: int) -> Schema:
    """Tables with every way to have, and to seem to have, NOT NULL; filled; without views yet."""
    schema = Schema()
    schema.statements.append("CREATE DOMAIN filled AS int NOT NULL")
    for index in range(rng.randint(2, 4)):
        table = _table(rng, index)
        schema.relations.append(table)
        schema.statements += [_definition(rng, table), *_rows(rng, table, table.name, rng.randint(0, 5))]
        if rng.random() < 0.35:
            schema.statements += _child(rng, table, version)
        if rng.random() < 0.15:
            schema.statements += _trigger(rng, table)
    if rng.random() < 0.5:
        schema.statements += _partitioned(rng, schema)
    return schema


def _table(rng: random.Random, index: int) -> Relation:
    columns = [Column("id", "int", not_null=rng.random() < 0.6)]
    columns += [
        Column(f"{type_[0]}{at}", type_, not_null=rng.random() < 0.4)
        for at, type_ in enumerate([*TYPES, *(rng.choice(TYPES) for _ in range(rng.randint(0, 2)))])
    ]
    if rng.random() < 0.3:
        columns.append(Column("g", "int", generated=True))
    return Relation(f"t{index}", tuple(columns))


def _definition(rng: random.Random, table: Relation) -> str:
    parts = []
    for column in table.columns:
        if column.generated:
            parts.append(f"{column.name} int GENERATED ALWAYS AS (id + 1) STORED")
        elif column.not_null:
            constraint = rng.choice(["NOT NULL", "NOT NULL", f"CHECK ({column.name} IS NOT NULL)"])
            parts.append(f"{column.name} {column.type} {constraint}")
        else:
            type_ = "filled" if column.type == "int" and rng.random() < 0.05 else column.type
            parts.append(f"{column.name} {type_}")
    return f"CREATE TABLE {table.name} ({', '.join(parts)})"


def _rows(rng: random.Random, table: Relation, into: str, count: int, *, nulls_anywhere: bool = False) -> list[str]:
    written = [column for column in table.columns if not column.generated]
    names = ", ".join(column.name for column in written)
    statements = []
    for _ in range(count):
        values = (
            "NULL"
            if (nulls_anywhere or not column.not_null) and rng.random() < 0.45
            else rng.choice(VALUES[column.type])
            for column in written
        )
        statements.append(f"INSERT INTO {into} ({names}) VALUES ({', '.join(values)})")
    return statements


def _child(rng: random.Random, table: Relation, version: int) -> list[str]:
    """A table that inherits, and, where the version lets it, drops NOT NULL; or one that never checked it."""
    child = f"{table.name}_child"
    statements = [f"CREATE TABLE {child} () INHERITS ({table.name})"]
    constrained = [column for column in table.columns if column.not_null]
    if version < 18 and constrained and rng.random() < 0.7:
        statements.append(f"ALTER TABLE {child} ALTER {rng.choice(constrained).name} DROP NOT NULL")
    statements += _rows(rng, table, child, rng.randint(1, 3), nulls_anywhere=True)
    if version >= 18:
        plain = [column for column in table.columns if not column.not_null and not column.generated]
        if plain:
            name = rng.choice(plain).name
            statements.append(f"ALTER TABLE {table.name} ADD CONSTRAINT later_{name} NOT NULL {name} NOT VALID")
    return statements


def _trigger(rng: random.Random, table: Relation) -> list[str]:
    """A trigger that takes values away on their way into the table."""
    free = [column for column in table.columns if not column.not_null and not column.generated]
    if not free:
        return []
    body = f"BEGIN NEW.{rng.choice(free).name} := NULL; RETURN NEW; END"
    function = f"spoil_{table.name}()"
    return [
        f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        f"CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON {table.name} FOR EACH ROW EXECUTE FUNCTION {function}",
    ]


def _partitioned(rng: random.Random, schema: Schema) -> list[str]:
    table = Relation("parted", (Column("id", "int"), Column("t1", "text", not_null=True), Column("i2", "int")))
    schema.relations.append(table)
    tight = rng.random() < 0.5
    return [
        "CREATE TABLE parted (id int, t1 text NOT NULL, i2 int) PARTITION BY LIST (id)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1, 2)",
        "CREATE TABLE parted_x PARTITION OF parted DEFAULT",
        *(["ALTER TABLE parted_1 ALTER i2 SET NOT NULL"] if tight else []),
        *_rows(rng, table, "parted", 4),
    ]
