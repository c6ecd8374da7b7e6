"""Random SELECTs: trees of joins, groups, grouping sets, windows, set operations."""

from __future__ import annotations

from .random_expression import Expressions, Visible
from .random_schema import TYPES

JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN")


class Selects(Expressions):
    """Writes what stands in FROM, and the queries around it."""

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
