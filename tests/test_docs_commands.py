"""The commands of the documents: each is one that there is, and those of the handbooks do what is shown.

Every `mgw …` of every document, in a block or in prose, is read as the program reads it, and not run.

Some handbooks are walked through: each command in them is run, in order, and answers what is shown. In a block marked
`console` a line that begins with `$ ` is a command, which goes on after a backslash or to the end of its here-document.
The lines below it are all that it prints, or nothing where that is not shown; `…` stands for any text of a line, and
alone on a line for any lines. Numbers, names of models and moments differ from run to run. A command ends with 0, but
where an error is shown. `mgw serve … &` runs until `kill %1`; of what it says, which comes from two programs at once,
some lines are shown.
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
from functools import cache
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
import typer.main
from ports import free_port

from mgw.cli.app import app
from mgw.core.resources import resource

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DOCUMENTS = {file.name: file for file in [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]}
HANDBOOKS = (
    "getting-started", "data", "training", "lora", "sql", "experiments", "gateway", "operations", "lint", "recommend",
)  # fmt: skip
PATIENCE_S = 60
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_HERE = re.compile(r"<<'(\w+)'")
_NAME = re.compile(r"\b(?:als|lora)-\d{8}T\d{6}-[0-9a-f]{8}\b")
_SHOWN_PORTS = {"service": "8082", "gateway": "8080", "admin": "8090"}
_SERVE = re.compile(r"mgw serve\b.* &")


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
        if _SERVE.fullmatch(step.command):
            said = masked(self._serve(step.command)).splitlines()
            assert not [line for line in masked(step.shown).splitlines() if line not in said], said
            return
        found = self._end_serving() if step.command == "kill %1" else self._run(step)
        if step.shown:
            self._names |= dict(zip(_NAME.findall(step.shown), _NAME.findall(found), strict=False))
            assert same(step.shown, found), f"$ {step.command}\nshown:\n{step.shown}\nfound:\n{found}"

    def _run(self, step):
        command = step.command
        if command == "mgw status":
            self._give_gateway()  # that of the document, and not one that somebody else has on its port
        for name, port in self.ports.items():
            command = re.sub(rf"(localhost:|\bport: ){_SHOWN_PORTS[name]}\b", rf"\g<1>{port}", command)
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

    def _serve(self, command):
        """Start what runs on, on ports that are free, and wait until it answers."""
        self._give_gateway()
        with self._log.open("wb") as log:
            self._serving = subprocess.Popen(
                shlex.split(command.removesuffix("&")), cwd=self.folder, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        # With the service behind it the whole is waited for, and without it what the gateway says of itself.
        health = "health" if "--only" in command else "health/aggregate"
        while not self._is_ready(health):
            assert self._serving.poll() is None, self._said()
            assert time.monotonic() < deadline, self._said()
            time.sleep(0.1)
        return self._said()

    def _give_gateway(self):
        """Have the gateway on a port that is free, where the document has no file of its own for it."""
        own = self.folder / "gateway.yaml"
        if not own.exists():
            text = (resource("configs") / "gateway.yaml").read_text(encoding="utf-8")
            before = f"port: {_SHOWN_PORTS['gateway']}"
            assert text.count(before) == 1
            own.write_text(text.replace(before, f"port: {self.ports['gateway']}"), encoding="utf-8")

    def _is_ready(self, health):
        url = f"http://127.0.0.1:{self.ports['gateway']}/api/v1/{health}"
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


# Commands that are read, and not run.

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^ {4}(?=mgw )", re.MULTILINE)
_IN_BLOCK = re.compile(r"(?:^|\$ |\$\(|&& |\| |run: |entry: )(mgw (?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_IN_PROSE = re.compile(r"`((?:mgw |--[a-z])[^`]*)`")
_ONE_COMMAND = re.compile(r"""(?:'[^']*'|"[^"]*"|[^'"();<>|&])*""")
_UsageError = typer.BadParameter.__base__  # of what a command cannot be; Typer exports no other name of it
_PROGRAM = typer.main.get_command(app)
_NO_COMMANDS = {"mgw service"}  # who, in the audit trail


