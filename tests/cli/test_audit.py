"""`mgw audit`, and who writes to the trail: every command that changes something."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from commands import environment, mgw
from ports import free_port


def entries(folder, *arguments):
    code, said, _ = mgw(folder, "audit", "list", "--json", *arguments)
    assert code == 0
    return json.loads(said)["entries"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in which something was done."""
    folder = tmp_path_factory.mktemp("audited")
    (folder / "experiment.yaml").write_text(
        "name: blend\nvariants: [{name: a, weight: 0.5}, {name: b, weight: 0.5}]\nmetrics: [{name: viewing.titles}]\n"
    )
    steps = [
        ("init", "."),
        ("db", "start"),
        ("sample", "--users", "300", "--titles", "100", "--events", "9000"),
        ("train", "als", "--epochs", "2", "--factors", "8"),
        ("train", "als", "--epochs", "3", "--factors", "8"),
        ("train", "lora", "--rank", "4"),
        ("adapters", "prune", "--keep", "1"),
        ("experiment", "create", "experiment.yaml"),
        ("experiment", "start", "blend"),
        ("token", "ann", "--scope", "experiments"),
    ]
    for step in steps:
        code, _, beside = mgw(folder, *step)
        assert code == 0, (step, beside)
    yield folder
    mgw(folder, "db", "stop")


def test_everything_that_was_done_is_in_the_trail(project):
    found = entries(project)
    done = [each["action"] for each in found if each["action"] != "schema.migrated"]
    assert done[-8:] == [  # what another test did stands before
        "token.minted", "experiment.started", "experiment.created", "adapters.pruned", "adapters.trained",
        "model.trained", "model.trained", "data.imported",
    ]  # fmt: skip
    assert all("@" in each["user_id"] for each in found)
    first, second, *_ = [each for each in found if each["action"] == "model.trained"][::-1]
    assert second["details"]["before"] == first["resource_id"] == first["details"]["after"]
    (imported,) = entries(project, "--action", "data.imported")
    assert imported["details"]["events"]["new"] == 9000
    (minted,) = entries(project, "--user", minted_by(found), "--resource-type", "token", "--resource", "ann")
    assert minted["details"]["scopes"] == ["experiments"]
    assert "eyJ" not in json.dumps(found)  # no token


def minted_by(found):
    return next(each["user_id"] for each in found if each["action"] == "token.minted")


def test_models_and_adapters_that_change_hands(project):
    models = json.loads(mgw(project, "models", "list", "--json")[1])["models"]
    assert mgw(project, "models", "use", models[0]["name"])[0] == 0
    assert mgw(project, "models", "use", models[1]["name"])[0] == 0
    assert mgw(project, "models", "delete", models[0]["name"])[0] == 0
    assert mgw(project, "adapters", "delete", "u00001")[0] == 0
    found = entries(project, "--limit", "4")
    assert [(each["action"], each["resource_id"]) for each in found] == [
        ("adapter.deleted", "u00001"),
        ("model.deleted", models[0]["name"]),
        ("model.promoted", models[1]["name"]),
        ("model.promoted", models[0]["name"]),
    ]


def test_pages_tables_and_text(project):
    code, said, beside = mgw(project, "audit", "list", "--limit", "2")
    assert (code, len(said.splitlines()), "there are more: --after " in beside) == (0, 3, True)
    cursor = beside.split("--after ")[1].strip()
    following = entries(project, "--limit", "1", "--after", cursor)
    assert following == entries(project)[2:3]
    code, said, _ = mgw(project, "audit", "list", "--csv", "--all")
    assert (code, said.splitlines()[0].split(",")[:4]) == (0, ["position", "at", "user_id", "action"])
    assert len(said.splitlines()) == len(entries(project)) + 1
    assert {each["action"] for each in entries(project, "--text", "blend")} == {
        "experiment.created",
        "experiment.started",
    }
    assert entries(project, "--since", "60m") != []
    assert entries(project, "--until", "2020-01-01") == []
    code, said, beside = mgw(project, "audit", "list", "--user", "nobody")
    assert (code, said, "there is no such entry" in beside) == (0, "", True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--since", "yesterday"), "is no time"),
        (("list", "--since", "99999999999d"), "is no time"),
        (("list", "--after", "3"), "is no cursor"),
        (("list", "--all"), "--all is for --csv"),
        (("list", "--json", "--csv"), "exclude each other"),
        (("list", "--text", "?"), "no word"),
        (("verify", "--anchor", "3"), "is no anchor"),
        (("verify", "--file", "nowhere.jsonl"), "nowhere.jsonl"),
        (("purge", "--before", "0d", "--out", "experiment.yaml"), "is there already"),
        (("purge", "--before", "0d", "--out", "nowhere/deep/x.jsonl", "--no"), "No such option"),
    ],
)
def test_what_cannot_be_done_is_said(project, arguments, said):
    code, out, beside = mgw(project, "audit", *arguments)
    assert (code, out) == (2, "")
    assert said in beside


