"""Random queries over a random schema: joins, sub-queries, groups, windows, set operations, WITH, RETURNING."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from .random_schema import TYPES, VALUES, Column, Relation

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from .random_schema import Schema

PARAMETERS = ("int", "text", "bool")
JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN")


class Visible(NamedTuple):
    """A column that an expression can use."""

    sql: str
    type: str


class Writer:
    """Writes queries; everything random comes from one generator."""

    def __init__(self, rng: random.Random, schema: Schema, version: int) -> None:
        self.rng = rng
        self.schema = schema
        self.version = version
        self.ctes: list[Relation] = []
        self._aliases = (f"r{number}" for number in itertools.count())

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    # Expressions

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

    # FROM

    def source(self, outer: list[Visible], depth: int) -> tuple[str, list[Visible]]:
        """Return one member of FROM, which may be a tree of joins, and its columns."""
        if depth > 0 and self.chance(0.6):
            return self.join(outer, depth)
        return self.member(outer, depth)

    def member(self, outer: list[Visible], depth: int) -> tuple[str, list[Visible]]:
        alias = next(self._aliases)
        if depth > 0 and self.chance(0.25):
            types = [self.rng.choice(TYPES) for _ in range(self.rng.randint(1, 3))]
            query = self.select(types, outer, depth - 1)
            names = [f"c{at}" for at in range(len(types))]
            lateral = "LATERAL " if outer else ""
            visible = [Visible(f"{alias}.{name}", type_) for name, type_ in zip(names, types, strict=True)]
            return f"{lateral}({query}) {alias}({', '.join(names)})", visible
        if self.chance(0.12):
            return self.rows(alias, outer)
        relation = self.rng.choice([*self.schema.relations, *self.ctes])
        only = "ONLY " if relation.name.startswith("t") and self.chance(0.1) else ""
        return f"{only}{relation.name} {alias}", [Visible(f"{alias}.{c.name}", c.type) for c in relation.columns]

    def rows(self, alias: str, outer: list[Visible]) -> tuple[str, list[Visible]]:
        kind = self.rng.randrange(4)
        if kind == 0:
            cells = ", ".join(f"({self.leaf('int', outer)}, {self.leaf('text', outer)})" for _ in range(2))
            return f"{'LATERAL ' * bool(outer)}(VALUES {cells}) {alias}(a, b)", [
                Visible(f"{alias}.a", "int"), Visible(f"{alias}.b", "text")]  # fmt: skip
        if kind == 1:
            return f"generate_series(1, {self.leaf('int', outer)}) {alias}(n)", [Visible(f"{alias}.n", "int")]
        if kind == 2:
            call = f"ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', {self.leaf('text', outer)}, 'b']))"
            return f"{call} WITH ORDINALITY {alias}(n, e, o)", [
                Visible(f"{alias}.n", "int"), Visible(f"{alias}.e", "text"), Visible(f"{alias}.o::int", "int"),
            ]  # fmt: skip
        call = 'jsonb_each_text(\'{"a": null, "b": "x"}\')'
        return f"{call} {alias}(k, v)", [Visible(f"{alias}.k", "text"), Visible(f"{alias}.v", "text")]

    def join(self, outer: list[Visible], depth: int) -> tuple[str, list[Visible]]:
        left, left_columns = self.source(outer, depth - 1)
        kind = self.rng.choice(JOINS)
        # Only what is certain to have a row of the left side may be read by the right one.
        reachable = left_columns if kind in {"JOIN", "LEFT JOIN", "CROSS JOIN"} else []
        right, right_columns = self.source(outer + reachable if self.chance(0.4) else outer, depth - 1)
        columns = left_columns + right_columns
        if kind == "CROSS JOIN":
            return f"({left} CROSS JOIN {right})", columns
        return self.conditioned(left, kind, right, left_columns, right_columns)

    def conditioned(
        self, left: str, kind: str, right: str, ours: list[Visible], theirs: list[Visible]
    ) -> tuple[str, list[Visible]]:
        columns = ours + theirs
        if self.chance(0.3) and left.count(" ") == right.count(" ") == 1:
            names = {v.sql.partition(".")[2]: v.type for v in ours}
            shared = [v for v in theirs if names.get(v.sql.partition(".")[2]) == v.type]
            if shared:
                name = self.rng.choice(shared).sql.partition(".")[2]
                alias = next(self._aliases)
                merged = Visible(f"{alias}.{name}", names[name])
                if self.chance(0.5):
                    return f"({left} {kind} {right} USING ({name}) AS {alias})", [*columns, merged]
                return f"({left} {kind} {right} USING ({name}))", columns
        if kind == "FULL JOIN":
            pairs = [(a, b) for a in ours for b in theirs if a.type == b.type]
            test = " = ".join(side.sql for side in self.rng.choice(pairs)) if pairs else "true"
            return f"({left} {kind} {right} ON {test})", columns
        return f"({left} {kind} {right} ON {self.condition(columns, 1)})", columns

    def where(self, columns: list[Visible], probability: float = 0.6) -> str:
        return f" WHERE {self.condition(columns, 2)}" if self.chance(probability) else ""

    # Queries

    def select(self, types: list[str], outer: list[Visible], depth: int) -> str:
        """Return a SELECT with columns of these types."""
        if depth > 0 and self.chance(0.15):
            word = self.rng.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL"])
            return f"({self.select(types, outer, depth - 1)}) {word} ({self.select(types, outer, depth - 1)})"
        if self.chance(0.08):
            return f"SELECT {', '.join(self.expression(type_, outer) for type_ in types)}"
        body, columns = self.source(outer, depth)
        if self.chance(0.25):
            return self.grouped(types, body, columns, outer)
        everything = columns + outer
        if self.chance(0.2) and depth > 0:
            return self.windowed(types, body, everything)
        targets = [self.expression(type_, everything) for type_ in types]
        if self.chance(0.06):
            targets = [self.rows_of(type_, everything) for type_ in types]
        distinct = "DISTINCT " if self.chance(0.1) else ""
        limit = f" LIMIT {self.rng.randint(0, 4)}" if self.chance(0.1) else ""
        return f"SELECT {distinct}{', '.join(targets)} FROM {body}{self.where(everything)}{limit}"

    def rows_of(self, type_: str, columns: list[Visible]) -> str:
        """Return a call in a SELECT list that gives several rows, or none."""
        if type_ == "int" and self.chance(0.6):
            return f"generate_series(1, {self.leaf('int', columns)})"
        return (
            f"unnest(ARRAY[{self.leaf(type_, columns)}, {self.leaf(type_, columns)}])" if self.chance(0.7) else "NULL"
        )

    def grouped(self, types: list[str], body: str, columns: list[Visible], outer: list[Visible]) -> str:
        everything = columns + outer
        by = [self.rng.choice(columns) if self.chance(0.7) else self._grouping_expression(columns) for _ in range(2)]
        by = [Visible(each.sql, each.type) for each in dict.fromkeys(by)]
        clause = self.grouping([each.sql for each in by])
        usable = by if clause else []
        targets = [
            self.aggregate(type_, everything, 1) if self.chance(0.5)
            else self.expression(type_, usable + outer, 1) for type_ in types
        ]  # fmt: skip
        having = ""
        if self.chance(0.3):
            having = f" HAVING {self.aggregate('int', everything, 0)} > 0"
        elif not clause and not any("(" in target for target in targets):
            having = " HAVING true"
        return f"SELECT {', '.join(targets)} FROM {body}{self.where(everything, 0.4)}{clause}{having}"

    def _grouping_expression(self, columns: list[Visible]) -> Visible:
        column = self.rng.choice(columns)
        made = {"int": f"({column.sql} + 1)", "text": f"lower({column.sql})", "bool": f"(NOT {column.sql})"}[
            column.type
        ]
        return Visible(made, column.type)

    def grouping(self, by: list[str]) -> str:
        both = ", ".join(by)
        return self.rng.choice([
            "", f" GROUP BY {both}", f" GROUP BY {both}", f" GROUP BY ROLLUP ({both})", f" GROUP BY CUBE ({both})",
            f" GROUP BY GROUPING SETS (({by[0]}), ({both}))", f" GROUP BY {by[0]}, ROLLUP ({by[-1]})",
            f" GROUP BY GROUPING SETS (({by[0]}), ({by[-1]}), ())",
        ])  # fmt: skip

    def aggregate(self, type_: str, columns: list[Visible], depth: int) -> str:
        argument = self.expression(type_, columns, depth)
        suffix = f" FILTER (WHERE {self.condition(columns, 1)})" if self.chance(0.15) else ""
        made = {
            "int": [f"count({argument})", "count(*)", f"sum({argument})", f"max({argument})", f"min({argument})"],
            "text": [f"max({argument})", f"string_agg({argument}, ',')", f"min({argument})"],
            "bool": [f"bool_and({argument})", f"bool_or({argument})", f"every({argument})"],
        }[type_]
        return f"{self.rng.choice(made)}{suffix}{'::int' if type_ == 'int' else ''}"

    def windowed(self, types: list[str], body: str, columns: list[Visible]) -> str:
        return (
            f"SELECT {', '.join(self.window(type_, columns) for type_ in types)} FROM {body}{self.where(columns, 0.4)}"
        )

    def window(self, type_: str, columns: list[Visible]) -> str:
        argument = self.expression(type_, columns, 1)
        calls = [
            f"lag({argument})", f"lead({argument}, 1, {self.leaf(type_, columns)})", f"first_value({argument})",
            f"last_value({argument})", f"nth_value({argument}, 2)",
        ]  # fmt: skip
        if type_ == "int":
            calls += ["row_number()", "rank()", f"sum({argument})", "ntile(2)", f"count({argument})"]
        else:
            calls += [f"{'max' if type_ == 'text' else 'bool_or'}({argument})"]
        order = f"ORDER BY {self.leaf('int', columns)}, {self.leaf('text', columns)}"
        start = self.rng.choice(["UNBOUNDED PRECEDING", "CURRENT ROW", "1 PRECEDING", "1 FOLLOWING"])
        end = self.rng.choice(["UNBOUNDED FOLLOWING", "CURRENT ROW", "1 FOLLOWING"] if start != "1 FOLLOWING"
                              else ["UNBOUNDED FOLLOWING", "2 FOLLOWING"])  # fmt: skip
        if start == "1 PRECEDING" and self.chance(0.3):
            end = "1 PRECEDING"
        exclude = self.rng.choice(["", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"])
        frame = f" {self.rng.choice(['ROWS', 'GROUPS'])} BETWEEN {start} AND {end}{exclude}" if self.chance(0.6) else ""
        call = f"{self.rng.choice(calls)} OVER ({order}{frame})"
        made = f"({call})::{type_}"
        if self.chance(0.2):
            return f"CASE WHEN {self.leaf(type_, columns)} IS NOT NULL THEN {made} ELSE {self.leaf(type_, columns)} END"
        return made

    # Statements

    def statement(self) -> str:
        """Return a whole statement: mostly a SELECT, with or without WITH, else one with RETURNING."""
        self.ctes = []
        with_ = self.with_clause() if self.chance(0.3) else ""
        types = [self.rng.choice(TYPES) for _ in range(self.rng.randint(1, 4))]
        kind = self.rng.random()
        if kind < 0.8:
            return with_ + self.select(types, [], 3)
        return with_ + self.writing()

    def with_clause(self) -> str:
        parts = []
        recursive = ""
        for at in range(self.rng.randint(1, 2)):
            name = f"w{at}"
            types = [self.rng.choice(TYPES) for _ in range(2)]
            relation = Relation(name, tuple(Column(f"c{n}", type_) for n, type_ in enumerate(types)))
            if self.chance(0.35):
                recursive = "RECURSIVE "
                query = self.recursive(relation, types)
            elif self.chance(0.15):
                table = self.writable()
                types = [column.type for column in table.columns]
                relation = Relation(name, tuple(Column(f"c{n}", type_) for n, type_ in enumerate(types)))
                query = f"DELETE FROM {table.name} RETURNING {', '.join(c.name for c in table.columns)}"
            else:
                query = self.select(types, [], 2)
            parts.append(f"{name}({', '.join(column.name for column in relation.columns)}) AS ({query})")
            self.ctes.append(relation)
        return f"WITH {recursive}{', '.join(parts)} "

    def recursive(self, relation: Relation, types: list[str]) -> str:
        first = self.select(types, [], 1)
        alias = next(self._aliases)
        columns = [Visible(f"{alias}.{column.name}", column.type) for column in relation.columns]
        other = self.rng.choice(self.schema.relations)
        extra = next(self._aliases)
        body = f"{relation.name} {alias}"
        if self.chance(0.4):
            body += (
                f" LEFT JOIN {other.name} {extra} ON true"
                if self.chance(0.5)
                else f" JOIN {other.name} {extra} ON true"
            )
            columns += [Visible(f"{extra}.{column.name}", column.type) for column in other.columns]
        targets = ", ".join(self.leaf(type_, columns) for type_ in types)
        return f"({first}) UNION (SELECT {targets} FROM {body}{self.where(columns)})"

    def writable(self) -> Relation:
        return self.rng.choice([relation for relation in self.schema.relations if relation.writable])

    def writing(self) -> str:
        table = self.writable()
        ours = [Visible(f"x.{column.name}", column.type) for column in table.columns]
        old_new = []
        if self.version >= 18:
            old_new = [Visible(f"{which}.{c.name}", c.type) for which in ("old", "new") for c in table.columns]
        free = [column for column in table.columns if not column.generated]
        return self.rng.choice([self.insert, self.update, self.delete, self.merge])(table, free, ours, old_new)

    def returning(self, columns: list[Visible]) -> str:
        plain = [column.sql for column in columns]
        made = [self.expression(self.rng.choice(TYPES), columns, 1) for _ in range(2)]
        return f" RETURNING {', '.join([*self.rng.sample(plain, min(4, len(plain))), *made])}"

    def insert(self, table: Relation, free: list[Column], ours: list[Visible], old_new: list[Visible]) -> str:
        chosen = [column for column in free if column.not_null or self.chance(0.7)] or free
        if self.chance(0.5):
            rows = [", ".join(self.value(column) for column in chosen) for _ in range(self.rng.randint(1, 3))]
            source = f"VALUES {', '.join(f'({row})' for row in rows)}"
        else:
            source = self.select([column.type for column in chosen], [], 1)
        names = ", ".join(column.name for column in chosen)
        return f"INSERT INTO {table.name} AS x ({names}) {source}{self.returning(ours + old_new)}"

    def value(self, column: Column) -> str:
        return self.rng.choice(VALUES[column.type]) if column.not_null else self.leaf(column.type, [])

    def update(self, table: Relation, free: list[Column], ours: list[Visible], old_new: list[Visible]) -> str:
        body, theirs = self.source([], 1) if self.chance(0.5) else ("", [])
        everything = ours + theirs
        sets = ", ".join(
            f"{column.name} = {self.expression(column.type, everything, 1)}"
            for column in self.rng.sample(free, self.rng.randint(1, 2))
        )
        from_ = f" FROM {body}" if body else ""
        rest = f"{self.where(everything, 0.7)}{self.returning(everything + old_new)}"
        return f"UPDATE {table.name} x SET {sets}{from_}{rest}"

    def delete(self, table: Relation, _free: list[Column], ours: list[Visible], old_new: list[Visible]) -> str:
        body, theirs = self.source([], 1) if self.chance(0.5) else ("", [])
        using = f" USING {body}" if body else ""
        everything = ours + theirs
        return f"DELETE FROM {table.name} x{using}{self.where(everything, 0.7)}{self.returning(everything + old_new)}"

    def merge(self, table: Relation, free: list[Column], ours: list[Visible], old_new: list[Visible]) -> str:
        if self.version < 17:
            return self.update(table, free, ours, old_new)
        body, theirs = self.member([], 1)
        everything = ours + theirs
        chosen = self.rng.choice(free)
        names = [column for column in free if column.not_null] or free[:1]
        insert = (
            f"WHEN NOT MATCHED THEN INSERT ({', '.join(c.name for c in names)})"
            f" VALUES ({', '.join(self.rng.choice(VALUES[c.type]) for c in names)})"
        )
        actions = self.rng.sample([
            self.rng.choice([f"WHEN MATCHED THEN UPDATE SET {chosen.name} = {self.leaf(chosen.type, everything)}",
                             "WHEN MATCHED THEN DELETE"]),
            insert,
            self.rng.choice([f"WHEN NOT MATCHED BY SOURCE THEN UPDATE SET {chosen.name} = {self.leaf(chosen.type, [])}",
                             "WHEN NOT MATCHED BY SOURCE THEN DELETE"]),
        ], self.rng.randint(1, 3))  # fmt: skip
        return (
            f"MERGE INTO {table.name} x USING {body} ON {self.condition(everything, 1)} {' '.join(actions)}"
            f"{self.returning(everything + old_new)}"
        )
