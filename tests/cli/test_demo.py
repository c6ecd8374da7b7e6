"""The whole of it, as somebody new would go through it: `mgw demo --full`, on parts that are all real."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import environment
from ports import free_port

from mgw.cli.demo_tour import _running_experiment
from mgw.experiments.files import read_definition

SERVERS = Path("/usr/lib/postgresql")
REDIS = shutil.which("redis-server")
GATEWAY = Path(__file__).parents[2] / "configs" / "gateway.yaml"
ANSWERS = {
    "a list": 200, "the same again": 200, "titles like its first": 200, "a score, in parts": 200,
    "the first is watched": 200, "a list after that": 200, "a list without a token": 401, "somebody else's list": 403,
    "conversions": 200, "far too many requests": 429,
}  # fmt: skip


def travel(folder, **changes):
    """Go the whole way and return what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "mgw", "demo", str(folder), "--full"], capture_output=True, text=True, check=False,
        env=environment(**changes), timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    return done.stdout


def check(said, folder):
    """Look whether everything came about, and nothing is left."""
    for request, status in ANSWERS.items():
        assert re.search(rf"^{re.escape(request)} +{status} ", said, re.MULTILINE), request
    requests = re.search(r"([\d,]+) requests meanwhile, all answered with 200", said)
    assert int(requests[1].replace(",", "")) > 50
    assert "more-context is running; intervals hold at every look" in said
    assert "BAD" not in said.split("== How everything stands ==")[1]
    assert "all as they were written" in said
    assert "no process of it is left" in said
    log = (folder / "serve.log").read_text()
    assert "Traceback" not in log
    assert not list(folder.glob(".mgw/**/*.part"))
    assert list(folder.glob(".mgw/service/*.clock")) == []


def test_on_the_embedded_database(tmp_path):
    (tmp_path / "demo").mkdir()
    with subprocess.Popen(["sleep", "280"], cwd=tmp_path / "demo") as somebody_elses:
        said = travel(tmp_path / "demo")
        assert somebody_elses.poll() is None
        somebody_elses.kill()
    check(said, tmp_path / "demo")
    assert "embedded PostgreSQL" in said
    assert not (tmp_path / "demo/.mgw/postgres/data/postmaster.pid").exists()


class Typed:
    """A project whose commands are noted, and which has some experiments."""

    def __init__(self, folder, experiments):
        self.folder, self.shown = folder, []
        self._listed = [{"name": name, "status": status} for name, status in experiments.items()]

    def mgw(self, *_arguments):
        return json.dumps({"experiments": self._listed})

    def show(self, *arguments):
        self.shown.append(arguments)


@pytest.mark.parametrize(
    ("experiments", "name", "shown"),
    [
        ({}, "more-context", ["create", "start"]),
        ({"no-more-context": "running"}, "more-context", ["create", "start"]),
        ({"more-context": "running"}, "more-context", []),
        ({"more-context": "draft"}, "more-context", ["start"]),
        ({"more-context": "paused"}, "more-context", ["start"]),
        ({"more-context": "completed"}, "more-context-2", ["create", "start"]),
        ({"more-context": "archived", "more-context-2": "running"}, "more-context-2", []),
    ],
)
def test_an_experiment_of_a_tour_before_goes_on_unless_it_is_over(tmp_path, experiments, name, shown):
    project = Typed(tmp_path, experiments)
    assert _running_experiment(project) == name
    assert [arguments[1] for arguments in project.shown] == shown
    if "create" in shown:
        assert read_definition(tmp_path / "experiment.yaml").name == name


@pytest.mark.nightly  # the same way once more: every run has time for one
@pytest.mark.skipif(
    REDIS is None or not list(SERVERS.glob("*/bin/postgres")),
    reason="PostgreSQL or Redis is not installed (Debian: apt install postgresql redis-server)",
)
def test_on_another_database_and_redis(tmp_path, password_server, password_database):
    folder, port = tmp_path / "demo", free_port()
    folder.mkdir()
    (folder / "mgw.yaml").write_text(f"database: {{url: {password_server.url(password_database)!r}}}\n")
    text = GATEWAY.read_text().replace("port: 8080", f"port: {free_port()}", 1)
    text = text.replace("# redis: {url_env: GATEWAY_REDIS}", "redis: {url_env: GATEWAY_REDIS}", 1)
    (folder / "gateway.yaml").write_text(text)
    redis = subprocess.Popen(
        [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        cwd=tmp_path, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"redis://127.0.0.1:{port}/0"
    try:
        subprocess.run(
            [sys.executable, "-m", "mgw", "--config", folder / "mgw.yaml", "db", "migrate"], check=True,
            capture_output=True,
        )  # fmt: skip
        said = travel(folder, GATEWAY_REDIS=url)
        stats = subprocess.run(
            ["redis-cli", "-p", str(port), "info", "commandstats"], capture_output=True, text=True, check=True
        ).stdout
    finally:
        redis.terminate()
        redis.wait(30)
    check(said, folder)
    assert "external PostgreSQL" in said
    scripts = re.findall(r"cmdstat_eval(?:sha)?:calls=(\d+)", stats)
    assert sum(map(int, scripts)) > 100  # limits were counted there
