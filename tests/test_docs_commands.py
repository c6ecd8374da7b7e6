"""The handbooks that are walked through: each command in them is run, in order, and answers what is shown.

In a block marked `console` a line that begins with `$ ` is a command, which goes on after a backslash or to the end of
its here-document. The lines below it are all that it prints, or nothing where that is not shown; `…` stands for any
text of a line, and alone on a line for any lines. Numbers, names of models and moments differ from run to run. A
command ends with 0, but where an error is shown. `mgw serve &` runs until `kill %1`; of what it says, which comes from
two programs at once, some lines are shown.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from ports import free_port

from mgw.core.resources import resource

DOCS = Path(__file__).resolve().parents[1] / "docs"
HANDBOOKS = "getting-started", "data", "training"
PATIENCE_S = 60
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HERE = re.compile(r"<<'(\w+)'")
_NAME = re.compile(r"\b(?:als|lora)-\d{8}T\d{6}-[0-9a-f]{8}\b")
_SHOWN_PORTS = {"service": "8082", "gateway": "8080"}


@dataclass(frozen=True)
class Step:
    """A command and what the document shows of its output; nothing where it shows none."""

    command: str
    shown: str


def steps_of(text):
    """Read the commands of a document, from the top to the bottom."""
    return [step for block in _BLOCK.findall(text) for step in _steps_of_block(block)]


def _steps_of_block(block):
    lines = iter(block.splitlines())
    command, shown = None, []
    for line in lines:
        if not line.startswith("$ "):
            assert command is not None, f"a block begins with {line!r}, which is no command"
            shown.append(line)
            continue
        if command is not None:
            yield Step(command, "\n".join(shown))
        command, shown = _whole(line[2:], lines), []
    assert command is not None, "a block without a command"
    yield Step(command, "\n".join(shown))


def _whole(command, lines):
    if here := _HERE.search(command):
        for line in lines:
            command += f"\n{line}"
            if line == here[1]:
                return command
        raise AssertionError(f"a here-document does not end: {command}")
    while command.endswith("\\"):
        command += f"\n{next(lines)}"
    return command


def masked(text):
    """Leave of an output what is the same in every run."""
    text = _NAME.sub(lambda name: name[0].partition("-")[0], text)
    text = re.sub(r"\b[0-9a-f]{32,}\b", "HASH", text)
    text = re.sub(r"\d+", "0", text)
    text = re.sub(r"0(?:[.,:]0)+|\.0\b", "0", text)
    # A sign is a number's as much as its digits are, and how wide a column and its rule are hangs on the numbers.
    text = re.sub(r"(?<![\w-])[+-](?=0)", "", text)
    return "\n".join(re.sub(r"\s+", " ", re.sub(r"█+|[▏▎▍▌▋▊▉]", "█", line)).strip() for line in text.splitlines())


def same(shown, found):
    """Tell whether an output is the one that is shown."""
    pattern = ""
    for line in masked(shown.strip("\n")).splitlines():
        if line == "…":
            pattern += r"(?:[^\n]*\n)*"
        else:
            pattern += re.escape(line).replace("…", r"[^\n]*") + "\n"
    return re.fullmatch(pattern, masked(found.strip("\n")) + "\n") is not None


class Reader:
    """Somebody who types what a document says, in a folder of their own."""

    def __init__(self, folder):
        self.root = self.folder = folder
        self.ports = {name: free_port() for name in _SHOWN_PORTS}
        bin_dir = Path(sys.executable).parent
        self.environment = {
            **os.environ,
            "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
            "MGW_SERVICE_PORT": str(self.ports["service"]),
        }
        self._names: dict[str, str] = {}
        self._serving = None
        self._log = folder / "serve.log"

    def follow(self, step):
        if step.command == "mgw serve &":
            said = masked(self._serve()).splitlines()
            assert not [line for line in masked(step.shown).splitlines() if line not in said], said
            return
        found = self._end_serving() if step.command == "kill %1" else self._run(step)
        if step.shown:
            self._names |= dict(zip(_NAME.findall(step.shown), _NAME.findall(found), strict=False))
            assert same(step.shown, found), f"$ {step.command}\nshown:\n{step.shown}\nfound:\n{found}"

    def _run(self, step):
        command = step.command
        for name, port in self.ports.items():
            command = command.replace(f"localhost:{_SHOWN_PORTS[name]}", f"localhost:{port}")
        command = _NAME.sub(lambda name: self._names[name[0]], command)  # a name that was shown, by that which came
        where = self.root / "where"
        script = f"set -o pipefail\n{command}\ncode=$?; pwd > {shlex.quote(str(where))}; exit $code"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=PATIENCE_S,
        )  # fmt: skip
        self.folder = Path(where.read_text(encoding="utf-8").strip())
        refused = re.search(r"^error\[", step.shown, re.MULTILINE) is not None
        assert (done.returncode != 0) == refused, f"$ {command}\nended with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def _serve(self):
        """Start what runs on, on ports that are free, and wait until it answers."""
        own = self.folder / "gateway.yaml"
        assert not own.exists(), "the document has a gateway of its own: give it the port here"
        text = (resource("configs") / "gateway.yaml").read_text(encoding="utf-8")
        before = f"port: {_SHOWN_PORTS['gateway']}"
        assert text.count(before) == 1
        own.write_text(text.replace(before, f"port: {self.ports['gateway']}"), encoding="utf-8")
        with self._log.open("wb") as log:
            self._serving = subprocess.Popen(
                ["mgw", "serve"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_ready():
            assert self._serving.poll() is None, self._said()
            assert time.monotonic() < deadline, self._said()
            time.sleep(0.1)
        return self._said()

    def _is_ready(self):
        url = f"http://127.0.0.1:{self.ports['gateway']}/api/v1/health/aggregate"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False

    def _end_serving(self):
        before = len(self._said())
        self._serving.send_signal(signal.SIGTERM)
        assert self._serving.wait(PATIENCE_S) == 0, self._said()
        self._serving = None
        return self._said()[before:]

    def _said(self):
        return self._log.read_text(encoding="utf-8")

    def leave(self):
        """End what the document did not; whoever did not come to its end leaves nothing running either."""
        if self._serving is not None:
            self._serving.terminate()
            self._serving.wait(PATIENCE_S)
        for project in self.root.rglob("mgw.yaml"):
            subprocess.run(
                ["mgw", "db", "stop"], cwd=project.parent, env=self.environment, check=False, capture_output=True
            )

    def left_running(self):
        """Return the command lines of processes that work in the folder, where the system tells."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (process / "cwd").readlink().is_relative_to(self.root):
                    found.append((process / "cmdline").read_bytes())
        return found


