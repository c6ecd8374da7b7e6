"""Reads the written corpus: queries, each below the verdicts that are right for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
SCHEMA = Path(__file__).parent / "schema.sql"


@dataclass(frozen=True)
class Case:
    """A query and what is right for its columns: True where one can be NULL."""

    file: str
    line: int
    query: str
    expected: tuple[bool, ...]
    parameters: tuple[str, ...]
    since: int
    needs_xml: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def cases() -> list[Case]:
    return [case for path in sorted(FOLDER.glob("*.sql")) for case in _read(path)]


def _read(path: Path) -> list[Case]:
    found, block, start = [], [], 1
    for number, line in enumerate([*path.read_text().splitlines(), ""], 1):
        if line.strip():
            block.append(line)
            continue
        if any(not each.startswith("--") for each in block):
            found.append(_case(path.name, start, block))
        block, start = [], number + 1
    return found


def _case(file: str, line: int, block: list[str]) -> Case:
    headers = [each[2:].strip() for each in block if each.startswith("--")]
    expected = next(each for each in headers if each and set(each) <= set("!? "))
    parameters = next((each.partition(":")[2] for each in headers if each.startswith("parameters:")), "")
    since = next((int(each.split()[1]) for each in headers if each.startswith("since")), 15)
    query = "\n".join(each for each in block if not each.startswith("--"))
    return Case(
        file, line, query, tuple(mark == "?" for mark in expected.split()),
        tuple(each.strip() for each in parameters.split(",") if each.strip()), since, "needs xml" in headers,
    )  # fmt: skip
