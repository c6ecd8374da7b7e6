"""Writes the documents that follow from the program: the help of commands, the errors, the pages of the linter's rules.

`--check` writes nothing and fails, with a diff, where a document is not what the program says today.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["TERMINAL_WIDTH"] = os.environ["COLUMNS"] = "100"

import typer.main
from licences import licence_page

from mgw.cli.app import app
from mgw.cli.config import json_schema
from mgw.cli.explain_error import errors_with_codes, page
from mgw.lint import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent
SCHEMAS = DOCS.parent / "configs" / "schemas"
WIDTH = 100
OLDEST = 3, 11
ERRORS_HEAD = """# Errors

Generated from the program by `make docs`. An error is printed on stderr as `error[CODE]`, with what is wrong and, after
`hint`, what to do about it; `mgw explain-error CODE` shows the same.
"""
RULES_HEAD = """# Rules of `mgw lint`

Generated from the program by `make docs`; `mgw lint --explain CODE` shows a page. [`lint.md`](lint.md) is the handbook.
"""
HEAD = """# Commands

Generated from `--help` by `make docs`.

Exit codes: 0 yes · 1 the answer is no · 2 usage, configuration or an unreachable service · 3 a fault of mgw ·
130 interrupted · 141 the reader of the output went away. Results go to stdout, everything else to stderr.
"""


def cli_reference() -> str:
    """Return the help of every command as one page."""
    root = typer.main.get_command(app)
    parts = [HEAD]
    for path, text in _helps(root, "mgw", None):
        parts.append(f"## {path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - typer names no types
    context = command.make_context(name, [], parent=parent, resilient_parsing=True, max_content_width=WIDTH)
    context.terminal_width = WIDTH
    yield context.command_path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    # Not by its class: typer carries a click of its own, whose groups are not those of the package click.
    if hasattr(command, "list_commands"):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from _helps(found, child, context)


def error_reference() -> str:
    """Return every error with its code, exit code and explanation as one page."""
    pages = (f"## {each.code}\n\n{page(each)}\n\nExit code {each.exit_code}.\n" for each in errors_with_codes())
    return "\n".join([ERRORS_HEAD, *pages])


def rule_reference() -> str:
    """Return the page of every rule of the linter as one."""
    parts = [RULES_HEAD]
    for rule in all_rules():
        page = rule.page.replace("\n## ", "\n### ")
        parts.append(f"## {rule.code} {rule.name}\n\n{page}\n")
    return "\n".join(parts)


def schemas() -> dict[Path, str]:
    """Return the JSON Schemas of the YAML files, for editors."""
    return {
        SCHEMAS / f"{kind}.json": json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"
        for kind in ("settings", "gateway", "experiment")
    }


def licences() -> dict[Path, str]:
    """Return the page of licences, on the oldest Python alone: newer ones need fewer packages."""
    return {DOCS / "licences.md": licence_page()} if sys.version_info[:2] == OLDEST else {}


def main() -> int:
    """Write the documents, or with `--check` compare them; return the exit code."""
    documents = {
        DOCS / "cli.md": cli_reference(),
        DOCS / "errors.md": error_reference(),
        **licences(),
        DOCS / "rules.md": rule_reference(),
        **schemas(),
    }
    stale = 0
    for path, content in documents.items():
        existing = path.read_text(encoding="utf-8") if path.exists() else ""
        if existing == content:
            continue
        if "--check" not in sys.argv[1:]:
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")
            continue
        stale += 1
        names = {"fromfile": f"{path} as it is", "tofile": f"{path} as it should be: make docs"}
        sys.stderr.writelines(difflib.unified_diff(existing.splitlines(True), content.splitlines(True), **names))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
