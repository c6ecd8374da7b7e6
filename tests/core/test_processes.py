"""Processes: seen whoever runs them, and ended with the one that started them, also where that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import mgw
from mgw.core.processes import is_alive

ENVIRON = {**os.environ, "PYTHONPATH": str(Path(mgw.__file__).parents[1])}
NOBODY = 65_534

# Starts a child that lives until it is signalled, says that it runs, and waits to be killed.
PARENT = """
import subprocess, sys
from mgw.core.processes import bound_to_parent
child = [sys.executable, "-c", "print('runs', flush=True); import signal; signal.pause()"]
subprocess.Popen(child, preexec_fn=bound_to_parent())
sys.stdin.read()
"""
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel does not tell")


def run(program, *arguments, **options):
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], env=ENVIRON, check=False, timeout=60, **options
    )


def test_a_process_is_there_until_it_was_waited_for():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert is_alive(process.pid)
        process.communicate(b"\n")
    assert not is_alive(process.pid)
    assert not is_alive(1 << 40)
    assert is_alive(os.getpid())


def test_a_process_of_another_user_is_there():
    program = f"""
import os, sys
from mgw.core.processes import is_alive
if os.geteuid() == 0:
    os.setuid({NOBODY})
sys.exit(0 if is_alive(1) else 1)
"""
    assert run(program).returncode == 0


@needs_linux
def test_a_child_ends_with_a_parent_that_is_killed():
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, env=ENVIRON, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout.readline() == b"runs\n"
        parent.send_signal(signal.SIGKILL)
        assert parent.stdout.read() == b"", "it ends when the child does, which has it open"


@needs_linux
def test_a_child_whose_parent_is_gone_already_ends_at_once():
    program = "import sys; from mgw.core.processes import bind_to_parent; bind_to_parent(int(sys.argv[1])); print('on')"
    assert run(program, os.getpid(), capture_output=True).stdout == b"on\n"
    gone = run(program, 1 << 22, capture_output=True)  # the largest that there can be is one less
    assert (gone.returncode, gone.stdout) == (1, b"")
