"""`mgw models`: run as users run it."""

from __future__ import annotations

import json

import numpy as np
import psycopg
import pytest
from commands import mgw
from ports import free_port

from mgw.core.artifacts import ModelStore
from mgw.core.audit import Actor
from mgw.experiments.definition import Definition, Metric, Variant
from mgw.experiments.overlay import Overlay
from mgw.experiments.store import create_experiment, set_status


def models(folder, *arguments):
    return mgw(folder, "models", *arguments)


@pytest.fixture
def store(tmp_path):
    return ModelStore(tmp_path / ".mgw" / "models")


def publish(store: ModelStore, factors: int) -> str:
    return store.publish(
        "als", {"items": np.zeros((3, factors), np.float32)}, parameters={"factors": factors, "seed": 0},
        data={"events": 1234}, metrics={}, versions={"mgw": "1"},
    ).manifest.name  # fmt: skip


def test_no_model_is_no_error(tmp_path):
    done = models(tmp_path, "list")
    assert (done.code, done.out) == (0, "")
    assert done.err == "no model has been trained yet: run `mgw train als`\n"
    assert json.loads(models(tmp_path, "list", "--json").out)["models"] == []
    shown = models(tmp_path, "show")
    assert (shown.code, shown.out) == (1, "")
    assert shown.err.startswith("error[MODEL_MISSING]: no model has been trained yet\n  hint: run `mgw train als`")
    assert not (tmp_path / ".mgw").exists()


def test_list_show_use_delete(tmp_path, store):
    first, second = publish(store, 4), publish(store, 8)
    entries = json.loads(models(tmp_path, "list", "--json").out)["models"]
    assert {entry["name"]: entry["in_use"] for entry in entries} == {first: False, second: True}
    assert {entry["factors"] for entry in entries} == {4, 8}
    assert all(entry["size_bytes"] > 0 and entry["events"] == 1234 for entry in entries)
    table = models(tmp_path, "list").out.splitlines()
    assert [line.split()[0] for line in table[2:] if second in line] == ["*"]
    shown = json.loads(models(tmp_path, "show", first, "--json").out)
    assert (shown["name"], shown["parameters"]) == (first, {"factors": 4, "seed": 0})
    assert f"Model {second}" in models(tmp_path, "show").out
    refused = models(tmp_path, "delete", second)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith(f"error[MODEL_IN_USE]: model {second} is in use\n  hint: ")
    assert models(tmp_path, "use", first).out == f"{first} is in use\n"
    assert store.current_name() == first
    assert models(tmp_path, "delete", second).out == f"{second} is deleted\n"
    assert store.names() == [first]
    gone = models(tmp_path, "use", second)
    assert (gone.code, gone.out) == (1, "")
    assert gone.err == (
        f"error[MODEL_NOT_FOUND]: there is no model {second}\n  hint: `mgw models list` shows those that are there\n"
    )


def test_pruning_keeps_the_latest_and_the_one_in_use(tmp_path, store):
    for keep in ("0", "-1"):
        assert models(tmp_path, "prune", "--keep", keep).code == 2
    assert models(tmp_path, "prune").out == "0 models deleted\n"
    names = [publish(store, factors) for factors in range(1, 7)]
    names.sort(key=store.names().index)  # of one second: in the order of their digests
    (store.root / names[1] / "manifest.json").write_text("{")  # a damaged one is deleted, too
    store.use(names[0])
    done = models(tmp_path, "prune")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"{names[1]} is deleted\n{names[2]} is deleted\n2 models deleted\n"
    assert store.names() == [names[0], *names[3:]]
    store.use(names[5])
    assert json.loads(models(tmp_path, "prune", "--keep", "2", "--json").out) == {"models": [names[0], names[3]]}
    assert store.names() == names[4:]
    assert json.loads(models(tmp_path, "prune", "--keep", "9", "--json").out) == {"models": []}
    assert (store.names(), store.current_name()) == (names[4:], names[5])
    lines = [line for file in (tmp_path / ".mgw" / "audit").iterdir() for line in file.read_text().splitlines()]
    noted = sorted(map(json.loads, lines), key=lambda entry: entry["at"])  # for the audit trail
    assert [(entry["action"], entry["resource_id"]) for entry in noted] == [
        ("model.deleted", name) for name in (*names[1:3], names[0], names[3])
    ]


def try_out(database_url: str, name: str, model: str, *moves: str) -> None:
    """Make an experiment whose second variant answers with a model, and move it on."""
    variants = (Variant(name="now", weight=0.5), Variant(name="then", weight=0.5, config=Overlay(model=model)))
    definition = Definition(name=name, variants=variants, metrics=(Metric(name="viewing.titles", kind="count"),))
    with psycopg.connect(database_url) as connection:
        create_experiment(connection, definition, Actor.on_this_machine())
        for move in moves:
            set_status(connection, name, move, Actor.on_this_machine())


