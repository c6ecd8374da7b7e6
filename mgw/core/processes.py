"""Processes of this machine: whether one is there, and that one ends with the one that started it.

On Linux the kernel signals a child when the thread dies that made it, however that comes about (`man 2
PR_SET_PDEATHSIG`); elsewhere nothing does. Where the parent is gone before the child has asked for this, the child ends
by itself.

The keeper of the embedded server, which imports itself alone, has such lines of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    Prctl: TypeAlias = Callable[..., Any]

_PR_SET_PDEATHSIG = 1


def is_alive(pid: int) -> bool:
    """Say whether a process is there, whoever runs it; one that has ended is, until its parent has waited for it."""
    try:
        os.kill(pid, 0)
    except PermissionError:  # of another user
        return True
    except (ProcessLookupError, OverflowError):  # no process has so large a number
        return False
    return True


def bound_to_parent(sign: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return what a child does before it becomes another program: have itself signalled when this process dies.

    It is for `preexec_fn`, which runs after a change of the user, as it has to. All that is looked up is looked up
    here, before the fork, where it is safe. The thread that starts the child has to live as long as the process.

    Args:
        sign: what the child gets.
    """
    return partial(_bind, _prctl(), os.getpid(), sign)


def bind_to_parent(parent: int, sign: signal.Signals = signal.SIGTERM) -> None:
    """Have this process signalled when its parent dies, and end it at once where that is gone already.

    Args:
        parent: process id of the parent, as it said itself: who asks for it here may come too late.
        sign: what this process gets.
    """
    _bind(_prctl(), parent, sign)


def _prctl() -> Prctl | None:
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - only here

    prctl: Prctl = ctypes.CDLL(None, use_errno=True).prctl
    return prctl


def _bind(prctl: Prctl | None, parent: int, sign: signal.Signals) -> None:
    if prctl is None:
        return
    prctl(_PR_SET_PDEATHSIG, sign.value, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
