"""Mending files: the edits of findings, each file written once, aside and renamed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from mgw.core.files import storage_errors, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mgw.lint.finding import Edit, Finding
    from mgw.lint.project import Project


def mend(project: Project, findings: Iterable[Finding], *, unsafe: bool) -> int:
    """Make the fixes that there are, and return how many.

    Of two that touch the same place the first is made; the next run finds the other again.

    Args:
        project: whose files are written.
        findings: those without a fix are passed over.
        unsafe: whether fixes are made, too, after which the program may do something else.

    Raises:
        ReadOnly: a file may not be written.
    """
    by_path: dict[str, list[tuple[Edit, ...]]] = defaultdict(list)
    for finding in findings:
        if finding.fix is not None and (finding.fix.is_safe or unsafe):
            by_path[finding.path].append(finding.fix.edits)
    made = 0
    for path, fixes in by_path.items():
        text, count = _edited(project.source(path).text, fixes)
        file = project.root / path
        with storage_errors(file, "read"):
            content = file.read_bytes()
            mode = file.stat().st_mode
        if b"\r\n" in content:
            text = text.replace("\n", "\r\n")
        bom = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
        write_atomic(file, bom + text.encode(), mode=mode & 0o777)
        made += count
    return made


def _edited(text: str, fixes: Iterable[tuple[Edit, ...]]) -> tuple[str, int]:
    taken: list[Edit] = []
    count = 0
    for edits in fixes:
        if all(edit.end <= other.start or other.end <= edit.start for edit in edits for other in taken):
            taken += edits
            count += 1
    for edit in sorted(taken, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text, count
