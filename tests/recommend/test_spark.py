"""The Spark engine: Spark's own ALS on the same events, a snapshot of the same kind, and clear words where not."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mgw.core.artifacts import ModelStore
from mgw.core.errors import ExtraMissing, NoEvents, SparkUnavailable
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings, SparkSettings
from mgw.recommend.history import read_history
from mgw.recommend.recommender import Recommender
from mgw.recommend.source import read_training_data
from mgw.recommend.spark import fit_on_spark, session
from mgw.recommend.spark.fit import spark_regularization
from mgw.recommend.training import train_als, train_on_spark

from .als.test_model import random_matrix, weights_of

HERE = SparkSettings(driver_memory="1g")
SETTINGS = AlsSettings(factors=6, epochs=40, regularization=0.02, unobserved_weight=0.3)
needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None,
    reason="Spark is not here: it needs Java 17 and pip install 'mgw[spark]' (make unit does that where there is Java)",
)


class Counting:
    """Counts what a stage was told."""

    def __init__(self):
        self.done = 0.0

    @contextmanager
    def stage(self, _description, _total=None):
        yield self

    def advance(self, amount=1):
        self.done += amount


def gradient_of_the_titles(matrix, y, settings):
    """Return Spark's objective's gradient by the titles' factors, the users' being the best for them, in float64."""
    r, y = weights_of(matrix.toarray().astype(float), settings), y.astype(float)
    alpha, weight = 1 / settings.unobserved_weight, spark_regularization(matrix, settings)
    confidence, liked = 1 + alpha * r, (r > 0).astype(float)
    d = y.shape[1]
    x = np.array(
        [
            np.linalg.solve((y.T * c) @ y + weight * p.sum() * np.eye(d), (y.T * c) @ p) if p.any() else np.zeros(d)
            for c, p in zip(confidence, liked, strict=True)
        ]
    )
    error = confidence * (x @ y.T - liked)
    at = error.T @ x + weight * liked.sum(axis=0)[:, None] * y
    far = (confidence * liked).T @ x  # the gradient at y = 0, for scale
    return np.linalg.norm(at) / np.linalg.norm(far)


@needs_spark
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a pipe that pyspark leaves open
def test_it_ends_where_the_objective_of_spark_is_flat():
    matrix = random_matrix()
    counting = Counting()
    model = fit_on_spark(matrix, SETTINGS, HERE, threads=1, progress=counting)
    assert counting.done == SETTINGS.epochs
    watched = np.diff(matrix.tocsc().indptr) > 0
    assert np.all(model.item_factors[watched].any(axis=1))
    assert not model.item_factors[~watched].any()
    assert gradient_of_the_titles(matrix, model.item_factors, SETTINGS) < 0.01
    wrong = AlsSettings(factors=6, regularization=0.02, unobserved_weight=0.6)
    assert gradient_of_the_titles(matrix, model.item_factors, wrong) > 0.03
    np.testing.assert_allclose(model.fold_in(matrix), model.user_factors)


def test_all_rows_together_are_held_back_as_much_as_by_our_regularization():
    matrix = random_matrix()
    dense = matrix.toarray() > 0
    ours = 0.0
    for counts, others in ((dense.sum(axis=1), dense.shape[1]), (dense.sum(axis=0), dense.shape[0])):
        ours += np.sum(SETTINGS.regularization * (counts[counts > 0] + SETTINGS.unobserved_weight * others))
    theirs = spark_regularization(matrix, SETTINGS) * (dense.sum() + dense.sum())
    assert theirs == pytest.approx(ours / SETTINGS.unobserved_weight)


@needs_spark
def test_it_publishes_a_snapshot_of_the_same_kind(platform, tmp_path):
    data = read_training_data(platform)
    store, settings = ModelStore(tmp_path), AlsSettings(factors=8, epochs=8)
    here = train_als(data, store, settings, threads=0, progress=SILENT)
    there = train_on_spark(data, store, settings, HERE, threads=0, progress=SILENT)
    assert store.current_name() == there.manifest.name
    assert there.manifest.kind == here.manifest.kind
    assert there.manifest.data == here.manifest.data
    assert there.manifest.parameters == here.manifest.parameters
    assert there.manifest.versions["pyspark"]
    for name in here.manifest.arrays:
        assert there.array(name).shape == here.array(name).shape
        assert there.array(name).dtype == here.array(name).dtype
    history = read_history(platform, "u00007")
    lists = [
        {entry.content_id for entry in Recommender(snapshot).recommend(history, 10, reasons=1)}
        for snapshot in (here, there)
    ]
    assert len(lists[0] & lists[1]) >= 5


@needs_spark
def test_a_killed_process_takes_spark_with_it():
    program = """
from mgw.core.progress import SILENT
from mgw.core.settings import AlsSettings, SparkSettings
from mgw.recommend.spark import session
with session.spark_session(SparkSettings(driver_memory="1g")) as spark:
    print(spark.sparkContext._gateway.proc.pid, flush=True)
    import time; time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        java = int(process.stdout.readline())
        assert Path(f"/proc/{java}").exists()
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{java}").exists() and "Z" not in Path(f"/proc/{java}/stat").read_text(encoding="ascii"):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@needs_spark
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a pipe that pyspark leaves open
def test_a_master_that_is_none():
    with pytest.raises(SparkUnavailable, match=r"nonsense gave up: .*Master must"):
        fit_on_spark(random_matrix(), SETTINGS, SparkSettings(master="nonsense"), threads=1, progress=SILENT)


def ask():
    return fit_on_spark(random_matrix(), SETTINGS, HERE, threads=1, progress=SILENT)


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda _: object())


@needs_spark
def test_a_folder_of_this_machine_is_not_given_to_a_cluster():
    assert session._checkpoint_folder(SparkSettings(master="spark://host:7077")) is None
    given = SparkSettings(master="spark://host:7077", checkpoint_dir="hdfs://name/tmp")
    assert session._checkpoint_folder(given) == "hdfs://name/tmp"


def test_nothing_to_train_on():
    empty = random_matrix()[:, :0]
    with pytest.raises(NoEvents):
        fit_on_spark(empty, SETTINGS, HERE, threads=1, progress=SILENT)


def test_pyspark_is_not_installed(monkeypatch):
    monkeypatch.setattr(session, "find_spec", lambda _: None)
    with pytest.raises(ExtraMissing, match="pyspark") as caught:
        ask()
    assert "mgw[spark]" in caught.value.hint


def test_there_is_no_java(monkeypatch, tmp_path, installed):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SparkUnavailable, match="no Java on the PATH"):
        ask()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SparkUnavailable, match="does not run") as caught:
        ask()
    assert "Java 17" in caught.value.hint


@pytest.mark.parametrize("said", ['openjdk version "11.0.2" 2019-01-15', 'java version "1.8.0_202"', "what?"])
def test_java_is_too_old(monkeypatch, tmp_path, installed, said):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SparkUnavailable, match="too old"):
        ask()
    assert os.environ["JAVA_HOME"] == str(tmp_path)
