"""`mgw status` on parts that run, do not run, and are broken; `mgw doctor` says how to mend each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
import pytest
from commands import mgw
from ports import free_port


def status(folder, *arguments):
    code, said, _ = mgw(folder, "status", "--json", *arguments)
    document = json.loads(said)
    return code, document["status"], {part["part"]: part for part in document["parts"]}


def once_well(look):
    """Look until nothing is bad: who is asked on a machine with much else to do may take longer than a look waits."""
    deadline = time.monotonic() + 60
    while (found := look())[0] != 0 and time.monotonic() < deadline:
        time.sleep(1)
    return found


@pytest.fixture
def project(tmp_path, database_url, monkeypatch):
    """A project with a database, a small model, and ports of its own."""
    monkeypatch.setenv("MGW_DATABASE_URL", database_url)
    ports = free_port(), free_port(), free_port()
    (tmp_path / "mgw.yaml").write_text(
        f"service: {{port: {ports[0]}, refresh_s: 0.2}}\nals: {{factors: 8, epochs: 2}}\n"
    )
    (tmp_path / "gateway.yaml").write_text(
        f"port: {ports[1]}\nadmin: {{port: {ports[2]}}}\n"
        f"upstreams: {{sona: {{strip_prefix: /api/v1/sona, add_prefix: /api/v1}}}}\n"
        "routes: [{path: /sona/recommendations, methods: [POST], upstream: sona}]\n"
    )
    assert mgw(tmp_path, "sample", "--users", "200", "--titles", "80", "--events", "4000")[0] == 0
    return tmp_path


@pytest.fixture
def serving(project):
    assert mgw(project, "train", "als")[0] == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "mgw", "serve"],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = ""
    while "the gateway listens" not in seen or "service listens" not in seen:
        seen += process.stderr.readline()
        assert process.poll() is None, seen
    yield project
    process.terminate()
    process.stderr.read()
    process.wait(60)
    process.stderr.close()


def test_what_does_not_run_is_off_and_bad_only_if_it_is_required(project):
    code, overall, parts = status(project)
    assert (code, overall) == (0, "degraded")  # there is no model yet
    assert {name: part["state"] for name, part in parts.items()} == {
        "database": "ok", "adapters": "off", "experiments": "ok", "model": "note", "service": "off", "gateway": "off",
        "backlog": "ok", "disk": "ok",
    }  # fmt: skip
    code, overall, parts = status(project, "--require", "service,gateway,model")
    assert (code, overall) == (1, "unhealthy")
    assert {parts[each]["state"] for each in ("service", "gateway", "model")} == {"bad"}
    again = status(project, "--require", "service, gateway", "--require", " model")[2]
    assert {name: part["state"] for name, part in again.items()} == {
        name: part["state"] for name, part in parts.items()
    }
    for asked, unknown in (("kitchen", "kitchen"), ("", ""), ("model,", "")):
        code, _, beside = mgw(project, "status", "--require", asked)
        assert (code, f"there is no part {unknown!r}" in beside) == (2, True)


def test_everything_that_runs_is_shown_and_green(serving):
    (serving / "experiment.yaml").write_text(
        "name: blend\nvariants: [{name: a, weight: 0.5}, {name: b, weight: 0.5}]\nmetrics: [{name: viewing.titles}]\n"
    )
    for step in (("experiment", "create", "experiment.yaml"), ("experiment", "start", "blend")):
        assert mgw(serving, *step)[0] == 0
    code, overall, parts = once_well(lambda: status(serving, "--require", "service,gateway,database,model"))
    assert (code, overall) == (0, "ok"), parts
    assert parts["experiments"]["running"] == ["blend"]
    assert parts["service"]["status"] == parts["gateway"]["status"] == "ok"
    assert parts["service"]["model"] == parts["model"]["name"]
    assert 0 <= parts["model"]["age_days"] < 1
    assert (parts["upstream sona"]["state"], parts["upstream sona"]["well"]) == ("ok", 1)
    code, said, _ = once_well(lambda: mgw(serving, "status"))
    assert (code, len(said.splitlines()), "BAD" in said) == (0, len(parts), False)


def test_what_is_broken_is_bad_and_doctor_says_how_to_mend_it(serving, database_url):
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM mgw_migrations WHERE number = 8")
    folder = serving / ".mgw" / "audit"
    folder.mkdir(exist_ok=True)
    (folder / "1-2-3.refused").write_text("{}")
    code, overall, parts = status(serving)
    assert (code, overall) == (1, "unhealthy")
    assert (parts["database"]["state"], parts["database"]["migrations_waiting"]) == ("bad", 1)
    assert (parts["backlog"]["state"], len(parts["backlog"]["set_aside"])) == ("bad", 1)
    code, said, _ = mgw(serving, "doctor")
    assert (code, "database: run `mgw db migrate`" in said) == (1, True)
    assert "backlog: look at " in said


def test_a_database_that_is_away_is_bad_and_the_rest_is_told(project, monkeypatch):
    monkeypatch.setenv("MGW_DATABASE_URL", f"postgresql://mgw@127.0.0.1:{free_port()}/x")
    code, overall, parts = status(project)
    assert (code, overall, parts["database"]["state"]) == (1, "unhealthy", "bad")
    assert "DATABASE_UNREACHABLE" in parts["database"]["detail"]
    assert {"model", "service", "gateway", "backlog", "disk"} <= parts.keys()


def test_adapters_of_another_model_are_noted(project):
    for step in (("train", "als"), ("train", "lora", "--rank", "4")):
        code, _, beside = mgw(project, *step)
        assert code == 0, beside
    _, _, parts = status(project)
    assert (parts["adapters"]["state"], parts["adapters"]["model"]) == ("ok", parts["model"]["name"])
    assert mgw(project, "train", "als", "--seed", "1")[0] == 0
    code, overall, parts = status(project)
    assert (code, overall, parts["adapters"]["state"]) == (0, "degraded", "note")


def test_an_experiment_whose_model_is_gone_is_bad(project, database_url):
    (project / "experiment.yaml").write_text(
        "name: older\nmetrics: [{name: viewing.titles}]\n"
        "variants: [{name: now, weight: 0.5}, {name: then, weight: 0.5, config: {model: als-gone}}]\n"
    )
    assert mgw(project, "experiment", "create", "experiment.yaml")[0] == 0
    assert status(project)[2]["experiments"]["state"] == "ok"
    assert mgw(project, "experiment", "start", "older")[0] == 0
    code, overall, parts = status(project)
    assert (code, overall, parts["experiments"]["state"]) == (1, "unhealthy", "bad")
    assert "older waits for the model of its variant then: there is no model als-gone" in parts["experiments"]["detail"]
    assert "mgw experiment stop older" in parts["experiments"]["hint"]


@pytest.fixture
def stranger(tmp_path):
    """A project whose ports are somebody else's, and a function that says what that one answers."""

    class Handler(BaseHTTPRequestHandler):
        answer = (200, b"", 0)

        def do_GET(self):
            code, content, missing = self.answer
            self.send_response(code)
            self.send_header("Content-Length", str(len(content) + missing))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    port = server.server_address[1]
    (tmp_path / "mgw.yaml").write_text(
        f"service: {{port: {port}}}\ndatabase: {{url: 'postgresql://mgw@127.0.0.1:{free_port()}/x'}}\n"
    )
    (tmp_path / "gateway.yaml").write_text(
        f"port: {port}\nupstreams: {{sona: {{}}}}\nroutes: [{{path: /x, methods: [GET], upstream: sona}}]\n"
    )

    def parts(content, code=200, missing=0):
        Handler.answer = (code, content, missing)
        _, _, found = status(tmp_path)
        return [(found[part]["state"], found[part]["detail"]) for part in ("service", "gateway")], f":{port}"

    yield parts
    server.shutdown()
    thread.join()
    server.server_close()


