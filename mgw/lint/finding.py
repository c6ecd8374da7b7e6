"""What a rule has to say, and how what it found may be mended."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class Edit(NamedTuple):
    """A part of a file that is to be replaced.

    Attributes:
        start: offset of its first character.
        end: of the first one behind it.
        text: what is to stand there.
    """

    start: int
    end: int
    text: str


class Fix(Struct, frozen=True):
    """A way to mend a finding.

    Attributes:
        edits: of the file in which it was found.
        is_safe: whether the program does the same afterwards; others are made only if they are asked for.
    """

    edits: tuple[Edit, ...]
    is_safe: bool


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        code: of the rule, as `MGWQ001`; what another tool found has its name in front, as `ruff:F401`.
        name: of the rule.
        path: of the file, from the root of the project, with `/`.
        line: in it, from 1; 0 where it is about the whole file.
        column: from 1; 0 where it is about the line.
        message: what is wrong.
        hint: what to do.
        fix: None where only a person can say what is meant.
    """

    code: str
    name: str
    path: str
    message: str
    line: int = 0
    column: int = 0
    hint: str = ""
    fix: Fix | None = None

    @property
    def place(self) -> str:
        """Where it is, as editors and terminals link it."""
        return ":".join([self.path, *(str(number) for number in (self.line, self.column) if number)])