def test_the_chain_is_verified_and_an_export_too(tmp_path, database_url, monkeypatch):
    monkeypatch.setenv("MGW_DATABASE_URL", database_url)
    project = tmp_path
    assert mgw(project, "init", ".")[0] == mgw(project, "token", "ann")[0] == 0
    code, said, _ = mgw(project, "audit", "verify")
    assert (code, "all as they were written" in said) == (0, True)
    anchor = said.split("end of the chain: ")[1].strip()
    file = tmp_path / "old.jsonl"
    code, said, _ = mgw(project, "audit", "purge", "--before", "0d", "--out", str(file))
    assert (code, "no longer in the database" in said) == (0, True)
    assert mgw(project, "audit", "verify", "--anchor", anchor)[0] == 0
    assert mgw(project, "audit", "verify", "--file", str(file), "--anchor", anchor)[0] == 0
    file.write_text(file.read_text().replace("token.minted", "token.mentid"))
    code, said, _ = mgw(project, "audit", "verify", "--file", str(file), "--json")
    assert (code, len(json.loads(said)["broken"])) == (1, 1)
    other = anchor[:-1] + ("0" if anchor[-1] != "0" else "1")
    code, said, _ = mgw(project, "audit", "verify", "--anchor", other)
    assert (code, "another one than when the anchor was kept" in said) == (1, True)
    code, said, _ = mgw(project, "audit", "purge", "--before", "9d", "--out", str(tmp_path / "new"), "--json")
    assert (code, json.loads(said)["entries"]) == (0, 0)


def test_what_is_noted_while_the_database_is_away_arrives_later(tmp_path, database_url):
    assert mgw(tmp_path, "init", ".")[0] == 0
    away = {"MGW_DATABASE_URL": f"postgresql://mgw@127.0.0.1:{free_port()}/x"}
    assert mgw(tmp_path, "token", "ann", **away)[0] == 0
    code, _, beside = mgw(tmp_path, "audit", "flush", **away)
    assert (code, "DATABASE_UNREACHABLE" in beside) == (2, True)
    there = {"MGW_DATABASE_URL": database_url}
    assert mgw(tmp_path, "audit", "flush", **there)[:2] == (0, "files written: 1, left: 0\n")
    code, said, _ = mgw(tmp_path, "audit", "list", "--action", "token.minted", "--json", **there)
    assert [each["resource_id"] for each in json.loads(said)["entries"]] == ["ann"]


def test_a_gateway_by_itself_brings_what_it_noted_to_the_database(tmp_path, database_url):
    assert mgw(tmp_path, "init", ".")[0] == 0
    port = free_port()
    (tmp_path / "gateway.yaml").write_text(
        f"port: {free_port()}\nadmin: {{port: {port}}}\nupstreams: {{own: {{urls: ['http://127.0.0.1:9']}}}}\n"
        "routes: [{path: /a, upstream: own}]\n"
    )
    there = {"MGW_DATABASE_URL": database_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "mgw", "serve", "--only", "gateway"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(**there),
    )  # fmt: skip
    try:
        while "listens" not in process.stderr.readline():
            assert process.poll() is None
        assert mgw(tmp_path, "gateway", "purge", "everything", **there)[0] == 0
    finally:
        process.terminate()
        process.stderr.read()
        assert process.wait(30) == 0
        process.stderr.close()
    assert list((tmp_path / ".mgw/audit").iterdir()) == []
    _, said, _ = mgw(tmp_path, "audit", "list", "--action", "gateway.cache_purged", "--json", **there)
    (found,) = json.loads(said)["entries"]
    assert ("@" in found["user_id"], found["ip"], found["details"]) == (
        True,
        "127.0.0.1",
        {"by": "everything", "answers": 0},
    )


def test_a_token_that_nobody_could_write_down_is_not_told(tmp_path):
    assert mgw(tmp_path, "init", ".")[0] == 0
    away = {"MGW_DATABASE_URL": f"postgresql://mgw@127.0.0.1:{free_port()}/x"}
    assert mgw(tmp_path, "token", "ann", **away)[0] == 0
    for path in (tmp_path / ".mgw/audit").iterdir():
        path.unlink()
    (tmp_path / ".mgw/audit").rmdir()
    (tmp_path / ".mgw/audit").write_text("a file where a folder should be")
    code, said, beside = mgw(tmp_path, "token", "ann", **away)
    assert (code, said, "AUDIT_UNWRITTEN" in beside) == (2, "", True)


def test_a_trail_that_waits_holds_nobody_up(tmp_path):
    """A token is made in no time, whatever becomes of the database."""
    assert mgw(tmp_path, "init", ".")[0] == 0
    began = time.monotonic()
    assert mgw(tmp_path, "token", "ann", MGW_DATABASE_URL="postgresql://mgw@192.0.2.1/x")[0] == 0
    assert time.monotonic() - began < 8  # the connection alone would be waited for 10 s