STRANGE = {
    "a model of another kind": b'{"model": "x"}', "no time": b'{"uptime_seconds": null}', "well": b'{"status": "ok"}',
    "a list": b"[]", "a page": b"<html>", "no text": b"\xff", "nothing": b"", "too deep": b"[" * 10_000,
}  # fmt: skip


@pytest.mark.parametrize("content", STRANGE.values(), ids=STRANGE.keys())
def test_what_is_not_of_mgw_at_its_ports_is_bad(stranger, content):
    found, where = stranger(content)
    assert [state for state, _ in found] == ["bad", "bad"]
    for _, detail in found:
        assert detail.startswith("something else answers at http://127.0.0.1")
        assert where in detail


def test_a_refusal_that_is_cut_short_is_of_something_else(stranger):
    found, _ = stranger(b'{"status":', code=503, missing=100)
    assert ["something else answers" in detail for _, detail in found] == [True, True]


@pytest.mark.parametrize("every", ["inf", "1e30", "nan", "0", "-1"])
def test_a_pause_that_is_none(tmp_path, every):
    code, said, beside = mgw(tmp_path, "status", "--watch", "--every", every)
    assert (code, said) == (2, "")
    assert "USAGE_INVALID" in beside
    assert "--every" in beside


def test_watching_looks_again_until_it_is_interrupted(project):
    process = subprocess.Popen(
        [sys.executable, "-m", "mgw", "status", "--watch", "--every", "0.2"], cwd=project, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True, env={**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    looks = 0
    deadline = time.monotonic() + 60
    while looks < 3:
        assert time.monotonic() < deadline
        looks += "Ctrl-C ends it" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.stdout.read()
    assert process.wait(30) == 130
    process.stdout.close()
    assert mgw(project, "status", "--watch", "--json")[0] == 2
