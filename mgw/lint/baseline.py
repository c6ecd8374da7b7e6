"""The findings that were there before: kept by what the line says and not by its number, so that they stay themselves.

A finding is known by its code, its file, its message and the text of its line. Where a line is there twice, both count.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from mgw.core.errors import BaselineInvalid
from mgw.core.files import storage_errors, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mgw.lint.finding import Finding
    from mgw.lint.project import Project

FORMAT = 1


class _Known(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    fingerprint: str
    code: str
    path: str
    message: str
    count: int = 1


class _Baseline(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal[1] = 1
    findings: tuple[_Known, ...] = ()


def split_by(project: Project, findings: Iterable[Finding], path: Path) -> tuple[list[Finding], int, int]:
    """Take away what a baseline knows.

    Returns:
        The findings that are new, how many are known, and how many of the baseline are gone.

    Raises:
        BaselineInvalid: the file is none, or is of another version.
        FileUnreadable: it may not be read.
    """
    known = _read(path)
    new, matched = [], 0
    for finding in findings:
        print_ = _fingerprint(project, finding)
        if known[print_] > 0:
            known[print_] -= 1
            matched += 1
        else:
            new.append(finding)
    return new, matched, known.total()


def write(project: Project, findings: Sequence[Finding], path: Path) -> None:
    """Write a baseline that knows these findings, and no others."""
    counts = Counter(_fingerprint(project, finding) for finding in findings)
    first = {_fingerprint(project, finding): finding for finding in reversed(findings)}
    known = tuple(
        _Known(fingerprint=each, code=first[each].code, path=first[each].path, message=first[each].message, count=count)
        for each, count in sorted(counts.items(), key=lambda item: (first[item[0]].path, first[item[0]].code, item[0]))
    )
    write_atomic(path, msgspec.json.format(msgspec.json.encode(_Baseline(findings=known)), indent=2) + b"\n")


def _read(path: Path) -> Counter[str]:
    with storage_errors(path, "read"):
        content = path.read_bytes()
    try:
        form = msgspec.json.decode(content)
        if isinstance(form, dict) and form.get("format") != FORMAT:
            raise BaselineInvalid(
                f"{path} has format {form.get('format')}, and this version reads {FORMAT}",
                hint="write it again with --write-baseline",
            )
        baseline = msgspec.convert(form, _Baseline)
    except msgspec.MsgspecError as error:
        raise BaselineInvalid(f"{path} is no baseline: {error}", hint="write it again with --write-baseline") from error
    except UnicodeDecodeError as error:
        raise BaselineInvalid(f"{path} is not UTF-8", hint="write it again with --write-baseline") from error
    found: Counter[str] = Counter()
    for known in baseline.findings:
        found[known.fingerprint] += known.count
    return found


def _fingerprint(project: Project, finding: Finding) -> str:
    lines = project.source(finding.path).text.splitlines()
    text = " ".join(lines[finding.line - 1].split()) if 0 < finding.line <= len(lines) else ""
    whole = f"{finding.code}\0{finding.path}\0{finding.message}\0{text}"
    return hashlib.sha256(whole.encode()).hexdigest()[:20]
