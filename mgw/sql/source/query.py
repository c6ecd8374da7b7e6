"""One query: its statement, its header, and its parameters in PostgreSQL's own form.

`:name` becomes `$1`, `$2` … in the order of first use. The text that PostgreSQL sees keeps the lines of the file,
header and all, so that whatever it says of a line or a position is true of the file.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.core.statements import split, tokens
from mgw.sql.errors import NotDescribable, ParameterClash, QueryEmpty, TwoStatements
from mgw.sql.source.header import Header, read_header

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mgw.core.statements import Token
    from mgw.sql.source.folder import SourceFile

# Statements that PostgreSQL does not analyse before it runs them. What is neither here nor a query is a syntax error.
UTILITY = frozenset(
    [
        "ABORT",
        "ALTER",
        "ANALYZE",
        "BEGIN",
        "CALL",
        "CHECKPOINT",
        "CLOSE",
        "CLUSTER",
        "COMMENT",
        "COMMIT",
        "COPY",
        "CREATE",
        "DEALLOCATE",
        "DECLARE",
        "DISCARD",
        "DO",
        "DROP",
        "END",
        "EXECUTE",
        "EXPLAIN",
        "FETCH",
        "GRANT",
        "IMPORT",
        "LISTEN",
        "LOAD",
        "LOCK",
        "MOVE",
        "NOTIFY",
        "PREPARE",
        "REASSIGN",
        "REFRESH",
        "REINDEX",
        "RELEASE",
        "RESET",
        "REVOKE",
        "ROLLBACK",
        "SAVEPOINT",
        "SECURITY",
        "SET",
        "SHOW",
        "START",
        "TRUNCATE",
        "UNLISTEN",
        "VACUUM",
    ]
)


@dataclass(frozen=True, slots=True)
class Query:
    r"""A query as it stands in its file.

    Attributes:
        name: its path below the folder, without the ending.
        path: its file.
        text: the whole file, with line ends of `\n`.
        checksum: SHA-256 of `text`.
        header: what stands in front of the statement.
        start: where the statement begins in `text`.
        end: where it ends, the semicolon not included.
        parameters: names, in the order of first use.
        sql: `text` up to `end`, with `$1` for parameters.
        shifts: for each parameter in `sql`, where it begins there and in `text`, and where it ends in both.
    """

    name: str
    path: Path
    text: str
    checksum: str
    header: Header
    start: int
    end: int
    parameters: tuple[str, ...]
    sql: str
    shifts: tuple[tuple[int, int, int, int], ...]

    @property
    def statement(self) -> str:
        """The statement as the file has it, without header and semicolon."""
        return self.text[self.start : self.end]

    @property
    def verb(self) -> str:
        """The first word of the statement, in capitals."""
        return _first_word(self.statement)

    def with_casts(self, types: Sequence[str]) -> str:
        """Return `sql` with each parameter cast to its type, in brackets: `$1[2]` is not `$1::int[2]`."""
        parts: list[str] = []
        position = 0
        for start, _, end, _ in self.shifts:
            number = self.sql[start:end]
            parts += [self.sql[position:start], f"({number}::{types[int(number[1:]) - 1]})"]
            position = end
        return "".join([*parts, self.sql[position:]])

    def offset_in_file(self, position: int) -> int:
        """Return the offset in the file of a position in `sql`, both from 0."""
        before = (0, 0)
        for start, start_in_file, end, end_in_file in self.shifts:
            if position < start:
                break
            if position < end:
                return start_in_file
            before = (end, end_in_file)
        return position - before[0] + before[1]

    def offset_of_parameter(self, name: str) -> int:
        """Return where in the file a parameter is used first."""
        index = self.parameters.index(name) + 1
        return next(shift[1] for shift in self.shifts if self.sql[shift[0] : shift[2]] == f"${index}")


def parse(file: SourceFile) -> Query:
    """Read one file.

    Raises:
        QueryEmpty: it holds no statement.
        TwoStatements: it holds more than one.
        DirectiveInvalid: its header is wrong.
        NotDescribable: it is a utility statement and does not say so, or says so and is none.
        ParameterClash: two of its parameters differ only in case.
    """
    path, text = file.path, file.text
    statements = list(split(text))
    if not statements:
        raise QueryEmpty("there is no statement in the file", path=path, hint="remove the file, or write the query")
    if len(statements) > 1:
        raise TwoStatements(
            "a second statement begins here", path=path, text=text, offset=statements[1][0], hint="one file, one query"
        )
    start, statement = statements[0]
    header = read_header(path, text, start)
    _check_utility(header, file, start, _first_word(statement))
    pieces = _without_end([piece for piece in tokens(text) if piece.start < start + len(statement)])
    end = pieces[-1].start + len(pieces[-1].text)
    parameters = _parameters(file, [piece for piece in pieces if piece.kind == "parameter"])
    sql, shifts = _numbered(pieces, parameters)
    return Query(file.name, path, text, file.checksum, header, start, end, parameters, sql, shifts)


def _without_end(pieces: list[Token]) -> list[Token]:
    """Return the pieces up to the last that matters: no semicolon, no comment, no blank."""
    while pieces[-1].kind == "comment" or pieces[-1].text.isspace() or pieces[-1].text == ";":
        pieces.pop()
    return pieces


def _first_word(statement: str) -> str:
    if statement.startswith("("):
        return "("
    letters = []
    for letter in statement:
        if not (letter.isalpha() or letter == "_"):
            break
        letters.append(letter)
    return "".join(letters).upper()


def _check_utility(header: Header, file: SourceFile, start: int, verb: str) -> None:
    if header.utility == (verb in UTILITY):
        return
    if header.utility:
        summary, hint = f"{verb or 'this'} is no utility statement", "leave `-- utility` out, and it will be described"
    else:
        summary = f"PostgreSQL does not describe {verb}"
        hint = "put a line `-- utility` into the header, and it is kept as it is"
    raise NotDescribable(summary, path=file.path, text=file.text, offset=start, hint=hint)


def _parameters(file: SourceFile, pieces: list[Token]) -> tuple[str, ...]:
    names: dict[str, str] = {}
    for piece in pieces:
        name = piece.text[1:]
        known = names.setdefault(python_name(name).casefold(), name)
        if known != name:
            raise ParameterClash(
                f"parameters :{known} and :{name} would be one argument",
                path=file.path, text=file.text, offset=piece.start, hint="give one of them another name",
            )  # fmt: skip
    return tuple(names.values())


def python_name(name: str) -> str:
    """Return a name as a Python identifier; `class` becomes `class_`.

    >>> python_name("class"), python_name("from_year")
    ('class_', 'from_year')
    """
    return f"{name}_" if keyword.iskeyword(name) else name


def _numbered(pieces: list[Token], parameters: tuple[str, ...]) -> tuple[str, tuple[tuple[int, int, int, int], ...]]:
    numbers = {name: f"${number}" for number, name in enumerate(parameters, start=1)}
    parts: list[str] = []
    shifts: list[tuple[int, int, int, int]] = []
    length = 0
    for piece in pieces:
        text = numbers[piece.text[1:]] if piece.kind == "parameter" else piece.text
        if piece.kind == "parameter":
            shifts.append((length, piece.start, length + len(text), piece.start + len(piece.text)))
        parts.append(text)
        length += len(text)
    return "".join(parts), tuple(shifts)
