"""Random expressions over the columns that are in sight: values, conditions and sub-queries."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from .random_schema import TYPES, VALUES, Relation

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from .random_schema import Schema

PARAMETERS = ("int", "text", "bool")


class Visible(NamedTuple):
    """A column that an expression can use."""

    sql: str
    type: str


class Expressions:
    """Writes expressions; everything random comes from one generator. What a sub-query is, the classes below say."""

    def __init__(self, rng: random.Random, schema: Schema, version: int) -> None:
        self.rng = rng
        self.schema = schema
        self.version = version
        self.ctes: list[Relation] = []
        self._aliases = (f"r{number}" for number in itertools.count())

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def expression(self, type_: str, columns: list[Visible], depth: int = 2) -> str:
        if depth <= 0 or self.chance(0.3):
            return self.leaf(type_, columns)
        general: list[Callable[[], str]] = [
            lambda: self.case(type_, columns, depth),
            lambda: (
                f"coalesce({self.expression(type_, columns, depth - 1)}, {self.expression(type_, columns, depth - 1)})"
            ),
            lambda: (
                f"nullif({self.expression(type_, columns, depth - 1)}, {self.expression(type_, columns, depth - 1)})"
            ),
            lambda: f"greatest({self.leaf(type_, columns)}, {self.expression(type_, columns, depth - 1)})",
            lambda: self.scalar(type_, columns, depth),
        ]
        own = {"int": self.number, "text": self.text, "bool": self.condition}[type_]
        return own(columns, depth) if self.chance(0.6) else self.rng.choice(general)()

    def leaf(self, type_: str, columns: list[Visible]) -> str:
        fitting = [column.sql for column in columns if column.type == type_]
        if fitting and self.chance(0.8):
            return self.rng.choice(fitting)
        if self.chance(0.2):
            return f"${PARAMETERS.index(type_) + 1}::{type_}"
        if self.chance(0.15):
            return f"NULL::{type_}"
        return f"{self.rng.choice(VALUES[type_])}::{type_}"

    def case(self, type_: str, columns: list[Visible], depth: int) -> str:
        subject = ""
        if self.chance(0.3):
            subject = f" {self.leaf('int', columns)}"
            branches = [f"WHEN {self.leaf('int', columns)} THEN {self.expression(type_, columns, depth - 1)}"]
        else:
            branches = [
                f"WHEN {self.condition(columns, depth - 1)} THEN {self.expression(type_, columns, depth - 1)}"
                for _ in range(self.rng.randint(1, 2))
            ]
        default = f" ELSE {self.expression(type_, columns, depth - 1)}" if self.chance(0.8) else ""
        return f"CASE{subject} {' '.join(branches)}{default} END"

    def number(self, columns: list[Visible], depth: int) -> str:
        int_, text = (
            (lambda: self.expression("int", columns, depth - 1)),
            (lambda: self.expression("text", columns, depth - 1)),
        )
        return self.rng.choice([
            lambda: f"({int_()} + {int_()})",
            lambda: f"abs({int_()})",
            lambda: f"length({text()})",
            lambda: f"array_length(ARRAY[{int_()}], 1)",
            lambda: f"(ARRAY[{int_()}, 1])[{int_()}]",
            lambda: f"strpos({text()}, {text()})",
            lambda: f"num_nulls({text()})",
            lambda: f"('{{\"a\": 1}}'::jsonb ->> {text()})::int",
            lambda: f"{int_()}::text::int",
        ])()  # fmt: skip

    def text(self, columns: list[Visible], depth: int) -> str:
        int_, text = (
            (lambda: self.expression("int", columns, depth - 1)),
            (lambda: self.expression("text", columns, depth - 1)),
        )
        return self.rng.choice([
            lambda: f"({text()} || {text()})",
            lambda: f"upper({text()})",
            lambda: f"concat({text()}, {int_()})",
            lambda: f"substring({text()} from 'a(b)?')",
            lambda: f"concat_ws({text()}, {text()}, 'x')",
            lambda: f"split_part({text()}, 'a', 1)",
            lambda: f"{int_()}::text",
            lambda: f"(jsonb_build_object('a', {int_()}) ->> 'a')",
            lambda: f"array_to_string(ARRAY[{text()}], ',')",
        ])()  # fmt: skip

    def condition(self, columns: list[Visible], depth: int = 1) -> str:
        type_ = self.rng.choice(TYPES)
        deeper = depth - 1
        one, other = (lambda: self.expression(type_, columns, deeper)), (lambda: self.leaf(type_, columns))
        again = lambda: self.condition(columns, deeper) if deeper > 0 else f"{other()} IS NOT NULL"  # noqa: E731
        return self.rng.choice([
            lambda: f"{one()} = {other()}",
            lambda: f"{one()} <> {other()}",
            lambda: f"{one()} IS NOT NULL",
            lambda: f"{one()} IS NULL",
            lambda: f"({again()} AND {again()})",
            lambda: f"({again()} OR {again()})",
            lambda: f"NOT ({again()})",
            lambda: f"({again()}) IS {self.rng.choice(['', 'NOT '])}{self.rng.choice(['TRUE', 'FALSE', 'UNKNOWN'])}",
            lambda: f"{one()} IN ({other()}, {other()})",
            lambda: f"{one()} NOT IN ({other()}, {self.rng.choice(VALUES[type_])})",
            lambda: f"{one()} = ANY ('{{}}'::{type_}[])",
            lambda: f"{one()} <> ALL (ARRAY[{other()}]::{type_}[])",
            lambda: f"{one()} IS DISTINCT FROM {other()}",
            lambda: f"{one()} IS NOT DISTINCT FROM {other()}",
            lambda: f"coalesce({one()} = {other()}, {self.rng.choice(['true', 'false'])})",
            lambda: f"ROW({one()}, {other()}) IS {self.rng.choice(['', 'NOT '])}NULL",
            lambda: self.membership(type_, columns, deeper),
        ])()  # fmt: skip

    def membership(self, type_: str, columns: list[Visible], depth: int) -> str:
        query = self.select([type_], columns, depth)
        if self.chance(0.3):
            return f"EXISTS ({query})"
        return f"{self.leaf(type_, columns)} {self.rng.choice(['IN', 'NOT IN', '= ANY', '<> ALL'])} ({query})"

    def scalar(self, type_: str, columns: list[Visible], depth: int) -> str:
        if self.chance(0.3) and type_ == "int":
            body, inner = self.source(columns, 0)
            return f"(SELECT {self.aggregate('int', inner + columns, 0)} FROM {body}{self.where(inner + columns, 0.5)})"
        return f"(SELECT * FROM ({self.select([type_], columns, depth - 2)}) s LIMIT 1)"