@pytest.mark.parametrize("name", HANDBOOKS)
def test_the_document_can_be_followed(name, tmp_path):
    steps = steps_of((DOCS / f"{name}.md").read_text(encoding="utf-8"))
    assert len(steps) >= 8
    reader = Reader(tmp_path)
    try:
        for step in steps:
            reader.follow(step)
        assert reader._serving is None, "the document does not end what it started"
        assert not reader.left_running()
    finally:
        reader.leave()


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("1,204 titles in 1.2 s", "30 titles in 0.8 s"),
        ("model als-20261129T051238-03bf0147: 64", "model als-20270101T000000-aaaaaaaa: 32"),
        ("a  +0.0151  12", "a -.2   400,000"),
        ("first\n…\nlast", "first\nany\nother\nlast"),
        ("first\n…", "first"),
        ("for … by you", "for whom it may concern by you"),
    ],
)
def test_what_differs_from_run_to_run_is_not_compared(shown, found):
    assert same(shown, found)


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("events  new  30", "events  old  30"),
        ("first\nlast", "first\nany\nlast"),
        ("first", "first\nlast"),
        ("for … by you", "for whom\nit may concern by you"),
        ("12 titles", "titles"),
        ("a.c", "abc"),
    ],
)
def test_what_is_something_else_is_noticed(shown, found):
    assert not same(shown, found)


def test_commands_are_read_whole():
    text = "```console\n$ cat > a <<'E'\n$ x\nE\n$ mgw b \\\n  --c\nd\n```\n```bash\n$ e\n```\n"
    assert steps_of(text) == [Step("cat > a <<'E'\n$ x\nE", ""), Step("mgw b \\\n  --c", "d")]
