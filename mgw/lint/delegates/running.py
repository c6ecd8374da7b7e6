"""Starting other tools beside our own rules, and reading what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol, Self

from mgw.lint.delegates import deptry, ruff, squawk
from mgw.lint.files import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from mgw.lint.finding import Finding
    from mgw.lint.project import Project

_LONGEST_S = 300.0
_SHOWN_LINES = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """A tool that was to be asked and could not be.

    Attributes:
        tool: its name.
        message: what is the matter.
        hint: what to do.
        is_failure: whether the run is incomplete because of it; else it is only worth a word.
    """

    tool: str
    message: str
    hint: str
    is_failure: bool


class Tool(Protocol):
    """A module that knows one tool."""

    def command(self, project: Project, answer: Path) -> list[str] | None:
        """Return how it is called, without its own name; None where it has nothing to look at."""

    def findings(self, project: Project, said: str) -> Iterator[Finding]:
        """Read what it wrote.

        Raises:
            ValueError: that is not what it writes.
            KeyError: the same.
            TypeError: the same.
        """


TOOLS: dict[str, Tool] = {"ruff": ruff, "squawk": squawk, "deptry": deptry}
"""By what they are called in the configuration, and as programs."""


@dataclass(slots=True)
class _Running:
    name: str
    process: subprocess.Popen[bytes]
    answer: Path
    errors: IO[bytes]


class Delegates:
    """Tools that work while our own rules do.

    Args:
        project: that they look at.
        tools: their names.
        is_asked_for: whether somebody named them, so that to lack one is a failure.
    """

    def __init__(self, project: Project, tools: Sequence[str], *, is_asked_for: bool) -> None:
        self._project = project
        self._tools = tools
        self._is_asked_for = is_asked_for
        self._running: list[_Running] = []
        self._folder = Path(tempfile.mkdtemp(prefix="mgw-lint-"))
        self._troubles: list[Trouble] = []

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What could not be asked."""
        return tuple(self._troubles)

    def __enter__(self) -> Self:
        for name in self._tools:
            self._start(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._running:
            each.process.kill()
            each.process.wait()
            each.errors.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def findings(self) -> list[Finding]:
        """Wait for all and return what they found, but in files that are not looked at."""
        found: list[Finding] = []
        while self._running:
            each = self._running.pop(0)
            try:
                each.process.wait(_LONGEST_S)
                said = each.answer.read_text(encoding="utf-8")
                found += TOOLS[each.name].findings(self._project, said)
            except subprocess.TimeoutExpired:
                each.process.kill()
                each.process.wait()
                self._fail(each.name, f"had no answer after {_LONGEST_S:.0f} s")
            except (OSError, ValueError, KeyError, TypeError):
                self._fail(each.name, f"ended with {each.process.returncode}{_said(each.errors)}")
            finally:
                each.errors.close()
        excluded = self._project.configuration.exclude
        return [finding for finding in found if not matches(finding.path, excluded)]

    def _start(self, name: str) -> None:
        answer = self._folder / f"{name}.json"
        arguments = TOOLS[name].command(self._project, answer)
        if arguments is None:
            return
        program = _program(name)
        if program is None:
            hint = "pip install 'mgw[lint]', or leave it out of `delegates`"
            self._troubles.append(Trouble(name, f"{name} is not installed and was not asked", hint, self._is_asked_for))
            return
        errors = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed when it has ended
        with answer.open("wb") as output:
            try:
                process = subprocess.Popen(
                    [program, *arguments], cwd=self._project.root, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=errors, env={**os.environ, "NO_COLOR": "1"},
                )  # fmt: skip
            except OSError as error:
                errors.close()
                self._fail(name, f"cannot be started: {error.strerror or error}")
                return
        self._running.append(_Running(name, process, answer, errors))

    def _fail(self, name: str, message: str) -> None:
        self._troubles.append(
            Trouble(name, f"{name} {message}", f"run `{name}` by itself to see more", is_failure=True)
        )


def _program(name: str) -> str | None:
    """Return where a tool is: beside the Python that runs this, where extras are, or on the path."""
    beside = Path(sys.executable).parent / name
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(name)


def _said(errors: IO[bytes]) -> str:
    errors.seek(0)
    lines = [line.strip() for line in errors.read(4096).decode("utf-8", "replace").splitlines() if line.strip()]
    return f": {' / '.join(lines[:_SHOWN_LINES])}" if lines else ", and said nothing that can be read"