def test_models_of_experiments_that_are_not_over_stay(tmp_path, store, database_url):
    (tmp_path / "mgw.yaml").write_text(json.dumps({"database": {"url": database_url}}))
    names = sorted((publish(store, factors) for factors in range(1, 7)), key=lambda name: store.names().index(name))
    store.use(names[5])
    for name, model, *moves in (
        ("drafted", names[0]), ("runs", names[1], "running"), ("waits", names[2], "running", "paused"),
        ("over", names[3], "running", "completed"),
    ):  # fmt: skip
        try_out(database_url, name, model, *moves)
    for experiment, model in (("drafted", names[0]), ("runs", names[1]), ("waits", names[2])):
        refused = models(tmp_path, "delete", model)
        assert (refused.code, refused.out) == (1, "")
        assert f"error[MODEL_IN_USE]: model {model} is of variant then of experiment {experiment}" in refused.err
        assert "  hint: " in refused.err
    done = models(tmp_path, "prune", "--keep", "1", "--json")
    assert json.loads(done.out) == {"models": names[3:5]}
    assert f"{names[1]} stays: it is of variant then of experiment runs, which is running" in done.err
    assert store.names() == [*names[:3], names[5]]


def test_models_are_deleted_where_the_database_is_away_and_a_warning_says_what_is_not_known(tmp_path, store):
    (tmp_path / "mgw.yaml").write_text(f"database: {{url: 'postgresql://mgw@127.0.0.1:{free_port()}/x'}}\n")
    first, _ = publish(store, 1), publish(store, 2)
    done = models(tmp_path, "delete", first)
    assert (done.code, done.out) == (0, f"{first} is deleted\n")
    assert "warning: whether an experiment needs a model is not known: cannot reach" in done.err


def test_pruning_neither_counts_nor_deletes_folders_that_are_no_models(tmp_path, store):
    names = [publish(store, factors) for factors in (1, 2)]
    names.sort(key=store.names().index)
    store.use(names[1])
    for folder in ("keep-my-notes", "als-20260102T030405-notes", "zz-99991231T000000-copy"):
        (store.root / folder).mkdir()
        (store.root / folder / "notes.txt").write_text("mine")
    assert json.loads(models(tmp_path, "prune", "--keep", "2", "--json").out) == {"models": []}
    assert json.loads(models(tmp_path, "prune", "--keep", "1", "--json").out) == {"models": [names[0]]}
    assert len(list(store.root.glob("*/notes.txt"))) == 3


def test_figures_have_their_intervals_beside_them(tmp_path, store):
    metrics = {
        "ndcg@10": {"value": 0.38287165, "low": 0.36256233, "high": 0.40406922}, "objective": 12.5,
        "coverage@10": {"value": 0.25, "low": None, "high": None},
        "split": {"name": "time", "of": {"share": 0.2}},
    }  # fmt: skip
    store.publish("als", {"items": np.zeros(3)}, parameters={}, data={}, metrics=metrics, versions={})
    shown = [line.rstrip().split(maxsplit=2) for line in models(tmp_path, "show").out.splitlines()]
    assert [line[1:] for line in shown if line[:1] == ["metrics"]] == [
        ["coverage@10", ".2500"], ["ndcg@10", ".3829 (.3626 to .4041)"], ["objective", "12.5"],
        ["split.name", "time"], ["split.of.share", "0.2"],
    ]  # fmt: skip
    assert json.loads(models(tmp_path, "show", "--json").out)["metrics"] == metrics


def test_damaged_and_foreign_models_are_listed_with_what_is_wrong(tmp_path, store):
    damaged, foreign, cut, sound = (publish(store, factors) for factors in (1, 2, 3, 4))
    (store.root / damaged / "manifest.json").write_text("{")
    (store.root / foreign / "manifest.json").write_text('{"format": "onnx"}')
    (store.root / cut / "items.npy").write_bytes(b"")
    entries = {entry["name"]: entry for entry in json.loads(models(tmp_path, "list", "--json").out)["models"]}
    assert "cannot read manifest.json" in entries[damaged]["problem"]
    assert "not a model snapshot" in entries[foreign]["problem"]
    assert "problem" not in entries[sound]
    listed = models(tmp_path, "list")
    assert listed.code == 0
    assert "cannot read manifest.json" in listed.out
    for command in ("show", "use"):
        for name, code in ((damaged, "MODEL_DAMAGED"), (foreign, "MODEL_FOREIGN"), (cut, "MODEL_DAMAGED")):
            done = models(tmp_path, command, name)
            assert (done.code, done.out) == (2, "")
            assert done.err.startswith(f"error[{code}]: ")
            assert name in done.err
            assert "  hint: " in done.err
    assert models(tmp_path, "delete", damaged).code == 0
    assert damaged not in store.names()
