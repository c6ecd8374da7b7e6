"""Comments that allow a finding: `mgw: noqa[MGWQ001]` behind a line, or on a line of its own before it."""

from __future__ import annotations

import io
import re
import tokenize
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mgw.lint.finding import Edit, Finding, Fix
from mgw.lint.registry import all_rules
from mgw.lint.rules.unused_noqa import CODE as UNUSED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mgw.lint.project import Project

_FORM = re.compile(r"(?P<lead>[ \t]*)(?P<mark>#|--)[ \t]*mgw:[ \t]*noqa(?:\[(?P<codes>[^\]\n]*)\])?(?P<rest>[^\n]*)")
_WORD = "mgw: noqa"


@dataclass(slots=True)
class Comment:
    """A comment that allows something.

    Attributes:
        path: of the file.
        line: where it stands.
        covers: the line that it is about.
        codes: that it allows; none where it names none.
        span: where it is in the text, with the blanks in front.
        used: codes that there was a finding for.
    """

    path: str
    line: int
    covers: int
    codes: tuple[str, ...]
    span: tuple[int, int]
    used: set[str] = field(default_factory=set)


def comments_of(path: str, text: str) -> Iterator[Comment]:
    """Yield the comments of a file."""
    if "mgw:" not in text or "noqa" not in text:
        return
    lines = text.splitlines()
    is_comment = _python_comments(text) if path.endswith(".py") else None
    for match in _FORM.finditer(text):
        line = text.count("\n", 0, match.start("mark")) + 1
        before = lines[line - 1][: match.start("mark") - (text.rfind("\n", 0, match.start("mark")) + 1)]
        if is_comment is None and (before.count('"') % 2 or before.count("'") % 2):  # in a text, most likely
            continue
        if is_comment is not None and (line, len(before)) not in is_comment:
            continue
        covers = line
        if not before.strip():  # alone on its line: it is about the next that is no comment
            covers = next(
                (
                    number
                    for number, other in enumerate(lines[line:], start=line + 1)
                    if other.strip() and not other.lstrip().startswith(match["mark"])
                ),
                line,
            )
        codes = tuple(code.strip() for code in (match["codes"] or "").split(",") if code.strip())
        yield Comment(path, line, covers, codes, match.span())


def _python_comments(text: str) -> set[tuple[int, int]]:
    """Return where the comments of a module begin, by line and column; as far as it can be cut into tokens."""
    found = set()
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.add(token.start)
    return found


def allowed(project: Project, findings: Iterable[Finding]) -> tuple[list[Finding], list[Comment]]:
    """Take away what a comment allows; return the rest, and all comments with what they were good for.

    Args:
        project: whose files have the comments.
        findings: of all rules.
    """
    by_place: dict[tuple[str, int], list[Comment]] = {}
    comments = []
    for path in project.paths:
        if path.endswith((".py", ".sql", ".yaml", ".yml", ".toml")):
            for comment in comments_of(path, project.source(path).text):
                comments.append(comment)
                by_place.setdefault((path, comment.covers), []).append(comment)
    left = []
    for finding in findings:
        found = [each for each in by_place.get((finding.path, finding.line), ()) if finding.code in each.codes]
        for comment in found:
            comment.used.add(finding.code)
        if not found:
            left.append(finding)
    return left, comments


def unused(project: Project, comments: Iterable[Comment], asked: set[str], tools: set[str]) -> Iterator[Finding]:
    """Yield a finding for each comment that allows what there is not.

    Args:
        project: whose files have the comments.
        comments: with what they were good for.
        asked: the codes that were looked for in this run; of others nothing can be said.
        tools: others that were asked.
    """
    known = {rule.code for rule in all_rules()}

    def may_be_needed(code: str) -> bool:
        tool, colon, _ = code.partition(":")
        return tool not in tools if colon else code in known and code not in asked

    for comment in comments:
        if not comment.codes:
            yield _finding(comment, "`mgw: noqa` names no codes", "name them: `mgw: noqa[MGWQ001]`", None)
            continue
        kept = [code for code in comment.codes if code in comment.used or may_be_needed(code)]
        if needless := [code for code in comment.codes if code not in kept]:
            unknown = [code for code in needless if code not in known and ":" not in code]
            why = f"there is no rule {unknown[0]}" if unknown else "there is nothing to allow"
            message = f"{', '.join(needless)} {'are' if len(needless) > 1 else 'is'} allowed here, and {why}"
            yield _finding(comment, message, "delete it", _fix(project, comment, kept))


def _fix(project: Project, comment: Comment, kept: list[str]) -> Fix:
    start, end = comment.span
    text = project.source(comment.path).text
    if kept:
        instead = re.sub(r"\[[^\]]*\]", f"[{', '.join(kept)}]", text[start:end], count=1)
        return Fix((Edit(start, end, instead),), is_safe=True)
    alone = comment.line != comment.covers
    return Fix((Edit(start, min(end + 1, len(text)) if alone else end, ""),), is_safe=True)


def _finding(comment: Comment, message: str, hint: str, fix: Fix | None) -> Finding:
    return Finding(
        code=UNUSED, name="unused-noqa", path=comment.path, line=comment.line, message=message, hint=hint, fix=fix
    )
