"""One language: every command's options, help and JSON agree, and shells complete them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
import typer.main
from commands import environment
from commands import mgw as run
from ports import free_port
from waiting import until

import mgw.cli
from mgw.cli.app import app
from mgw.cli.options import Json, moment_of
from mgw.cli.output import Output
from mgw.core.errors import UsageInvalid

PROGRAM = Path(sys.executable).with_name("mgw")
# One idea, one name; and the names that it does not have.
NAMES = {
    "--out": ("--to", "--output", "--export", "--save", "--dest"),
    "--html": ("--report", "--page"),
    "--top-k": ("--top", "--count", "--number", "--n"),
    "--limit": ("--max", "--most", "--first"),
    "--user": ("--user-id", "--uid", "--who"),
    "--since": ("--from", "--start", "--begin"),
    "--until": ("--end", "--to-time"),
    "--at": ("--when", "--time", "--now", "--date"),
    "--gateway-file": ("--gateway", "--gateway-config"),
    "--threads": ("--jobs", "--cpus", "--n-jobs"),
    "--force": ("--yes", "--overwrite", "--confirm"),
    "--why": ("--reason", "--comment", "--message"),
    "--seed": ("--random-state", "--random-seed"),
    "--watch": ("--follow", "--keep"),
}
TWO_MEANINGS = {"--only": "titles, or a part to serve", "--keep": "how many"}
# What prints a document, a word or a program's lines: `--format` is of findings that have more readers than programs.
WITHOUT_JSON = {
    "demo", "init", "token", "serve", "watch", "lint", "check", "config schema", "db url", "db shell",
    "gateway openapi", "gateway export envoy", "metrics dashboard", "metrics alerts",
}  # fmt: skip
TIMED = re.compile(r"hours?|days?|minutes?|seconds?|window|every|timeout|ttl|interval|age|bytes|memory|wait|delay")
UNIT = re.compile(r"\b(seconds?|ms|minutes?|hours?|days?|bytes|MB|GB)\b", re.IGNORECASE)


def commands(command=None, path=()):
    """Every command that does something, by the words that name it."""
    command = command or typer.main.get_command(app)
    children = getattr(command, "commands", {})
    if not children:
        yield " ".join(path), command
    for name, child in children.items():
        yield from commands(child, (*path, name))


def groups(command=None, path=("mgw",)):
    command = command or typer.main.get_command(app)
    if children := getattr(command, "commands", {}):
        yield " ".join(path), command
        for name, child in children.items():
            yield from groups(child, (*path, name))


COMMANDS = dict(commands())
PARAMETERS = [(path, each) for path, command in COMMANDS.items() for each in command.params]
OPTIONS = [(path, each) for path, each in PARAMETERS if each.opts[0].startswith("-") and each.name != "help"]


def help_of(parameter):
    return getattr(parameter, "help", None) or ""


def test_an_idea_has_one_name():
    there = {name for _, option in OPTIONS for name in option.opts}
    wrong = {name: right for right, others in NAMES.items() for name in others if name not in TWO_MEANINGS}
    assert {name: wrong[name] for name in there & set(wrong)} == {}
    assert set(NAMES) <= there  # the law is about options that there are


def test_a_name_stands_for_one_kind_of_value():
    kinds = {}
    for _, option in OPTIONS:
        kinds.setdefault(option.opts[0], set()).add((option.metavar, option.is_flag))
    assert {name: found for name, found in kinds.items() if len(found) > 1 and name not in TWO_MEANINGS} == {}


def test_a_short_form_is_of_one_option_everywhere():
    short = {(name, option.opts[0]) for _, option in OPTIONS for name in option.opts if re.fullmatch("-[^-]", name)}
    assert short == {("-k", "--top-k")}
    assert all("-k" in option.opts for _, option in OPTIONS if option.opts[0] == "--top-k")


def test_files_folders_and_times_are_told_apart():
    for path, option in OPTIONS:
        annotation = str(option.type_descriptor.annotation)
        if "Path" in annotation:
            assert option.metavar in {"FILE", "FOLDER"}, (path, option.opts)
        if option.opts[0] in {"--at", "--since", "--until", "--before"}:
            assert option.metavar == "TIME", (path, option.opts)


def test_every_parameter_has_a_sentence():
    for path, parameter in PARAMETERS:
        said = help_of(parameter)
        assert re.search(r"[.\]]$", said), (path, parameter.name, said)
        assert not re.search(r"(?i)standard output|repeatable|\. may be repeated|left out\.$", said), (path, said)
        if said.endswith("]"):
            assert re.search(r"\. \[[a-z_.]+(, else [\d.]+)?\]$", said), (path, parameter.name, said)


def test_a_duration_and_a_size_name_their_unit():
    numbers = [
        (path, each) for path, each in PARAMETERS if re.search("int|float", str(each.type_descriptor.annotation))
    ]
    assert len(numbers) > 20
    timed = [(path, each) for path, each in numbers if set(re.split("_", each.name)) & {
        word for word in re.split("_", each.name) if TIMED.fullmatch(word)}]  # fmt: skip
    assert {each.name for _, each in timed} >= {"hours", "days", "window_days", "every"}
    for path, each in timed:
        assert UNIT.search(each.name.replace("_", " ")) or UNIT.search(help_of(each)), (path, each.name)


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_says_what_it_does(path):
    said = COMMANDS[path].help
    first = said.partition("\n\n")[0].replace("\n", " ")
    assert first.endswith(".")
    assert first[0].isupper()
    for mention in re.findall(r"(?i)exit(?: code)?[^.]*", said):
        assert re.match(r"Exit\s+code [12] if ", mention), mention


@pytest.mark.parametrize(("path", "group"), list(groups()))
def test_no_summary_is_longer_than_its_line(path, group):
    room = 80 - 2 - 4 - max(map(len, group.commands))
    for name, command in group.commands.items():
        summary = command.get_short_help_str(room)
        assert summary.endswith("."), (path, name)
        assert not summary.endswith("..."), (path, name, summary)
        assert len(summary) <= room, (path, name, summary)  # a short help is not cut off, but wrapped


def test_what_prints_results_prints_json():
    shared = Json.__metadata__[0]
    for path, command in COMMANDS.items():
        found = [each for each in command.params if each.name == "json" or "--json" in each.opts]
        assert [each.opts for each in found] == ([] if path in WITHOUT_JSON else [["--json"]]), path
        assert all((each.help, each.is_flag, each.default) == (shared.help, True, False) for each in found), path
    assert set(COMMANDS) >= WITHOUT_JSON


def test_tables_are_made_in_one_place(monkeypatch, capsys):
    sources = Path(mgw.cli.__path__[0])
    made = [file.name for file in sources.glob("*.py") if re.search(r"(?<![\w.])Table\(", file.read_text("utf-8"))]
    assert made == ["output.py"]
    at = datetime(2026, 3, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    Output().table("T", ["name", ">count", "at (UTC)"], [("a", 1_234_567, at), ("1234", None, None)])
    assert capsys.readouterr().out.split("\n")[1:3] == [
        "name      count  at (UTC)        ",
        "a     1,234,567  2026-02-28 23:30",
    ]


TITLE = "Mean [of all] over 10 users"


@pytest.mark.parametrize(("columns", "lines"), [(80, [TITLE]), (12, ["Mean [of", "all] over 10", "users"])])
def test_a_title_is_broken_where_the_terminal_is_too_narrow_for_it_and_not_by_its_table(
    monkeypatch, capsys, columns, lines
):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    Output().table(TITLE, ["a", "b"], [("1", "2")])
    said = [line.rstrip() for line in re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out).splitlines()]
    assert said == [*lines, "a  b", "1  2"]
    Output().table("", ["a"], [])
    assert re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out) == "a\n"


def test_a_time_is_read_in_one_way():
    assert moment_of("2026-03-01", "--at") == datetime(2026, 3, 1, tzinfo=UTC)
    assert moment_of("2026-03-01T12:00+02:00", "--at") == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert moment_of("86400", "--at") == datetime(1970, 1, 2, tzinfo=UTC)
    before = datetime.now(UTC)
    assert before <= moment_of("12h", "--at") + timedelta(hours=12) <= datetime.now(UTC)
    for wrong in ("", "d", "soon", "99999999999d", "1e400", "12w"):
        with pytest.raises(UsageInvalid, match=r"--since: .* is no time"):
            moment_of(wrong, "--since")


# The keys of JSON.

KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(@\d+)?")  # with a length of the list where it is a metric
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^,]*")
WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
OF_A_MOMENT = re.compile(r"at|.*_at|since|until")
WITHOUT_UNIT = re.compile(r"(.*_)?(seconds|secs?|millis|duration|elapsed|took)|size|time|timestamp|ms")
# What is named by data: settings, genres, models, metrics, reasons, types. `details` are of the audit's actions.
NAMED_BY_DATA = {
    "settings", "genre_affinities", "metrics", "models", "differences", "versions", "arrays", "groups", "skipped",
    "left_out", "values", "types", "needs", "weights", "alone", "details", "upstreams", "data", "gains", "uncounted",
}  # fmt: skip


def faults(document, path="", by_data=False):
    """What is wrong with the keys of a document."""
    if isinstance(document, list):
        for each in document:
            yield from faults(each, path)
    elif isinstance(document, dict):
        for key, value in document.items():
            where = f"{path}.{key}"
            if not by_data and not KEY.fullmatch(key):
                yield f"{where} is not in snake_case"
            if WITHOUT_UNIT.fullmatch(key) and isinstance(value, int | float):
                yield f"{where} has no unit: _s, _ms, _days, _bytes"
            yield from _moments(key, value, where)
            yield from faults(value, where, by_data=key in NAMED_BY_DATA)


def _moments(key, value, where):
    is_moment = isinstance(value, str) and MOMENT.fullmatch(value)
    if is_moment and not OF_A_MOMENT.fullmatch(key):
        yield f"{where} is a moment, and not named *_at"
    if (
        OF_A_MOMENT.fullmatch(key)
        and value is not None
        and not (isinstance(value, str) and WITH_OFFSET.fullmatch(value))
    ):
        yield f"{where} is no moment in ISO 8601 with an offset: {value!r}"


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ({"createdAt": None}, "snake_case"), ({"a": [{"user-id": 1}]}, "snake_case"), ({"seconds": 1.5}, "no unit"),
        ({"total_seconds": 2}, "no unit"), ({"created_at": "2026-03-01 10:00 UTC"}, "no moment"),
        ({"created_at": "2026-03-01T10:00:00"}, "no moment"), ({"when": "2026-03-01T10:00:00Z"}, "not named"),
        ({"started_at": 1_700_000_000}, "no moment"),
    ],
)  # fmt: skip
def test_the_laws_of_keys_find_what_is_wrong(document, wrong):
    (fault,) = faults(document)
    assert wrong in fault


EXPERIMENT = """\
name: more
variants: [{name: control, weight: 0.5}, {name: content, weight: 0.5, config: {blend: {content: 0.4}}}]
metrics: [{name: watched, kind: count, event: viewing.titles, window_days: 7}, {name: bought, kind: binary}]
"""
LOG = "user,reward,propensity,target\n" + "".join(f"u{number},{number % 2},0.5,0.5\n" for number in range(2_000))
# In this order; `USER` is one with an adapter, `FIRST` and `SECOND` are the models.
RUN = """\
config show | config check | db migrate | db status | doctor | status | metrics list | explain-error | gateway check
gateway routes | prepare | explain graph/genre_similar
sample --users 200 --titles 80 --events 4000
import events events.csv | import content content.csv | import availability availability.csv | import movielens lens
train als --epochs 1 | train als | train lora | train lora --user USER | train lora --since 2030-01-01 | models list
models show | models use FIRST | models use SECOND | models delete FIRST | models prune --keep 1
adapters list USER | adapters show USER | adapters export USER a.json | adapters import a.json
adapters rollback --user USER | adapters prune --keep 1 | adapters delete USER
export onnx scoring.onnx | profile USER | recommend USER -k 2 | recommend --all --out recs.csv -k 2 | similar t0007 -k 2
evaluate --factors 8 --epochs 1 | evaluate --pipeline | evaluate lora | tune als --trials 2 --epochs 1
tune blend --trials 2
experiment create more.yaml | experiment start more | experiment assign USER | experiment list | experiment show more
experiment record --user USER --event bought --key one | experiment plan more.yaml --lift 0.1 --days 900
experiment simulate more.yaml --runs 2 --looks 2 --days 900 | experiment report more | experiment guard
experiment export more shown.csv | experiment off-policy log.csv | experiment pause more | experiment stop more
experiment archive more
audit flush | audit list --limit 3 | audit verify | audit purge --before 0d --out old.jsonl
"""
# They take the embedded server, or a gateway that runs.
ELSEWHERE = {"db start", "db stop", "gateway state", "gateway purge", "gateway reload", "gateway breaker"}


def named(line):
    """The command that a line calls."""
    words = line.split()
    return next(" ".join(words[:count]) for count in (3, 2, 1) if " ".join(words[:count]) in COMMANDS)


def lines():
    return [each.strip() for each in re.split(r"[|\n]", RUN) if each.strip()]


def test_every_command_that_prints_json_is_run_here():
    assert {named(line) for line in lines()} | ELSEWHERE == set(COMMANDS) - WITHOUT_JSON


@pytest.fixture
def project(tmp_path, database_url, monkeypatch):
    monkeypatch.setenv("MGW_DATABASE_URL", database_url)
    (tmp_path / "mgw.yaml").write_text("als: {factors: 8, epochs: 2}\nlora: {rank: 4}\n")
    (tmp_path / "more.yaml").write_text(EXPERIMENT)
    (tmp_path / "log.csv").write_text(LOG)
    (tmp_path / "events.csv").write_text("user,content,at\nann,t0001,2025-03-01T20:00:00Z\n")
    (tmp_path / "content.csv").write_text("id,title\nbrazil,Brazil\n")
    (tmp_path / "availability.csv").write_text("content,region,starts_at\nbrazil,GB,2025-01-01\n")
    (tmp_path / "lens").mkdir()
    (tmp_path / "lens" / "movies.csv").write_text("movieId,title,genres\n1,Alien (1979),Horror\n")
    (tmp_path / "lens" / "ratings.csv").write_text("userId,movieId,rating,timestamp\n7,1,4.0,1700000000\n")
    return tmp_path


def said_by(folder, line, **names):
    arguments = [names.get(word, word) for word in line.split()]
    code, said, beside = run(folder, *arguments, "--json")
    assert code in {0, 1}, (line, beside)
    document = json.loads(said)
    assert isinstance(document, dict), (line, "is not an object")
    assert list(faults(document)) == [], line
    return code, document


def test_documents_have_the_same_keys(project, database_url):
    names = {}
    for line in lines():
        code, found = said_by(project, line, **names)
        assert code == 0, (line, found)
        if line == "models list":
            names |= dict(zip(("FIRST", "SECOND"), (each["name"] for each in found["models"]), strict=True))
        elif line == "train lora":
            with psycopg.connect(database_url) as connection:
                ((names["USER"],),) = connection.execute(
                    "SELECT external_id FROM users u JOIN lora_adapters a ON a.user_id = u.id ORDER BY u.id LIMIT 1"
                ).fetchall()


def test_documents_of_the_embedded_server_too(tmp_path):
    (tmp_path / "mgw.yaml").write_text("{}")
    try:
        assert said_by(tmp_path, "db start")[1]["running"]
    finally:
        assert said_by(tmp_path, "db stop")[1] == {"stopped": True}
    assert said_by(tmp_path, "db stop")[1] == {"stopped": False}


def test_documents_of_a_gateway_too(tmp_path):
    (tmp_path / "mgw.yaml").write_text("{}")
    (tmp_path / "gateway.yaml").write_text(
        f"port: {free_port()}\nadmin: {{port: {free_port()}}}\nupstreams: {{sona: {{}}}}\n"
        "routes: [{path: /sona/recommendations, methods: [POST], upstream: sona}]\n"
    )
    command = [sys.executable, "-m", "mgw", "serve", "--only", "gateway"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        seen = ""
        while "the gateway listens" not in seen:
            seen += process.stderr.readline()
            assert process.poll() is None, seen
        try:
            # The main process listens before its worker has told it that it is there.
            until(lambda: len(said_by(tmp_path, "gateway state")[1]["workers"]) == 1, "the worker is there")
            for line in ("gateway purge everything", "gateway reload", "gateway breaker sona open"):
                said_by(tmp_path, line)
        finally:
            process.terminate()
            process.stderr.read()


# What shells complete.


def shell(*command, **changes):
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60,
        env=environment(PATH=f"{PROGRAM.parent}:{os.environ['PATH']}", **changes),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


TYPED = [
    ("mgw exp", {"explain", "explain-error", "export", "experiment"}),
    ("mgw adapters p", {"prune"}),
    ("mgw gateway export ", {"envoy"}),
    ("mgw audit purge --o", {"--out"}),
    ("mgw recommend --mood s", {"sad", "scared"}),
    ("mgw train lora --h", {"--html", "--help"}),
]


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="there is no bash")
@pytest.mark.parametrize(("typed", "offered"), TYPED)
def test_bash_completes(typed, offered):
    words = typed.split(" ")
    script = (
        'eval "$(mgw --show-completion)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1));'
        ' "$(complete -p mgw | sed "s/.*-F \\([^ ]*\\).*/\\1/")" mgw; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert set(shell("/bin/bash", "--norc", "-c", script, "bash", *words).split()) == offered


@pytest.mark.parametrize(("typed", "offered"), TYPED)
def test_zsh_and_fish_are_answered(typed, offered):
    said = shell(PROGRAM, _MGW_COMPLETE="complete_zsh", _TYPER_COMPLETE_ARGS=typed)
    assert set(re.findall(r'^(?:_arguments.*\(\()?"([^":]+)"', said, re.MULTILINE)) == offered
    fish = {"_MGW_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": typed}
    said = shell(PROGRAM, **fish, _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert {line.split("\t")[0] for line in said.splitlines()} == offered
    shell(PROGRAM, **fish, _TYPER_COMPLETE_FISH_ACTION="is-args")  # exit code 0: there is something to offer


@pytest.mark.parametrize(
    ("name", "mark"), [("bash", "complete -o"), ("zsh", "#compdef mgw"), ("fish", "complete --com")]
)
def test_each_shell_has_its_script(name, mark):
    assert mark in shell(PROGRAM, _MGW_COMPLETE=f"source_{name}")