def mentions_of(text):
    """Yield each command of a document, and whether it may go on; an option alone is one of some command."""
    for kind, block in _FENCED.findall(text):
        if kind != "text":
            for command in _IN_BLOCK.findall(block):
                yield command, False
    for line in text.splitlines():
        if _INDENTED.match(line):
            for command in _IN_BLOCK.findall(line.strip()):
                yield command, False
    for mention in _IN_PROSE.findall(text):
        yield " ".join(mention.split()), True


def words_of(command):
    """Return the words of a command, as the shell reads them, up to what is another command."""
    return shlex.split(_ONE_COMMAND.match(command.replace("\\\n", " "))[0], comments=True)


def fault_of(words, goes_on=False):
    """Return what the program would refuse in a command, "" where nothing; of values, only those that are of a few."""
    if words[0] != "mgw":
        return "" if words[0].partition("=")[0] in _options() else f"no command has the option {words[0]}"
    command, rest = _PROGRAM, [*words[1:], *(["…"] if goes_on else [])]
    while True:
        try:
            values, rest, _ = command.make_parser(command.context_class(command)).parse_args(rest)
        except _UsageError as fault:
            return str(fault)
        for parameter in command.params:
            for value in _listed(values.get(parameter.name)):
                few = _literals(parameter.type_descriptor.annotation)
                if few and isinstance(value, str) and value not in {*few, "…"} and not value.isupper():
                    return f"{value} is none of {', '.join(few)}"
        children = getattr(command, "commands", {})
        if not rest or rest == ["…"]:
            return ""
        if rest[0] not in children:
            return f"there is no command {rest[0]}" if children else f"{' '.join(rest)} is too much"
        command, rest = children[rest[0]], rest[1:]


def _listed(value):
    return value if isinstance(value, list | tuple) else [value]


def _literals(annotation):
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(each for argument in get_args(annotation) for each in _literals(argument))


@cache
def _options(command=_PROGRAM):
    own = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
    children = getattr(command, "commands", {}).values()
    return own.union({"--help"}, *map(_options, children))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_is_one_that_there_is(name):
    text = DOCUMENTS[name].read_text(encoding="utf-8")
    mentions = [each for each in mentions_of(text) if each[0] not in _NO_COMMANDS]
    assert len(mentions) >= text.count("`mgw ") / 2
    found = {command: fault_of(words_of(command), goes_on) for command, goes_on in mentions}
    assert {command: fault for command, fault in found.items() if fault} == {}


def test_commands_are_found_in_blocks_and_in_prose():
    text = (
        "`mgw a\nb`, `mgw.yaml`, `--c`\n```sh\nx && mgw d \\\n  e\ny $(mgw f) | mgw g # h\n```\n"
        "    mgw i    # j\n```text\nmgw k, `mgw l`\n```\n"
    )
    assert [(words_of(command), goes_on) for command, goes_on in mentions_of(text)] == [
        (["mgw", "d", "e"], False), (["mgw", "f"], False), (["mgw", "i"], False),
        (["mgw", "a", "b"], True), (["--c"], True), (["mgw", "l"], True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("mgw evaluate --report a.html", "No such option: --report"),
        ("mgw models promote", "no command promote"),
        ("mgw status now", "now is too much"),
        ("mgw evaluate --split by-time", "by-time is none of auto, time"),
        ("mgw evaluate svd", "svd is none of als, lora"),
        ("mgw recommend --top-k", "requires an argument"),
        ("--report", "no command has the option --report"),
    ],
)
def test_a_command_that_there_is_not_is_noticed(command, fault):
    assert fault in fault_of(words_of(command))


def test_a_command_may_be_named_without_what_it_takes():
    assert fault_of(words_of("mgw recommend --top-k"), goes_on=True) == ""
    assert fault_of(words_of("mgw models")) == ""
    assert fault_of(words_of("--split=time")) == ""
