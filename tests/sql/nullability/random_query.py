"""Random queries over a random schema: SELECTs with and without WITH, and what writes and has RETURNING."""

from __future__ import annotations

from .random_expression import Visible
from .random_schema import TYPES, VALUES, Column, Relation
from .random_select import Selects


class Writer(Selects):
    """Writes whole statements."""

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
