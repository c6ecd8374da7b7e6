"""The header of a query: the comment lines in front of the statement, prose and directives.

A line that begins with `word:` or `word name:`, or is `utility` or `pipelined` alone, is a directive; everything else
is prose, the description of the query. Directives:

    -- param NAME: TYPE            the type of a parameter where PostgreSQL cannot tell it, or tells another
    -- param NAME: null            the parameter may be NULL (also after a type: `-- param NAME: integer null`)
    -- column NAME: not null       a result column is never NULL, where the proof does not reach
    -- column NAME: null           a result column counts as nullable, whatever the proof says
    -- column NAME: elements not null   no element of an array is NULL (also: `not null, elements not null`)
    -- returns: one                one | optional | many | execute | copy
    -- needs: ingest/stage_events  queries marked `utility` that create the temporary tables which this one uses
    -- scan TABLE: why             reading the whole table is what the query is for
    -- utility                     a statement that PostgreSQL does not describe: COPY, CREATE, DROP, ANALYZE
    -- pipelined                   the query is sent together with others: it gets an accessor that does not wait

What begins with `mgw: noqa` is for `mgw lint`, and neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, get_args

from mgw.sql.errors import DirectiveInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Returns: TypeAlias = Literal["one", "optional", "many", "execute", "copy"]
DIRECTIVES = ("param", "column", "returns", "needs", "scan", "utility", "pipelined")

_COMMENT = re.compile(r"[ \t]*--[ \t]?(.*)")
_DIRECTIVE = re.compile(r'([a-z]+)(?:[ \t]+([\w$]+|"(?:[^"]|"")+"))?[ \t]*:(?:[ \t]+(.*)|)')
_ALONE = re.compile(r"(utility|pipelined)[ \t]*")
_FOR_THE_LINTER = "mgw: noqa"
_SEPARATORS = re.compile(r"[,\s]+")


@dataclass(frozen=True, slots=True)
class Override:
    """What the header says of a parameter or a column.

    Attributes:
        type: name of a type as the header has it, for parameters.
        nullable: whether it may be NULL; None where the header does not say.
        elements_nullable: whether an element of the array may be.
        offset: where in the file it says so.
    """

    type: str | None
    nullable: bool | None
    offset: int
    elements_nullable: bool = True


@dataclass(frozen=True, slots=True)
class Header:
    """What stands in front of the statement.

    Attributes:
        description: the prose, a line for each line.
        utility: whether PostgreSQL describes no such statement.
        pipelined: whether it gets an accessor for a pipeline too.
        returns: the cardinality that the header claims.
        returns_offset: where it does.
        needs: names of the queries that create the temporary tables.
        parameters: overrides by parameter.
        columns: overrides by result column.
        scans: tables that are to be read as a whole.
    """

    description: str = ""
    utility: bool = False
    pipelined: bool = False
    returns: Returns | None = None
    returns_offset: int = 0
    needs: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, Override] = field(default_factory=dict)
    columns: dict[str, Override] = field(default_factory=dict)
    scans: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    """A header while it is being read."""

    path: Path
    text: str
    prose: list[str] = field(default_factory=list)
    utility: bool = False
    pipelined: bool = False
    returns: Returns | None = None
    returns_offset: int = 0
    needs: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, Override] = field(default_factory=dict)
    columns: dict[str, Override] = field(default_factory=dict)
    scans: dict[str, int] = field(default_factory=dict)

    def fault(self, summary: str, offset: int, hint: str) -> DirectiveInvalid:
        return DirectiveInvalid(summary, path=self.path, text=self.text, offset=offset, hint=hint)


def read_header(path: Path, text: str, end: int) -> Header:
    """Read the comment lines of a file up to `end`, where the statement begins.

    Raises:
        DirectiveInvalid: a line looks like a directive and is none, has a value of another form, or comes twice.
    """
    draft = _Draft(path, text)
    for offset, line in _comments(text[:end]):
        match = _DIRECTIVE.fullmatch(line)
        if line.startswith(_FOR_THE_LINTER):
            continue
        if alone := _ALONE.fullmatch(line):
            draft.utility |= alone[1] == "utility"
            draft.pipelined |= alone[1] == "pipelined"
        elif match is None:
            draft.prose.append(line)
        else:
            _read_directive(draft, match[1], match[2], (match[3] or "").strip(), offset)
    for offset, line in _comments(text[end:]):
        match = _DIRECTIVE.fullmatch(line)
        if (match and match[1] in DIRECTIVES) or _ALONE.fullmatch(line):
            raise draft.fault(
                "a directive behind the beginning of the statement", end + offset, "move it to the top of the file"
            )
    return Header(
        description="\n".join(draft.prose).strip(),
        utility=draft.utility,
        pipelined=draft.pipelined,
        returns=draft.returns,
        returns_offset=draft.returns_offset,
        needs=draft.needs,
        parameters=draft.parameters,
        columns=draft.columns,
        scans=draft.scans,
    )


def _comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the content of the lines that are comments as a whole, each with the offset of its content."""
    offset = 0
    for line in text.splitlines(keepends=True):
        match = _COMMENT.match(line)
        if match:
            content = match[1].rstrip()
            bare = content.lstrip()
            is_directive = _DIRECTIVE.fullmatch(bare) or _ALONE.fullmatch(bare)
            yield offset + match.start(1) + len(content) - len(bare), bare if is_directive else content
        offset += len(line)


