"""Recommendations to everybody are those that each user would get alone, in a file that is whole or not there."""

import csv
import json
import subprocess
import sys

import pyarrow.parquet
import pytest

from mgw.core.artifacts import ModelStore
from mgw.core.errors import ExtraMissing, ModelForeign, UsageInvalid
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings
from mgw.recommend import ALS, everyone, listing
from mgw.recommend.everyone import recommend_everyone
from mgw.recommend.history import read_history
from mgw.recommend.interactions import strength_matrix
from mgw.recommend.listing import write_lists
from mgw.recommend.recommender import Recommender
from mgw.recommend.source import read_training_data
from mgw.recommend.training import train_als

from .test_recommender import watch

SETTINGS = AlsSettings(factors=8, epochs=6)


@pytest.fixture
def snapshot(platform, tmp_path):
    data = read_training_data(platform)
    trained = train_als(data, ModelStore(tmp_path / "models"), SETTINGS, threads=0, progress=SILENT)
    # What came after the training: a new user, one who only dismisses, a new title, and news of an old user.
    platform.execute("INSERT INTO content (external_id, title, kind) VALUES ('new', 'New', 'film')")
    watch(platform, "latecomer", "t0003")
    watch(platform, "latecomer", "new")
    watch(platform, "grump", "t0001", dismissed=True, completion_rate=0.1)
    watch(platform, "u00007", "t0012")
    return trained


def test_everybody_gets_what_they_would_get_alone(platform, snapshot, monkeypatch):
    monkeypatch.setattr(everyone, "_USERS", 7)
    platform.commit()
    recommender = Recommender(snapshot)
    data = read_training_data(platform)
    found = {}
    for piece in recommend_everyone(data, snapshot, 6):
        for user, rank, content, score, kind in zip(*piece, strict=True):
            found.setdefault(user.decode(), []).append((content.decode(), float(score), str(kind)))
            assert len(found[user.decode()]) == rank
    assert {"latecomer", "grump", "u00007"} <= set(found)
    for user, entries in found.items():
        alone = recommender.recommend(read_history(platform, user), 6, reasons=1)
        assert [entry[0] for entry in entries] == [entry.content_id for entry in alone], user
        assert [entry[1] for entry in entries] == pytest.approx([entry.score for entry in alone], abs=1e-5)
        assert {entry[2] for entry in entries} == {entry.type.value for entry in alone}
    assert found["grump"][0][2] == "cold_start"


def test_a_model_of_the_library_names_no_titles_and_is_refused(platform, tmp_path):
    data = read_training_data(platform)
    ALS.fit(strength_matrix(data.events), AlsSettings(factors=2, epochs=1)).save(tmp_path)
    saved = ModelStore(tmp_path).current()
    for ask in (lambda: Recommender(saved), lambda: next(recommend_everyone(data, saved, 3))):
        with pytest.raises(ModelForeign, match="which titles"):
            ask()


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_every_format_holds_the_same(platform, snapshot, tmp_path, ending):
    platform.commit()
    data = read_training_data(platform)
    path = tmp_path / f"recs{ending}"
    rows = write_lists(path, recommend_everyone(data, snapshot, 4))
    if ending == ".parquet":
        read = pyarrow.parquet.read_table(path).to_pylist()
    elif ending == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            read = [{**row, "rank": int(row["rank"]), "score": float(row["score"])} for row in csv.DictReader(file)]
    else:
        read = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(read) == rows
    (piece,) = recommend_everyone(data, snapshot, 4)
    assert [(row["user_id"], row["rank"], row["content_id"], row["type"]) for row in read] == [
        (user.decode(), rank, content.decode(), kind)
        for user, rank, content, _, kind in zip(*(each.tolist() for each in piece), strict=True)
    ]
    assert [row["score"] for row in read] == pytest.approx(piece.scores.tolist())


def test_what_fails_leaves_the_file_that_was_there(tmp_path):
    path = tmp_path / "recs.csv"
    path.write_text("before")

    def failing():
        raise RuntimeError("the database went away")
        yield

    with pytest.raises(RuntimeError):
        write_lists(path, failing())
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["recs.csv"]


def test_a_killed_process_leaves_no_file_and_the_next_one_sweeps(tmp_path):
    program = (
        "import os, pathlib, signal; from mgw.recommend.listing import write_lists\n"
        "def lists():\n    os.kill(os.getpid(), signal.SIGKILL)\n    yield\n"
        f"write_lists(pathlib.Path({str(tmp_path / 'recs.csv')!r}), lists())"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert not (tmp_path / "recs.csv").exists()
    assert write_lists(tmp_path / "recs.csv", []) == 0
    assert [each.name for each in tmp_path.iterdir()] == ["recs.csv"]


def test_an_ending_or_a_library_that_is_missing(tmp_path, monkeypatch):
    with pytest.raises(UsageInvalid, match="no format"):
        write_lists(tmp_path / "recs.xlsx", [])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ExtraMissing, match="pyarrow"):
        listing.write_lists(tmp_path / "recs.parquet", [])
    assert list(tmp_path.iterdir()) == []
