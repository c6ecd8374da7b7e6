"""Reading a plan: which tables are read as a whole, and what is asked of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""")
_QUALIFIER = re.compile(r'(?:\b\w+|"(?:[^"]|"")+")\.')
_SCANS = {"Seq Scan", "Index Scan", "Index Only Scan"}
_READS = _SCANS | {"Bitmap Heap Scan"}


@dataclass(frozen=True, slots=True)
class Scan:
    """What is asked of one table.

    Attributes:
        schema: of the table.
        table: its name.
        alias: what the query calls it.
        conjuncts: what each row is sifted by, as PostgreSQL writes it, with the alias in front of each column.
    """

    schema: str
    table: str
    alias: str
    conjuncts: tuple[str, ...]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every node of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def filtered(plan: dict[str, Any]) -> list[Scan]:
    """Return the scans that drop rows by a filter; in a plan without indexes, that is all that is asked of a table."""
    initial = sum("InitPlan" in node.get("Subplan Name", "") for node in nodes(plan))
    return [
        Scan(
            node["Schema"],
            node["Relation Name"],
            node["Alias"],
            tuple(part for part in conjuncts(node["Filter"]) if not _is_computed_before(part, initial)),
        )
        for node in nodes(plan)
        if node["Node Type"] in _SCANS and "Filter" in node and "Schema" in node
    ]


def _is_computed_before(conjunct: str, initial: int) -> bool:
    """Return whether a condition looks at a sub-query: it cannot be asked of the table alone.

    What PostgreSQL 16 and earlier call `$0` is the result of the first sub-query, `$1` that of the second, or the first
    parameter: where that cannot be told, no version is asked.
    """
    masked = masked_strings(conjunct)
    numbers = {int(number) for number in re.findall(r"\$(\d+)", masked)}
    return "SubPlan" in masked or "InitPlan" in masked or bool(numbers & set(range(initial)))


def whole(plan: dict[str, Any], leading: Mapping[str, str]) -> set[tuple[str, str, str]]:
    """Return schema, name and alias of the tables of which a plan reads every row, or every entry of an index.

    Args:
        plan: with its child plans.
        leading: for each index what it is ordered by first, or an empty text. A condition on its other keys alone does
            not spare reading all of it.
    """
    return {
        (node["Schema"], node["Relation Name"], node["Alias"])
        for node in nodes(plan)
        if node["Node Type"] in _READS and "Schema" in node and not _is_lookup(node, leading)
    }


def looks_up(plan: dict[str, Any], leading: Mapping[str, str]) -> bool:
    """Return whether a plan looks anything up in an index."""
    return any(_is_lookup(node, leading) for node in nodes(plan))


def uses(plan: dict[str, Any], index: str, key: str) -> bool:
    """Return whether a plan looks something up in an index, and not only reads all of it."""
    return any(node.get("Index Name") == index and _is_lookup(node, {index: key}) for node in nodes(plan))


def _is_lookup(node: dict[str, Any], leading: Mapping[str, str]) -> bool:
    if node["Node Type"] == "Bitmap Heap Scan":
        return any(_is_lookup(child, leading) for child in nodes(node) if child is not node)
    if "Index Cond" not in node:
        return False
    key = leading.get(node.get("Index Name", ""), "")
    return unwrapped(key) in _QUALIFIER.sub("", node["Index Cond"])


def conjuncts(text: str) -> list[str]:
    """Cut a condition at the ANDs that join its parts, and take the brackets off each.

    >>> conjuncts("((e.user_id = $1) AND (NOT e.dismissed) AND ((a.x = 'AND (') OR b.y))")
    ['e.user_id = $1', 'NOT e.dismissed', "(a.x = 'AND (') OR b.y"]
    >>> conjuncts("(a.at > $1)")
    ['a.at > $1']
    """
    text = unwrapped(text)
    masked = masked_strings(text)
    parts: list[str] = []
    depth = start = 0
    for index, letter in enumerate(masked):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0 and masked.startswith(" AND ", index):
            parts.append(text[start:index])
            start = index + len(" AND ")
    parts.append(text[start:])
    return [unwrapped(part) for part in parts]


def masked_strings(text: str) -> str:
    """Return a text of the same length without the content of its strings and quoted names."""
    return _QUOTED.sub(lambda match: "\x00" * len(match[0]), text)


def unwrapped(text: str) -> str:
    """Take off brackets that are around the whole."""
    text = text.strip()
    while text.startswith("(") and _closing(masked_strings(text)) == len(text) - 1:
        text = text[1:-1].strip()
    return text


def _closing(masked: str) -> int:
    depth = 0
    for index, letter in enumerate(masked):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if depth == 0:
            return index
    return -1
