"""Programs that run together: started, watched over, and ended in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgw.cli.output import out
from mgw.core.processes import bound_to_parent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

_SETTLED_S = 5.0
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Program:
    """One of them.

    Attributes:
        name: of it, for messages.
        arguments: of `mgw`.
        takes_hangup: whether SIGHUP has it read its file anew.
    """

    name: str
    arguments: tuple[str, ...]
    takes_hangup: bool = False


def supervise(programs: Sequence[Program]) -> int:
    """Run programs until SIGTERM or SIGINT, or until one cannot be run; return the exit code.

    One that dies is started anew; one that ends by itself soon after it was started has said why, and ends the others.
    SIGHUP is passed on to those that take it, unless it may say that the terminal is gone: that ends everything. On
    another signal each is ended and waited for, the last one first: what takes requests goes before what answers them.
    """
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        ended.append(number)

    running: dict[Program, tuple[subprocess.Popen[bytes], float]] = {}

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for program, (process, _) in running.items():
            if program.takes_hangup:
                process.send_signal(number)

    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    wanted = {signal.SIGTERM: end, signal.SIGINT: end, signal.SIGHUP: end if has_terminal else pass_on}
    handlers = {each: signal.signal(each, handler) for each, handler in wanted.items()}
    try:
        for program in programs:
            running[program] = _start(program), time.monotonic()
        while not ended:
            code = _look_after(running)
            if code is not None:
                return code
            time.sleep(_LOOK_S)
        return 0
    finally:
        _end(programs, running)
        for each, handler in handlers.items():
            signal.signal(each, handler)


def _look_after(running: dict[Program, tuple[subprocess.Popen[bytes], float]]) -> int | None:
    """Start anew what died; return the exit code of what cannot be run."""
    for program, (process, since) in running.items():
        code = process.poll()
        if code is None:
            continue
        if time.monotonic() - since < _SETTLED_S:
            return code if code > 0 else 2
        out.warn(f"{program.name} has ended with {code} and is started anew")
        running[program] = _start(program), time.monotonic()
    return None


def _end(programs: Sequence[Program], running: dict[Program, tuple[subprocess.Popen[bytes], float]]) -> None:
    """End what runs, the last one first, and wait for each."""
    for program in reversed(programs):
        if program in running:
            process, _ = running[program]
            process.terminate()
            process.wait()


def _start(program: Program) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mgw", *program.arguments],
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for whoever watches over it
        preexec_fn=_prepared(),  # noqa: PLW1509 - calls of the kernel, looked up before
    )


def _prepared() -> Callable[[], None]:
    """Have a program end with the one that watches over it, and SIGHUP not end it before it takes it."""
    bind = bound_to_parent()

    def prepare() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        bind()

    return prepare