def _read_directive(draft: _Draft, word: str, name: str | None, value: str, offset: int) -> None:
    readers: dict[str, Callable[[_Draft, str, str, int], None]] = {
        "param": _read_parameter,
        "column": _read_column,
        "scan": _read_scan,
        "returns": _read_returns,
        "needs": _read_needs,
    }
    if word not in readers:
        near = get_close_matches(word, DIRECTIVES, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(DIRECTIVES)}"
        raise draft.fault(f"unknown directive {word}", offset, f"{hint} Prose begins with a capital letter")
    takes_name = word in {"param", "column", "scan"}
    if takes_name != (name is not None):
        form = f"-- {word} NAME: …" if takes_name else f"-- {word}: …"
        raise draft.fault(f"{word} has another form", offset, f"write {form}")
    if not value:
        raise draft.fault(f"{word} says nothing", offset, "write what it is behind the colon")
    readers[word](draft, _unquoted(name or ""), value, offset)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _read_parameter(draft: _Draft, name: str, value: str, offset: int) -> None:
    if name in draft.parameters:
        raise draft.fault(f"parameter {name} twice", offset, "say everything about it in one line")
    words = value.split()
    nullable = True if words[-1].lower() == "null" else None
    kept = words[:-1] if nullable else words
    if kept and kept[-1].lower() == "not":
        raise draft.fault("`not null` says nothing new of a parameter", offset, "leave it out")
    draft.parameters[name] = Override(" ".join(kept) or None, nullable, offset)


def _read_column(draft: _Draft, name: str, value: str, offset: int) -> None:
    if name in draft.columns:
        raise draft.fault(f"column {name} twice", offset, "say it once")
    parts = {" ".join(part.lower().split()) for part in value.split(",")}
    elements = "elements not null" in parts
    rest = parts - {"elements not null"}
    if rest not in ({"null"}, {"not null"}) and not (elements and not rest):
        raise draft.fault(f"a column is `null` or `not null`, not `{value}`", offset, f"write -- column {name}: null")
    draft.columns[name] = Override(None, rest == {"null"} if rest else None, offset, not elements)


def _read_scan(draft: _Draft, name: str, value: str, offset: int) -> None:  # noqa: ARG001 - the reason is for readers
    draft.scans[name] = offset


def _read_returns(draft: _Draft, name: str, value: str, offset: int) -> None:  # noqa: ARG001 - it has none
    if value not in get_args(Returns):
        raise draft.fault(f"no query returns `{value}`", offset, f"one of {', '.join(get_args(Returns))}")
    if draft.returns is not None:
        raise draft.fault("returns twice", offset, "say it once")
    draft.returns, draft.returns_offset = cast("Returns", value), offset


def _read_needs(draft: _Draft, name: str, value: str, offset: int) -> None:  # noqa: ARG001 - it has none
    draft.needs |= dict.fromkeys(filter(None, _SEPARATORS.split(value)), offset)
