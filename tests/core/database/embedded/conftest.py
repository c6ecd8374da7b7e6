"""Real servers, real processes: what the tests of the embedded server share."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from waiting import until

import mgw
from mgw.core.database.embedded import EmbeddedServer
from mgw.core.processes import is_alive

PATIENCE_S = 60.0
PYTHONPATH = os.pathsep.join([str(Path(mgw.__file__).parents[1]), sysconfig.get_path("platlib")])
NOBODY = 65534

# Holds a lease until its standard input ends, and says where it leads.
CLIENT = """
import json, sys
from pathlib import Path
from mgw.core.database.embedded import EmbeddedServer
from mgw.core.errors import MgwError
server = EmbeddedServer(Path(sys.argv[1]))
try:
    with server.lease() as url:
        status = server.status()
        print(json.dumps({"url": url, "pid": status.pid, "keeper_pid": status.keeper_pid}), flush=True)
        sys.stdin.read()
except MgwError as error:
    print(json.dumps({"code": error.code, "message": error.message}), flush=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def is_running(pid: int) -> bool:
    """A process that ended counts as gone, whether or not its parent has asked for its exit code."""
    if not is_alive(pid):
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):  # it ended between the two, or there is no /proc
        return not Path("/proc/self").exists()


def wait_until(condition, what: str) -> None:
    until(condition, what, PATIENCE_S)


def wait_until_gone(*pids: int) -> None:
    for pid in pids:
        wait_until(lambda pid=pid: not is_running(pid), f"process {pid} has ended")


def query(url: str, statement: str):
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else None


class Client:
    """A process of its own that holds a lease."""

    def __init__(self, home: Path, *, uid: int | None = None, python: str = sys.executable, **environment: str) -> None:
        identity = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
        self.process = subprocess.Popen(
            [python, "-B", "-c", CLIENT, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": PYTHONPATH, **environment},
            cwd="/",
            **identity,
        )
        self._answer = None

    @property
    def answer(self) -> dict:
        if self._answer is None:
            line = self.process.stdout.readline()
            assert line, "the client ended without an answer"
            self._answer = json.loads(line)
        return self._answer

    @property
    def url(self) -> str:
        return self.answer["url"]

    @property
    def pids(self) -> tuple[int, int]:
        return self.answer["pid"], self.answer["keeper_pid"]

    def end(self) -> int:
        self.process.stdin.close()
        return self._reap()

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> int:
        self.process.send_signal(sign)
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        if not self.process.stdin.closed:
            self.process.stdin.close()
        return code


@pytest.fixture
def client():
    """Start clients; whatever a test leaves of them is killed."""
    clients = []

    def start(*arguments, **keywords) -> Client:
        clients.append(Client(*arguments, **keywords))
        return clients[-1]

    yield start
    for each in clients:
        if each.process.poll() is None:
            each.kill()
        each._reap()


@pytest.fixture
def server(tmp_path):
    """A server that is not running yet."""
    server = EmbeddedServer(tmp_path / "postgres", timeout_s=PATIENCE_S)
    yield server
    stop(server)


def stop(server: EmbeddedServer) -> None:
    """End what still runs, so that the next test and the removal of the folder find nothing."""
    status = server.status()
    server.stop()
    if status.running:
        wait_until_gone(status.pid, status.keeper_pid)


@pytest.fixture
def as_root():
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")


@pytest.fixture
def nobody(as_root):
    """A folder that `nobody` owns, and what it takes to start clients as that user."""
    refusals = {python: _refusal_of_nobody(python) for python in (sys.executable, "/usr/bin/python3")}
    usable = next((python for python, refusal in refusals.items() if refusal is None), None)
    if usable is None:
        pytest.skip(f"user nobody can run no Python with our packages: {refusals}")
    folder = Path(tempfile.mkdtemp(prefix="mgw-test-", dir="/tmp"))
    os.chown(folder, NOBODY, NOBODY)
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "HOME": str(folder)}
    yield Nobody(folder, {"uid": NOBODY, "python": usable, **environment})
    wait_until(lambda: not list(folder.rglob("keeper.sock")), "the servers below the folder have ended")
    shutil.rmtree(folder)


@dataclass(frozen=True)
class Nobody:
    folder: Path
    keywords: dict[str, object]


def _refusal_of_nobody(python: str) -> str | None:
    """Return why that user cannot run an interpreter of our version with our packages, or None if it can."""
    program = f"import sys, mgw.core.database.embedded; assert sys.version_info[:2] == {sys.version_info[:2]}"
    try:
        answer = subprocess.run(
            [python, "-B", "-c", program],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": PYTHONPATH, "PATH": os.defpath},
            cwd="/",
            check=False,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
        )
    except OSError as error:
        return str(error)
    return answer.stderr[-300:] if answer.returncode else None
