"""The edge of the command line: exit codes, streams, colours, and odd places to run in. Run as users run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import environment, mgw, python

from mgw import __version__

ESCAPE = "\x1b["


# Puts a command of the test's own beside those of mgw: what it does is Python in the first argument.
WITH_A_COMMAND = """
import sys
from mgw.cli import app as cli
from mgw.cli.output import out
code = sys.argv.pop(1)

@cli.app.command()
def act() -> None:
    exec(code)

sys.argv = ["mgw", "act"]
cli.main()
"""


def act(folder: Path, code: str, **changes: str | None):
    return python(folder, "-c", WITH_A_COMMAND, code, **{"NO_COLOR": None, **changes})


def test_help_and_version_are_answers(tmp_path):
    for arguments in (("--help",), ("-h",), ("db", "--help"), ("models", "list", "-h")):
        done = mgw(tmp_path, *arguments)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("Usage: mgw ")
    done = mgw(tmp_path, "--version")
    assert done == (0, f"mgw {__version__}\n", "")


def test_nothing_asked_is_no_answer(tmp_path):
    for arguments in ((), ("db",)):
        done = mgw(tmp_path, *arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("Usage: mgw ")


def test_help_imports_nothing_heavy(tmp_path):
    """What makes `--help` slow is what it imports; every command's own libraries are imported when it runs."""
    code = """
import sys
from mgw.cli.app import main
sys.argv = ["mgw", *sys.argv[1:]]
try:
    main()
finally:
    heavy = {"numpy", "scipy", "numba", "psycopg", "pyarrow", "pandas", "rich.progress", "rich.traceback", "asyncio"}
    print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    for arguments in (("--help",), ("train", "als", "--help"), ("config", "check"), ("models", "list")):
        done = python(tmp_path, "-c", code, *arguments)
        allowed = "['numpy']" if arguments == ("models", "list") else "[]"
        assert done.err.splitlines()[-1] == allowed, arguments
        assert done.code == 0


@pytest.mark.parametrize(
    ("arguments", "said", "shown"),
    [
        (["--colour"], "No such option: --colour", "mgw --help"),
        (["tarin"], "No such command 'tarin'", "mgw --help"),
        (["db", "stats"], "No such command 'stats'", "mgw db --help"),
        (["models", "use"], "Missing argument", "mgw models use --help"),
        (["recommend", "1", "--top-k", "0"], "Invalid value for '--top-k'", "mgw recommend --help"),
        (["recommend", "1", "--top-k", "many"], "Invalid value for '--top-k'", "mgw recommend --help"),
    ],
)
def test_wrong_usage_has_the_form_of_every_error(tmp_path, arguments, said, shown):
    done = mgw(tmp_path, *arguments)
    assert (done.code, done.out) == (2, "")
    first, hint = done.err.splitlines()
    assert first.startswith("error[USAGE_INVALID]: ")
    assert said in first
    assert hint == f"  hint: `{shown}` shows what it takes"


def test_an_error_of_the_library_has_code_hint_and_exit_code(tmp_path):
    done = act(tmp_path, "from mgw.core.errors import NoEvents; raise NoEvents('no [bold]events[/bold]', hint='do')")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error[NO_EVENTS]: no [bold]events[/bold]\n  hint: do\n", "text is not taken for markup"
    done = act(tmp_path, "from mgw.core.errors import DiskFull; raise DiskFull('full')")
    assert done == (2, "", "error[DISK_FULL]: full\n")


def test_a_fault_of_ours_is_the_only_one_with_a_traceback(tmp_path):
    done = act(tmp_path, "out.print('before'); secret = 'hunter2'; {}['key']")
    assert (done.code, done.out) == (3, "before\n")
    assert "KeyError" in done.err
    assert "fault of mgw" in done.err
    assert "hunter2" not in done.err.replace("secret = 'hunter2'", ""), "no values of variables"


def test_interrupted(tmp_path):
    """Ctrl-C in a command that says when it has begun."""
    code = "import signal; print('begun', flush=True); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-c", WITH_A_COMMAND, code], cwd=tmp_path, env=environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_reader_that_goes_away(tmp_path, size):
    """One line fits into the buffers and is lost at the last flush; a million break the pipe in the middle."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", WITH_A_COMMAND, f"out.json(list(range({size})))"], cwd=tmp_path, env=environment(),
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_list_into_head(tmp_path):
    command = f"set -o pipefail; {sys.executable} -m mgw config show --json | head -n 0"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment(), capture_output=True, check=False)
    assert done.returncode in {0, 141}  # 0 where all of it was in the pipe before head had ended
    assert done.stderr == b""


def test_a_full_disk_behind_stdout(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mgw", "config", "show"], cwd=tmp_path, env=environment(), stdout=full,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "error[DISK_FULL]: no space left to write the output")
    assert "Traceback" not in done.stderr


FAIL = "from mgw.core.errors import NoEvents; out.table('T', ['a'], [['b']]); raise NoEvents('no', hint='do')"


@pytest.mark.parametrize(
    ("changes", "coloured"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1"}, False),
    ],
)
def test_colours(tmp_path, changes, coloured):
    done = act(tmp_path, FAIL, **{"FORCE_COLOR": None, "NO_COLOR": None, "TERM": "xterm-256color", **changes})
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.err)
    assert plain == "error[NO_EVENTS]: no\n  hint: do\n"
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", done.err)) == coloured


def test_no_bars_without_a_terminal_whatever_the_colours(tmp_path):
    code = "with out.progress() as p, p.stage('work', 2) as s: s.advance(2)"
    done = act(tmp_path, code, FORCE_COLOR="1")
    assert done == (0, "", "")


def test_a_table_that_is_piped_keeps_its_width(tmp_path):
    done = act(tmp_path, "out.table('T', ['a', 'b'], [['x' * 300, 'y' * 300]])", COLUMNS="40")
    assert "x" * 300 + " " in done.out
    assert "y" * 300 in done.out


@pytest.mark.parametrize(
    "changes",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"LC_ALL": "no_SUCH.locale"},
    ],
)
def test_letters_that_the_terminal_lacks(tmp_path, changes):
    text = "out.table('Ω', ['é'], [['→ \udcff']]); out.note('naïve Ω'); out.json({'title': 'Amélie Ω'})"
    code = text.encode("ascii", "backslashreplace").decode()
    done = act(tmp_path, code, **changes)
    assert (done.code, "Traceback" in done.err) == (0, False)
    assert json.loads(done.out[done.out.index("{") :]) == {"title": "Amélie Ω"}


def test_an_argument_that_is_no_text(tmp_path):
    done = mgw(tmp_path, "models", "use", b"\xff")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error[MODEL_NOT_FOUND]: there is no model ?\n")


def test_a_working_folder_that_is_gone(tmp_path):
    code = """
import os, sys
os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")
from mgw.cli.app import main
sys.argv = ["mgw", *sys.argv[1:]]
main()
"""
    done = python(tmp_path, "-c", code, "config", "show")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error[FILE_UNREADABLE]: the working folder does not exist any more\n")
    assert python(tmp_path, "-c", code, "--help").code == 0


def test_a_home_that_does_not_exist(tmp_path):
    done = mgw(tmp_path, "models", "list", HOME="/nonexistent", XDG_CACHE_HOME=None)
    assert (done.code, done.out) == (0, "")
    assert done.err == "no model has been trained yet: run `mgw train als`\n"


def test_a_configuration_that_is_wrong(tmp_path):
    (tmp_path / "mgw.yaml").write_text("als:\n  factors: 0\n")
    for arguments in (("db", "status"), ("models", "list"), ("recommend", "1")):
        done = mgw(tmp_path, *arguments)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith("error[CONFIG_INVALID]: ")
        assert "mgw.yaml:2" in done.err


def test_the_shell_may_ask_what_fits(tmp_path):
    done = mgw(tmp_path, _MGW_COMPLETE="complete_bash", COMP_WORDS="mgw mod", COMP_CWORD="1")
    assert (done.code, done.out.strip()) == (0, "models")
